/** `kvorum history <key>`: every revision of a key that is not compacted, oldest first. */

import type { CommandModule } from 'yargs';
import { commandArguments } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { untilInterrupted } from './interrupts.ts';

const USAGE = `$0 history [flags] <key>

Prints a line a revision: the revision, PUT or DELETE, the version and the value.`;

/** Makes the command. */
export function historyCommand(context: CommandContext): CommandModule {
  return {
    command: 'history',
    describe: 'print every revision of a key that is not compacted',
    builder: (yargs) => yargs.usage(USAGE),
    handler: async (argv) => {
      const args = commandArguments(argv);
      if (args.length !== 1) refuseArguments('history command needs 1 argument');
      const { client, printer, style } = openInvocation(context, argv, 'history');
      await untilInterrupted(context, async (signal) => {
        for await (const entry of client.history(textToBytes(args[0] ?? ''))) {
          signal.throwIfAborted();
          printer.history(entry, style);
          await context.terminal.drained();
        }
      });
    },
  };
}
