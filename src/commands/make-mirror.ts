/**
 * `kvorum make-mirror <destination>`: copies the keys of a prefix to another cluster, then every
 * change of them, until interrupted.
 *
 * Source: etcdctl make-mirror.
 */

import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { TXN_OPS_MAX } from '../../include/kvstore.ts';
import { commandArguments } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
import { type CommandContext, openClient, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import { untilInterrupted } from './interrupts.ts';
import { Mirror } from './mirror.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const MAKE_MIRROR_FLAGS = {
  prefix: { type: 'string', requiresArg: true, describe: 'only keys with this prefix' },
  'dest-prefix': {
    type: 'string',
    requiresArg: true,
    describe: 'the prefix in the destination, in place of that of --prefix',
  },
  'no-dest-prefix': { type: 'boolean', describe: 'no prefix in the destination' },
  rev: { type: 'string', requiresArg: true, describe: 'only changes from this revision on' },
  'max-txn-ops': {
    type: 'string',
    requiresArg: true,
    describe: 'most writes of one transaction',
    defaultDescription: String(TXN_OPS_MAX),
  },
} as const satisfies Flags;

/** Milliseconds between two lines with the number of keys mirrored. */
const REPORT_MS = 30_000;

const USAGE = `$0 make-mirror [flags] <destination>

Copies keys, then follows their changes until Ctrl-C. Leases are not copied, and what the
destination has besides stays. Prints the number of keys mirrored so far every 30 seconds.`;

type Argv = ArgumentsCamelCase<InferredOptionTypes<typeof MAKE_MIRROR_FLAGS>>;

/** Makes the command. */
export function makeMirrorCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof MAKE_MIRROR_FLAGS>> {
  return {
    command: 'make-mirror',
    describe: 'copy keys and their changes to another cluster',
    builder: (yargs) => yargs.usage(USAGE).options(MAKE_MIRROR_FLAGS),
    handler: async (argv) => {
      const args = commandArguments(argv);
      if (args.length !== 1) refuseArguments('make-mirror takes one destination argument');
      const prefix = textToBytes(argv.prefix ?? '');
      const destinationPrefix = readDestinationPrefix(argv, prefix);
      const startRevision = argv.rev === undefined ? 0 : integerFlag('rev')(argv.rev);
      const operationsMax = readOperationsMax(argv);
      const { client, settings } = openInvocation(context, argv, undefined);
      const mirror = new Mirror({
        source: client,
        destination: openClient(context, settings, (args[0] ?? '').split(',')),
        prefix,
        destinationPrefix,
        startRevision,
        operationsMax,
        onTrouble: (text) => context.terminal.writeError(`${text}\n`),
      });
      await runReporting(context, mirror);
    },
  };
}

async function runReporting(context: CommandContext, mirror: Mirror): Promise<void> {
  const report = setInterval(() => {
    context.terminal.write(`${mirror.writtenCount}\n`);
    context.terminal.flush();
  }, REPORT_MS);
  try {
    await untilInterrupted(context, (signal) => mirror.run(signal));
  } finally {
    clearInterval(report);
  }
}

function readDestinationPrefix(argv: Argv, prefix: Buffer): Buffer {
  const given = argv['dest-prefix'];
  const isNone = argv['no-dest-prefix'] ?? false;
  if (given !== undefined && isNone) {
    const what = '`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time';
    refuseArguments(`${what}, choose one.`);
  }
  if (isNone) return Buffer.alloc(0);
  return given === undefined ? prefix : textToBytes(given);
}

function readOperationsMax(argv: Argv): number {
  const given = argv['max-txn-ops'];
  if (given === undefined) return TXN_OPS_MAX;
  const count = integerFlag('max-txn-ops')(given);
  return count > 0 ? count : refuseArguments('--max-txn-ops must be 1 or more');
}
