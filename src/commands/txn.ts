/** `kvorum txn`: a transaction, from a script on the input or typed part by part. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { type CommandContext, openInvocation } from './command-context.ts';
import { untilInterrupted } from './interrupts.ts';
import type { Flags } from './settings.ts';
import { readTransaction } from './txn-script.ts';

/** Its flags. */
export const TXN_FLAGS = {
  interactive: { alias: 'i', type: 'boolean', describe: 'say which part is to be typed' },
} as const satisfies Flags;

const USAGE = `$0 txn [flags]

Reads compares, operations on success and operations on failure, a blank line behind
each part:

  value("config") = "old"       target("key") op "value"; targets: value, version,
  mod("config") > "0"           mod, create, lease; ops: = != < >

  put config "new value"        get, put or del with their flags
  get config

  get config`;

/** Makes the command. */
export function txnCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof TXN_FLAGS>> {
  return {
    command: 'txn',
    describe: 'compare, then put, get and delete in one revision',
    builder: (yargs) => yargs.usage(USAGE).options(TXN_FLAGS),
    handler: async (argv) => {
      const { terminal } = context;
      const { client, printer, style } = openInvocation(context, argv, 'txn');
      const prompt = (text: string): void => {
        terminal.write(text);
        terminal.flush();
      };
      // In the lines of a shell in a pipe, what follows a refused line would run as commands.
      const isPiped = terminal.input === undefined && context.interrupts === undefined;
      await untilInterrupted(context, async (signal) => {
        const transaction = await readTransaction({
          rest: isPiped ? 'skip' : 'leave',
          nextLine: () => terminal.nextLine(signal),
          ...(argv.interactive === true ? { prompt } : {}),
        });
        printer.txn(await client.txn(transaction), style);
      });
    },
  };
}
