/** `kvorum elect <name> [value]`: campaigns and leads until interrupted; -l prints each leader. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import type { Election } from '../../include/recipes.ts';
import { createElection } from '../client/recipes/election.ts';
import { commandArguments } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
import { type CommandContext, type Invocation, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, refuseArguments } from './command-error.ts';
import { releasingWhenInterrupted, whenAborted } from './interrupts.ts';
import { cancelled } from './lock.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const ELECT_FLAGS = {
  listen: { alias: 'l', type: 'boolean', describe: 'print each leader instead of campaigning' },
} as const satisfies Flags;

const USAGE = `$0 elect [flags] <name> [value]

Waits to lead, prints the leader's key and value, and leads until Ctrl-C.`;

/** Makes the command. */
export function electCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof ELECT_FLAGS>> {
  return {
    command: 'elect',
    describe: 'lead an election, or follow who leads it',
    builder: (yargs) => yargs.usage(USAGE).options(ELECT_FLAGS),
    handler: async (argv) => {
      const [name, value, ...rest] = commandArguments(argv);
      if (name === undefined || rest.length > 0) {
        const what = 'elect takes one election name argument and an optional proposal argument';
        return refuseArguments(what);
      }
      const isListening = argv.listen ?? false;
      if (isListening && value !== undefined) refuseArguments('proposal given but -l is set');
      if (!isListening && value === undefined) {
        refuseArguments('no proposal argument but -l not set');
      }
      const invocation = openInvocation(context, argv, isListening ? 'observed' : 'range');
      const election = createElection(invocation.client, textToBytes(name));
      await releasingWhenInterrupted(context, (signal) =>
        value === undefined
          ? printLeaders(context, invocation, election, signal)
          : lead(context, invocation, election, value, signal),
      );
    },
  };
}

async function printLeaders(
  { terminal }: CommandContext,
  { printer, style }: Invocation,
  election: Election,
  signal: AbortSignal,
): Promise<void> {
  for await (const leader of election.observe({ signal })) {
    printer.observed(leader, style);
    await terminal.drained();
  }
}

async function lead(
  { terminal }: CommandContext,
  { client, printer, style }: Invocation,
  election: Election,
  value: string,
  signal: AbortSignal,
): Promise<void> {
  const campaign = election.campaign(textToBytes(value), { signal });
  const leadership = await campaign.catch((error: unknown) => {
    throw signal.aborted ? cancelled() : error;
  });
  printer.range(await client.range(leadership.key), style);
  terminal.flush();
  await whenAborted(AbortSignal.any([signal, leadership.lost]));
  if (!signal.aborted) throw new CommandError(ExitCode.Error, 'elect: session expired');
  await leadership.resign();
}
