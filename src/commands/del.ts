/** `kvorum del <key> [range_end]`: deletes a key, a range or a prefix. */

import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import type { DeleteOptions } from '../../include/client.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { readKeySpan, SPAN_FLAGS } from './key-arguments.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const DEL_FLAGS = {
  ...SPAN_FLAGS,
  'prev-kv': { type: 'boolean', describe: 'print the deleted pairs' },
  range: { type: 'boolean', describe: 'says that range_end is meant (newer etcdctl asks for it)' },
} as const satisfies Flags;

type Argv = ArgumentsCamelCase<InferredOptionTypes<typeof DEL_FLAGS>>;

/** Makes the command. */
export function delCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof DEL_FLAGS>> {
  return {
    command: 'del',
    describe: 'delete a key, a range or a prefix',
    builder: (yargs) => yargs.usage('$0 del [flags] <key> [range_end]').options(DEL_FLAGS),
    handler: async (argv) => {
      const { key, options } = readDeletion(commandArguments(argv), argv);
      const { client, printer, style } = openInvocation(context, argv, 'delete');
      const reply = await client.delete(key, options);
      printer.delete(reply, style);
    },
  };
}

/** What is to be deleted. */
export function readDeletion(
  args: readonly string[],
  argv: Argv,
): { readonly key: Buffer; readonly options: DeleteOptions } {
  if (args.length === 0 || args.length > 2) {
    refuseArguments('del command needs one argument as key and an optional argument as range_end');
  }
  const { key, span } = readKeySpan(args, argv);
  return { key, options: { ...span, prevKv: argv['prev-kv'] ?? false } };
}
