/**
 * The keys there are as of a revision, where a deletion under way has not removed all of its own.
 *
 * Invariant: while a deletion is under way nothing writes a key that it still has to remove, and,
 * if it is of a range, nothing writes in that range. So as of its revision and later, there is no
 * key in its range; or none on its lease.
 */

import { type PartCount, type ScanBounds, Table, type VisitPair } from '../../include/kvstore.ts';
import type { Deletion } from './deletion-record.ts';
import { coversAll, overlaps } from './key-range.ts';
import { leaseOf } from './key-record.ts';
import { countLeaseKeys, hasLease, scanLeaseKeys } from './lease-table.ts';
import { ALL_PAIRS, isEmptyRange } from './pair-cursor.ts';
import type { StoreState } from './store-state.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The record of a key as of now; undefined when there is no such key. */
export function liveRecord(state: StoreState, key: Buffer): Buffer | undefined {
  const record = state.map.get(Table.Keys, key);
  return record === undefined || isGone(state, key, record, state.revision) ? undefined : record;
}

/** Whether a deletion under way removes a key that Keys still has. */
export function removes(deletion: Deletion, key: Buffer, record: Buffer): boolean {
  const { lease } = deletion;
  return lease === 0n ? isWithin(deletion, key) : leaseOf(record) === lease;
}

/** Whether a key lies within the bounds of a deletion. */
export function isWithin({ from, to }: Deletion, key: Buffer): boolean {
  return key.compare(from) >= 0 && (to === undefined || key.compare(to) < 0);
}

/** Visits the keys there are now. */
export function scanLive(state: StoreState, bounds: ScanBounds, visit: VisitPair): void {
  const { revision } = state;
  let isOver = false;
  for (const part of visibleParts(state, bounds, revision)) {
    if (isOver) return;
    state.map.scan(Table.Keys, part, (key, record) => {
      isOver = !isGone(state, key, record, revision) && !visit(key, record);
      return !isOver;
    });
  }
}

/** Counts keys there are now, as ByteMap.countSome does. */
export function countLive(state: StoreState, bounds: ScanBounds, countMax: number): PartCount {
  const { map, deletions, revision } = state;
  if (deletions.length === 0) {
    if (coversAll(bounds)) return { count: state.keyCount, rest: undefined };
    return map.countSome(Table.Keys, bounds, countMax);
  }
  const [part, next] = visibleParts(state, bounds, revision);
  if (part === undefined) return { count: 0, rest: undefined };
  const { count, rest } = map.countSome(Table.Keys, part, countMax);
  const counted = rest === undefined ? part : { ...part, to: rest };
  let goneCount = 0;
  for (const { lease } of deletions) {
    if (lease !== 0n) goneCount += countLeaseKeys(state, lease, counted, NO_LIMIT);
  }
  return { count: count - goneCount, rest: rest ?? next?.from };
}

/** The keys that hang on a lease, in key order. Views of the table's keys. */
export function leaseKeys(state: StoreState, id: bigint): Buffer[] {
  const keys: Buffer[] = [];
  if (!hasLease(state, id)) return keys;
  const ranges = state.deletions.filter(({ lease }) => lease === 0n);
  scanLeaseKeys(state, id, ALL_PAIRS, (key) => {
    if (!ranges.some((deletion) => isWithin(deletion, key))) keys.push(key);
    return true;
  });
  return keys;
}

/** Whether a key that Keys still has did not exist any more as of a revision. */
export function isGone(state: StoreState, key: Buffer, record: Buffer, revision: number): boolean {
  for (const deletion of state.deletions) {
    if (deletion.main <= revision && removes(deletion, key, record)) return true;
  }
  return false;
}

/**
 * Bounds without the ranges that are deleted as of a revision, in the order of the scan. Within the
 * parts there may be keys of leases that are gone.
 */
export function visibleParts(
  state: StoreState,
  bounds: ScanBounds,
  revision: number,
): readonly ScanBounds[] {
  if (state.deletions.length === 0) return isEmptyRange(bounds) ? [] : [bounds];
  let parts = [bounds];
  for (const { main, lease, from, to } of state.deletions) {
    if (lease !== 0n || main > revision) continue;
    parts = parts.flatMap((part) => {
      if (!overlaps(part, { from, to })) return [part];
      const left = { ...part, to: from };
      const right = to === undefined ? [] : [{ ...part, from: to }];
      return part.reverse ? [...right, left] : [left, ...right];
    });
  }
  return parts.filter((part) => !isEmptyRange(part));
}

/** The last revision from one on that, with all in between, is whole: all of it is written. */
export function lastWhole({ deletions, revision }: StoreState, from: number): number {
  const pending = deletions.find(({ main }) => main >= from);
  return pending === undefined ? revision : pending.main - 1;
}
