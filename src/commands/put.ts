/**
 * `kvorum put <key> [value]`: writes a pair; the value comes from the standard input when left out.
 */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { parseLeaseId } from './flag-values.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const PUT_FLAGS = {
  lease: { type: 'string', requiresArg: true, describe: 'lease id (hex) to hang the key on' },
  'prev-kv': { type: 'boolean', describe: 'print the pair as it was before' },
  'ignore-value': { type: 'boolean', describe: 'keep the current value' },
  'ignore-lease': { type: 'boolean', describe: 'keep the current lease' },
} as const satisfies Flags;

/** Makes the command. */
export function putCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof PUT_FLAGS>> {
  return {
    command: 'put',
    describe: 'put the given key into the store',
    builder: (yargs) =>
      yargs
        .usage('$0 put [flags] <key> [value]\n\nThe value is read from the input when left out.')
        .options(PUT_FLAGS),
    handler: async (argv) => {
      const args = commandArguments(argv);
      const ignoreValue = argv['ignore-value'] ?? false;
      if (args.length === 0) {
        refuseArguments('put command needs 1 argument and input from stdin or 2 arguments');
      }
      if (ignoreValue && args.length > 1) {
        refuseArguments("put command needs only 1 argument when 'ignore-value' is set");
      }

      const [key = '', given] = args;
      const lease = parseLeaseId(argv.lease ?? '0');
      const { client, printer, style } = openInvocation(context, argv, 'put');
      const value = ignoreValue ? '' : (given ?? (await readInput(context)));
      const reply = await client.put(key, value, {
        lease,
        prevKv: argv['prev-kv'] ?? false,
        ignoreValue,
        ignoreLease: argv['ignore-lease'] ?? false,
      });
      printer.put(reply, style);
    },
  };
}

async function readInput(context: CommandContext): Promise<Buffer> {
  const input = context.terminal.input;
  if (input === undefined) return refuseArguments('put command needs 2 arguments in a shell');
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
