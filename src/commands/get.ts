/**
 * `kvorum get <key> [range_end]`: reads a key, a range or a prefix. A range in key order is printed
 * as it is received, page by page, so that its size does not matter.
 */

import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import type { PageOptions, RangeOptions } from '../../include/client.ts';
import { SortOrder, SortTarget } from '../../include/kvstore.ts';
import { printPair } from '../client/terminal/pair-lines.ts';
import type { PairStyle } from '../client/terminal/printer.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, type Invocation, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, refuseArguments } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import { readKeySpan, SPAN_FLAGS } from './key-arguments.ts';
import type { Flags, Format } from './settings.ts';

/** Its flags. */
export const GET_FLAGS = {
  ...SPAN_FLAGS,
  consistency: { type: 'string', requiresArg: true, describe: 'l linearizable, s serializable' },
  order: { type: 'string', requiresArg: true, describe: 'ASCEND or DESCEND' },
  'sort-by': {
    type: 'string',
    requiresArg: true,
    describe: 'CREATE, KEY, MODIFY, VALUE or VERSION',
  },
  limit: { type: 'string', requiresArg: true, describe: 'most pairs to answer' },
  rev: { type: 'string', requiresArg: true, describe: 'the revision to read at' },
  'keys-only': { type: 'boolean', describe: 'leave the values out' },
  'print-value-only': { type: 'boolean', describe: 'print values only (simple format)' },
  'count-only': { type: 'boolean', describe: 'answer only how many keys there are' },
  'min-mod-rev': { type: 'string', requiresArg: true, describe: 'least revision of the last put' },
  'max-mod-rev': { type: 'string', requiresArg: true, describe: 'most revision of the last put' },
  'min-create-rev': { type: 'string', requiresArg: true, describe: 'least revision of creation' },
  'max-create-rev': { type: 'string', requiresArg: true, describe: 'most revision of creation' },
} as const satisfies Flags;

type Argv = ArgumentsCamelCase<InferredOptionTypes<typeof GET_FLAGS>>;

const ORDERS: ReadonlyMap<string, SortOrder> = new Map([
  ['', SortOrder.None],
  ['ASCEND', SortOrder.Ascend],
  ['DESCEND', SortOrder.Descend],
]);

const TARGETS: ReadonlyMap<string, SortTarget> = new Map([
  ['', SortTarget.Key],
  ['CREATE', SortTarget.Create],
  ['KEY', SortTarget.Key],
  ['MODIFY', SortTarget.Mod],
  ['VALUE', SortTarget.Value],
  ['VERSION', SortTarget.Version],
]);

/** Makes the command. */
export function getCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof GET_FLAGS>> {
  return {
    command: 'get',
    describe: 'get a key, a range or a prefix',
    builder: (yargs) => yargs.usage('$0 get [flags] <key> [range_end]').options(GET_FLAGS),
    handler: async (argv) => {
      const { key, options } = readRange(commandArguments(argv), argv);
      const invocation = openInvocation(context, argv, 'range');
      const { client, printer, settings } = invocation;
      checkFormat(argv, settings.format);

      const keysOnly = options.keysOnly ?? false;
      const valuesOnly = argv['print-value-only'] ?? false;
      const style = { ...invocation.style, keysOnly, valuesOnly };
      if (settings.format === 'simple' && isInKeyOrder(options)) {
        await printPages(context, invocation, key, options, style);
      } else {
        printer.range(await client.range(key, options), style);
      }
    },
  };
}

/** Whether a range's answer is what its pages are, one behind the other. */
function isInKeyOrder({ sortOrder, sortTarget }: RangeOptions): boolean {
  return sortTarget === SortTarget.Key && sortOrder !== SortOrder.Descend;
}

async function printPages(
  { terminal }: CommandContext,
  { client }: Invocation,
  key: Buffer,
  options: RangeOptions,
  style: PairStyle,
): Promise<void> {
  const { countOnly, sortOrder, sortTarget, ...kept } = options;
  const pageOptions: PageOptions = kept;
  for await (const { kvs } of client.pages(key, pageOptions)) {
    for (const pair of kvs) printPair(terminal.write, pair, style);
    await terminal.drained();
  }
}

/** What is to be read. */
export function readRange(
  args: readonly string[],
  argv: Argv,
): { readonly key: Buffer; readonly options: RangeOptions } {
  if (args.length === 0) {
    refuseArguments('get command needs one argument as key and an optional argument as range_end');
  }
  const { key, span } = readKeySpan(args, argv);
  return { key, options: { ...readOptions(argv), ...span } };
}

function readOptions(argv: Argv): RangeOptions {
  const integer = (name: 'limit' | 'rev' | `${'min' | 'max'}-${'mod' | 'create'}-rev`): number => {
    const text = argv[name];
    return text === undefined ? 0 : integerFlag(name)(text);
  };
  return {
    serializable: readConsistency(argv.consistency ?? 'l'),
    sortOrder: readSort(ORDERS, 'bad sort order', argv.order ?? ''),
    sortTarget: readSort(TARGETS, 'bad sort target', argv['sort-by'] ?? ''),
    limit: integer('limit'),
    revision: integer('rev'),
    keysOnly: argv['keys-only'] ?? false,
    countOnly: argv['count-only'] ?? false,
    minModRevision: integer('min-mod-rev'),
    maxModRevision: integer('max-mod-rev'),
    minCreateRevision: integer('min-create-rev'),
    maxCreateRevision: integer('max-create-rev'),
  };
}

/** Whether the read is serializable. */
function readConsistency(text: string): boolean {
  if (text === 'l') return false;
  if (text === 's') return true;
  throw new CommandError(ExitCode.BadFeature, `unknown consistency flag ${JSON.stringify(text)}`);
}

function readSort<T>(known: ReadonlyMap<string, T>, complaint: string, text: string): T {
  const found = known.get(text.toUpperCase());
  if (found !== undefined) return found;
  throw new CommandError(ExitCode.BadFeature, `${complaint} ${text}`);
}

function checkFormat(argv: Argv, format: Format): void {
  if (argv['print-value-only'] === true && format !== 'simple') {
    refuseArguments('print-value-only is only for `--write-out=simple`');
  }
  if (argv['count-only'] !== true) return;
  if (argv['keys-only'] === true) {
    refuseArguments('`--keys-only` and `--count-only` cannot be set at the same time, choose one');
  }
  if (format !== 'fields' && format !== 'json') {
    refuseArguments('--count-only is only for `--write-out=fields` and `--write-out=json`');
  }
}
