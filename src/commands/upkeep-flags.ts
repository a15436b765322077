/** What a node does on its own account now and then, as flags say it: etcd's, with its rules. */

import { QUOTA_BYTES, QUOTA_BYTES_MAX } from '../../include/kvstore.ts';
import type { AutoCompaction } from '../../include/node.ts';
import { parseGoDuration } from '../client/terminal/go-duration.ts';
import { CommandError, ExitCode } from './command-error.ts';
import type { Flags } from './settings.ts';

const HOUR_MS = 3_600_000;

/** The flags of a node. */
export const UPKEEP_FLAGS = {
  'quota-bytes': {
    type: 'string',
    requiresArg: true,
    describe: 'bytes of the store in use above which it is full: 0 the default, negative none',
    defaultDescription: String(QUOTA_BYTES),
  },
  'auto-compaction-mode': {
    type: 'string',
    requiresArg: true,
    describe: 'periodic, or revision',
    defaultDescription: 'periodic',
  },
  'auto-compaction-retention': {
    type: 'string',
    requiresArg: true,
    describe: 'how old revisions are compacted (5m, or hours), or how many are left; 0: none',
    defaultDescription: '0',
  },
  'corrupt-check-time': {
    type: 'string',
    requiresArg: true,
    describe: 'how often the members compare their stores, and when one has come back; 0: never',
    defaultDescription: '0s',
  },
} as const satisfies Flags;

/** Reads a quota as etcd does: 0 is the default, below there is none but what a store can hold. */
export function readQuota(name: string, text: string): number {
  const quotaBytes = Number(text);
  if (!/^-?\d{1,15}$/.test(text) || quotaBytes > QUOTA_BYTES_MAX) {
    throw refusal(`--${name} "${text}": expected bytes, at most ${QUOTA_BYTES_MAX}`);
  }
  if (quotaBytes < 0) return QUOTA_BYTES_MAX;
  return quotaBytes === 0 ? QUOTA_BYTES : quotaBytes;
}

/** Reads how revisions are compacted; undefined: not at all. @throws CommandError */
export function readAutoCompaction(mode: string, retention: string): AutoCompaction | undefined {
  if (mode !== 'periodic' && mode !== 'revision') {
    throw refusal(`--auto-compaction-mode "${mode}": expected periodic or revision`);
  }
  const isCount = /^\d{1,15}$/.test(retention);
  const what = `--auto-compaction-retention "${retention}"`;
  if (mode === 'revision') {
    if (!isCount) throw refusal(`${what}: expected how many revisions are left`);
    return Number(retention) === 0 ? undefined : { mode, retention: Number(retention) };
  }
  const retentionMs = isCount ? Number(retention) * HOUR_MS : readDuration(what, retention);
  return retentionMs === 0 ? undefined : { mode, retentionMs };
}

/** Reads how often stores are compared, in milliseconds. @throws CommandError */
export function readCheckTime(name: string, text: string): number {
  return /^0+$/.test(text) ? 0 : readDuration(`--${name} "${text}"`, text);
}

function readDuration(what: string, text: string): number {
  try {
    const milliseconds = parseGoDuration(text);
    if (milliseconds >= 0) return milliseconds;
  } catch {
    // Told below.
  }
  throw refusal(`${what}: expected a time such as 5m`);
}

function refusal(text: string): CommandError {
  return new CommandError(ExitCode.Error, text);
}
