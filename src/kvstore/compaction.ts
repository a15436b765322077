/**
 * Compaction: older revisions are refused at once, and removed later, in steps.
 *
 * A step sweeps Revisions upwards from where the last one ended. A revision not above the
 * compaction's target supersedes the one before it of the same key, which no read can reach any
 * more: that one is removed. A deletion goes too. The sweep's place is part of the state, so a
 * restart goes on with it.
 *
 * Of the target itself nothing is removed. A read there has no use for a key it deleted, or for the
 * first of two changes of a key. But one may watch from there, and must be told of them however
 * late it comes (etcd since 3.5.18; before, the deletion was missed). They go with the next
 * compaction, which starts one revision back.
 */

import {
  COMPACT_STEP_BYTES_MAX,
  COMPACT_STEP_REVISIONS_MAX,
  type CompactRequest,
  type CompactResult,
  type ScanBounds,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { encodeRevisionKey, headKey, readCounter } from './key-record.ts';
import { isDeletion, prevKey, prevMain, storedKey } from './revision-record.ts';
import { type StoreState, SUB_MAX } from './store-state.ts';

/** Applies a compaction. One under way is extended. */
export function compact(state: StoreState, request: CompactRequest): CompactResult | ErrorCode {
  if (request.revision <= state.compactRevision) return ErrorCode.Compacted;
  if (request.revision > state.revision) return ErrorCode.FutureRevision;
  if (state.sweptMain > 0 && state.sweptMain === state.compactRevision) {
    state.sweptMain -= 1;
    state.sweptSub = SUB_MAX;
  }
  state.compactRevision = request.revision;
  return { revision: state.revision };
}

/** Whether nothing is left to remove. */
export function isSwept(state: StoreState): boolean {
  const { sweptMain, sweptSub, compactRevision } = state;
  return sweptMain > compactRevision || (sweptMain === compactRevision && sweptSub === SUB_MAX);
}

/** The compaction that is removed completely. */
export function sweptRevision(state: StoreState): number {
  if (isSwept(state)) return state.compactRevision;
  return state.sweptSub === SUB_MAX ? state.sweptMain : state.sweptMain - 1;
}

/** What the sweep has before it: keys of Revisions. */
export function sweepBounds(state: StoreState): ScanBounds & { readonly to: Buffer } {
  const { sweptMain, sweptSub, compactRevision } = state;
  const from =
    sweptSub === SUB_MAX
      ? encodeRevisionKey(sweptMain + 1, 0)
      : encodeRevisionKey(sweptMain, sweptSub + 1);
  return { from, to: encodeRevisionKey(compactRevision + 1, 0), reverse: false };
}

/** What a step looked at. */
export type Swept = { readonly revisions: number; readonly sizeBytes: number };

/**
 * Removes what COMPACT_STEP_REVISIONS_MAX revisions supersede.
 * @param to where the step ends at the latest: a key within sweepBounds
 */
export function compactStep(state: StoreState, to: Buffer): Swept {
  const { map } = state;
  const bounds = { ...sweepBounds(state), to, lends: true };
  const visited: [key: Buffer, record: Buffer][] = [];
  let sizeBytes = 0;
  let isAtEnd = true;
  map.scan(Table.Revisions, bounds, (key, record) => {
    isAtEnd = visited.length < COMPACT_STEP_REVISIONS_MAX && sizeBytes < COMPACT_STEP_BYTES_MAX;
    if (!isAtEnd) return false;
    visited.push([key, record]);
    sizeBytes += record.length;
    return true;
  });
  for (const [key, record] of visited) sweep(state, key, record);

  const end = isAtEnd ? to : visited.at(-1)![0];
  state.sweptMain = readCounter(end, 0);
  state.sweptSub = end.readUInt32BE(8);
  if (isAtEnd) goBack(state);
  return { revisions: visited.length, sizeBytes };
}

/** Puts the sweep's place before a key that it did not look at. */
function goBack(state: StoreState): void {
  if (state.sweptSub > 0) {
    state.sweptSub -= 1;
  } else {
    state.sweptMain -= 1;
    state.sweptSub = SUB_MAX;
  }
}

/** Whether a revision not above the compaction's target is a deletion that goes. */
export function isRemovableDeletion(state: StoreState, key: Buffer, record: Buffer): boolean {
  return isDeletion(record) && readCounter(key, 0) < state.compactRevision;
}

/** Whether the one that a revision not above the compaction's target supersedes goes. */
export function isPrevRemovable(state: StoreState, record: Buffer): boolean {
  const main = prevMain(record);
  return main > 0 && main < state.compactRevision;
}

/** Removes what one revision makes unreachable. */
function sweep(state: StoreState, key: Buffer, record: Buffer): void {
  const { map } = state;
  if (isPrevRemovable(state, record)) {
    map.delete(Table.Revisions, prevKey(record));
  }
  if (!isRemovableDeletion(state, key, record)) return;
  map.delete(Table.Revisions, key);
  const userKey = storedKey(record);
  const tombstone = map.get(Table.Tombstones, userKey);
  if (tombstone === undefined || !headKey(tombstone).equals(key)) return;
  map.delete(Table.Tombstones, userKey);
  state.tombstoneCount -= 1;
}
