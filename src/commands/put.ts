/**
 * `kvorum put <key> [value]`: writes a pair; the value comes from the standard input when left out.
 */

import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import type { PutOptions } from '../../include/client.ts';
import { commandArguments } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
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

/** What is said of a put without a value where none can be read. */
export const VALUE_NEEDED = 'put command needs 1 argument and input from stdin or 2 arguments';

type Argv = ArgumentsCamelCase<InferredOptionTypes<typeof PUT_FLAGS>>;

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
      const { key, value, options } = readPut(commandArguments(argv), argv);
      const { client, printer, style } = openInvocation(context, argv, 'put');
      const reply = await client.put(key, value ?? (await readInput(context)), options);
      printer.put(reply, style);
    },
  };
}

/** What is to be put; no value when it is left out and needed. */
export function readPut(
  args: readonly string[],
  argv: Argv,
): { readonly key: Buffer; readonly value: Buffer | undefined; readonly options: PutOptions } {
  const ignoreValue = argv['ignore-value'] ?? false;
  if (args.length === 0) refuseArguments(VALUE_NEEDED);
  if (ignoreValue && args.length > 1) {
    refuseArguments("put command needs only 1 argument when 'ignore-value' is set");
  }
  const [key = '', value = ignoreValue ? '' : undefined] = args;
  return {
    key: textToBytes(key),
    value: value === undefined ? undefined : textToBytes(value),
    options: {
      lease: parseLeaseId(argv.lease ?? '0'),
      prevKv: argv['prev-kv'] ?? false,
      ignoreValue,
      ignoreLease: argv['ignore-lease'] ?? false,
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
