/**
 * A checksum of the history of keys up to a revision, equal on members that have compacted alike:
 * what `endpoint hashkv` prints, and what members compare with each other.
 *
 * What is compacted must be gone and what is deleted be written, so it waits for the removals under
 * way to end; a compaction in the middle of it lets it start anew.
 */

import { crc32 } from 'node:zlib';
import { type HashResult, Table } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { isSwept } from './compaction.ts';
import { encodeRevisionKey } from './key-record.ts';
import { type Pace, type Steps, spendBytes, takeTurns } from './steps.ts';
import type { StoreState } from './store-state.ts';

const ZERO_BYTE = Buffer.alloc(1);

/**
 * CRC-32 of all revisions up to one, in order.
 * @param asked 0 for the current one
 */
export function* hashRevisions(pace: Pace, asked: number): Steps<HashResult | ErrorCode> {
  const revision = asked > 0 ? asked : pace.state().revision;
  for (;;) {
    const state = pace.state();
    const { compactRevision } = state;
    // As etcd 3.4 has it: not of what is compacted to, unless that is all there is.
    if (revision < compactRevision || asked === compactRevision) return ErrorCode.Compacted;
    if (revision > state.revision) return ErrorCode.FutureRevision;
    if (isSettled(state, revision)) {
      const hash = yield* hashUpTo(pace, state, revision);
      if (hash !== undefined) return { revision, compactRevision, hash };
    } else yield;
  }
}

/** Whether the table holds what there is up to a revision, and no more. */
function isSettled(state: StoreState, revision: number): boolean {
  return isSwept(state) && state.deletions.every(({ main }) => main > revision);
}

/** @returns undefined when the store was compacted, or replaced, meanwhile */
function* hashUpTo(pace: Pace, state: StoreState, revision: number): Steps<number | undefined> {
  const { compactRevision } = state;
  const to = encodeRevisionKey(revision + 1, 0);
  let from = encodeRevisionKey(0, 0);
  let hash = crc32(encodeRevisionKey(revision, 0));
  for (;;) {
    let last: Buffer | undefined;
    state.map.scan(Table.Revisions, { from, to, reverse: false }, (key, record) => {
      hash = crc32(record, crc32(key, hash));
      pace.visitsLeft -= 1;
      spendBytes(pace, record.length);
      last = key;
      return pace.visitsLeft > 0;
    });
    if (last === undefined || pace.visitsLeft > 0) return hash;
    from = Buffer.concat([last, ZERO_BYTE]);
    yield* takeTurns(pace);
    if (pace.state() !== state || state.compactRevision !== compactRevision) return undefined;
  }
}
