/**
 * How many keys a range has, at any revision. The newest count comes from LMDB without a look at
 * the keys; that of a revision not long ago from what changed since, so that a page of a list at an
 * old revision visits what it answers and what changed, not every key there is.
 */

import { type ScanBounds, Table } from '../../include/kvstore.ts';
import { asOf } from './candidate.ts';
import { coversAll } from './key-range.ts';
import { encodeRevisionKey } from './key-record.ts';
import { storedKey } from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** Looking a changed key up costs about as much as visiting this many. */
const VISITS_PER_CHANGE = 20;

/** So few revisions are always worth looking through. */
const CHANGES_MIN = 16;

/** Bytes of revisions to look through at most: their values come along. */
const CHANGES_BYTES_MAX = 4 * 1024 * 1024;

/** Counts the keys in bounds as of now. */
export function countNewest(state: StoreState, bounds: ScanBounds): number {
  return coversAll(bounds) ? state.keyCount : state.map.count(Table.Keys, bounds);
}

/** Counts the keys in bounds as of a revision. */
export function countAsOf(state: StoreState, bounds: ScanBounds, revision: number): number {
  if (revision === state.revision) return countNewest(state, bounds);
  const known = countSince(state, bounds, revision);
  if (known !== undefined) return known;
  let count = 0;
  const countTable = (table: Table, isDeleted: boolean): void => {
    state.map.scan(table, bounds, (key, record) => {
      if (asOf(state, key, record, isDeleted, revision) !== undefined) count += 1;
      return true;
    });
  };
  countTable(Table.Keys, false);
  if (state.tombstoneCount > 0) countTable(Table.Tombstones, true);
  return count;
}

/**
 * Counts the keys in bounds as of a revision, if little changed since.
 * @returns undefined when so much changed since that visiting the keys is cheaper
 */
export function countSince(
  state: StoreState,
  bounds: ScanBounds,
  revision: number,
): number | undefined {
  const changesMax = Math.max(CHANGES_MIN, state.keyCount / VISITS_PER_CHANGE);
  if (state.revision - revision > changesMax) return undefined;
  const changed = changedKeys(state, bounds, revision, changesMax);
  if (changed === undefined) return undefined;
  let count = countNewest(state, bounds);
  for (const key of changed.values()) {
    const live = state.map.get(Table.Keys, key);
    const chain = live ?? state.map.get(Table.Tombstones, key);
    if (live !== undefined) count -= 1;
    if (chain !== undefined && asOf(state, key, chain, live === undefined, revision)) count += 1;
  }
  return count;
}

/** The keys in bounds that changed after a revision; undefined when there are too many. */
function changedKeys(
  state: StoreState,
  bounds: ScanBounds,
  revision: number,
  changesMax: number,
): Map<string, Buffer> | undefined {
  const changed = new Map<string, Buffer>();
  const since = { from: encodeRevisionKey(revision + 1, 0), to: undefined, reverse: false };
  let visited = 0;
  let visitedBytes = 0;
  let isTooMuch = false;
  state.map.scan(Table.Revisions, since, (_key, record) => {
    visited += 1;
    visitedBytes += record.length;
    isTooMuch = visited > changesMax || visitedBytes > CHANGES_BYTES_MAX;
    const key = storedKey(record);
    const isIn =
      key.compare(bounds.from) >= 0 && (bounds.to === undefined || key.compare(bounds.to) < 0);
    if (isIn) changed.set(key.toString('latin1'), key);
    return !isTooMuch;
  });
  return isTooMuch ? undefined : changed;
}
