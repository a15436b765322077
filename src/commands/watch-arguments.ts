/**
 * What a watch command asks for: key, range end, a command behind `--`, flags.
 *
 * Source: etcdctl 3.4 watch.
 */

import type { ArgumentsCamelCase, InferredOptionTypes } from 'yargs';
import type { WatchOptions } from '../../include/client.ts';
import { argumentsBefore, argumentsBehind } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
import { refuseArguments } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import type { Flags } from './settings.ts';

/** The flags of a watch, on the command line and in the lines of `watch -i`. */
export const WATCH_LINE_FLAGS = {
  prefix: { type: 'boolean', describe: 'all keys with this prefix' },
  rev: { type: 'string', requiresArg: true, describe: 'the first revision to tell of' },
  'prev-kv': { type: 'boolean', describe: 'print the pairs as they were before, too' },
  'progress-notify': { type: 'boolean', describe: 'print a note now and then while all is quiet' },
} as const satisfies Flags;

/** What is to be watched. */
export type WatchWanted = {
  readonly key: Buffer;
  readonly options: WatchOptions;
  /** The command to run for each event; empty for none. */
  readonly command: readonly string[];
};

type Argv = ArgumentsCamelCase<InferredOptionTypes<typeof WATCH_LINE_FLAGS>>;

/**
 * Reads what is to be watched.
 *
 * @param environment holds the key when no argument does: ETCDCTL_WATCH_KEY, or KVORUM_WATCH_KEY,
 *   and the range's end likewise
 * @throws CommandError with etcdctl's texts
 */
export function readWatch(
  argv: Argv,
  environment: Readonly<Record<string, string | undefined>>,
): WatchWanted {
  const given = argumentsBefore(argv);
  const key = variable(environment, 'WATCH_KEY');
  if (key !== undefined && given.length > 0) {
    refuseArguments('bad number of arguments (found conflicting environment key)');
  }
  const rangeEnd = variable(environment, 'WATCH_RANGE_END');
  const fromEnvironment = [key, rangeEnd].filter((each) => each !== undefined);
  const words = key === undefined ? given : fromEnvironment;
  const [first, end] = words;
  if (first === undefined) return refuseArguments('bad number of arguments');

  const prefix = argv.prefix ?? false;
  if (prefix && end !== undefined) {
    refuseArguments('`range_end` and `--prefix` are mutually exclusive');
  }
  const rev = argv.rev === undefined ? 0 : integerFlag('rev')(argv.rev);
  const options: WatchOptions = {
    startRevision: rev,
    prevKv: argv['prev-kv'] ?? false,
    progressNotify: argv['progress-notify'] ?? false,
    ...(end === undefined ? { prefix } : { rangeEnd: textToBytes(end) }),
  };
  return { key: textToBytes(first), options, command: argumentsBehind(argv) ?? [] };
}

function variable(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  return environment[`KVORUM_${name}`] ?? environment[`ETCDCTL_${name}`];
}
