/** What the benchmark's command line says. */

import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { SystemName } from './wires.ts';

/** What can be measured. */
export const PARTS = [
  'puts',
  'txns',
  'keepalives',
  'gets',
  'watches',
  'grpc',
  'json',
  'failover',
  'restart',
  'rolling',
  'join',
  'backup',
  'removal',
] as const;
/** One of PARTS. */
export type Part = (typeof PARTS)[number];

/** Text of `--help`. */
export const USAGE = `usage: node test/bench/main.ts [options]

  --quick               short windows, few rounds, no million keys, no GiB: for development
  --only=PART,...       ${PARTS.join(', ')}; all of them when left out
  --system=NAME         kvorum, etcd or both (default)
  --binary=PATH         measure the packaged binary, not node on src/main.ts
  --dir=PATH            where data directories are made (default ${tmpdir()})
  --windows=COUNT       measured windows a line, of which the median is shown
  --profile=DIR         kvorum's nodes leave CPU profiles there
`;

/** What to measure, and how long. */
export type Options = {
  readonly parts: ReadonlySet<Part>;
  readonly systems: readonly SystemName[];
  readonly binary: string | undefined;
  readonly directory: string;
  readonly profileDirectory: string | undefined;
  readonly keyCount: number;
  readonly valueBytes: number;
  readonly warmupMs: number;
  readonly windowMs: number;
  readonly windowCount: number;
  readonly failoverRounds: number;
  readonly restartRounds: number;
  /** Keys in the store that is restarted, or emptied. */
  readonly restartKeyCount: number;
  /** Pairs of a large state, besides the keys: what a member receives, or a backup holds. */
  readonly statePairCount: number;
  /** Of their values. */
  readonly stateValueBytes: number;
};

/**
 * Reads the command line.
 *
 * @returns undefined when help was asked for
 * @throws Error for what makes no sense
 */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: PARTS.join(',') },
      system: { type: 'string', default: 'both' },
      binary: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      windows: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    parts: new Set(values.only.split(',').map(readPart)),
    systems: readSystems(values.system),
    binary: values.binary,
    directory: values.dir,
    profileDirectory: values.profile,
    keyCount: 100_000,
    valueBytes: 256,
    warmupMs: quick ? 500 : 1_000,
    windowMs: quick ? 1_500 : 3_000,
    windowCount: readCount(values.windows ?? (quick ? '1' : '3')),
    failoverRounds: quick ? 3 : 10,
    restartRounds: quick ? 1 : 3,
    restartKeyCount: quick ? 100_000 : 1_000_000,
    statePairCount: quick ? 25_600 : 262_144,
    stateValueBytes: 4_096,
  };
}

function readPart(name: string): Part {
  const part = PARTS.find((each) => each === name);
  if (part === undefined) throw new Error(`--only=${name}: one of ${PARTS.join(', ')} is expected`);
  return part;
}

function readSystems(name: string): readonly SystemName[] {
  if (name === 'both') return ['kvorum', 'etcd'];
  if (name === 'kvorum' || name === 'etcd') return [name];
  throw new Error(`--system=${name}: kvorum, etcd or both is expected`);
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`--windows=${text}: a count is expected`);
  return count;
}
