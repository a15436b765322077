/** `kvorum lease keep-alive <id>`: renews a lease, once or for as long as it is there. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { ERRORS, ErrorCode } from '../../include/errors.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, type Invocation, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, failAsConnection, refuseArguments } from './command-error.ts';
import { parseLeaseArgument } from './flag-values.ts';
import { untilInterrupted, whenAborted } from './interrupts.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const LEASE_KEEP_ALIVE_FLAGS = {
  once: { type: 'boolean', describe: 'renew it once' },
} as const satisfies Flags;

/** Makes the command. */
export function leaseKeepAliveCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof LEASE_KEEP_ALIVE_FLAGS>> {
  return {
    command: 'keep-alive',
    describe: 'renew a lease until it is gone',
    builder: (yargs) =>
      yargs.usage('$0 lease keep-alive [flags] <id>').options(LEASE_KEEP_ALIVE_FLAGS),
    handler: async (argv) => {
      const args = commandArguments(argv, 2);
      if (args.length !== 1) refuseArguments('lease keep-alive command needs lease ID as argument');
      const id = parseLeaseArgument(args[0] ?? '');
      const invocation = openInvocation(context, argv, 'leaseKeepAlive');
      if (argv.once === true) return renewOnce(invocation, id);
      await untilInterrupted(context, (signal) => keepAlive(context, invocation, id, signal));
    },
  };
}

async function renewOnce({ client, printer }: Invocation, id: bigint): Promise<void> {
  const reply = await client.keepAliveLease(id).catch(failAsConnection);
  if (reply.ttlSeconds <= 0) {
    const why = ERRORS.get(ErrorCode.LeaseNotFound)?.text ?? '';
    throw new CommandError(ExitCode.BadConnection, why);
  }
  printer.leaseKeepAlive(reply);
}

async function keepAlive(
  { terminal }: CommandContext,
  { client, printer }: Invocation,
  id: bigint,
  signal: AbortSignal,
): Promise<void> {
  const first = await client.keepAliveLease(id).catch(failAsConnection);
  if (first.ttlSeconds > 0) {
    printer.leaseKeepAlive(first);
    terminal.flush();
    const held = await client.keepLease(id);
    held.onRenewed((reply) => {
      printer.leaseKeepAlive(reply);
      terminal.flush();
    });
    await whenAborted(AbortSignal.any([held.lost, signal]));
    held.stop();
    signal.throwIfAborted();
  }
  printer.leaseGone(id);
}
