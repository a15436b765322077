/** `kvorum compaction <revision>`: makes all revisions below one unreadable. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { parseInteger } from './flag-values.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const COMPACTION_FLAGS = {
  physical: { type: 'boolean', describe: 'wait until the old revisions are removed' },
} as const satisfies Flags;

/** Makes the command. */
export function compactionCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof COMPACTION_FLAGS>> {
  return {
    command: 'compaction',
    aliases: 'compact',
    describe: 'make all revisions below one unreadable',
    builder: (yargs) => yargs.usage('$0 compaction [flags] <revision>').options(COMPACTION_FLAGS),
    handler: async (argv) => {
      const args = commandArguments(argv);
      if (args.length !== 1) refuseArguments('compaction command needs 1 argument');
      const revision = parseInteger(args[0] ?? '');
      const { client } = openInvocation(context, argv, undefined);
      await client.compact(revision, { physical: argv.physical ?? false });
      context.terminal.write(`compacted revision ${revision}\n`);
    },
  };
}
