/**
 * How many keys a range has, at any revision.
 *
 * The newest count comes from LMDB without a look at the keys, 30 to 50 ns each, and that of
 * everything is known. So a range is counted as it is, part by part, maybe at another revision
 * each; then what changed since the revision asked for is put right. A page of a list at an old
 * revision thus visits what it answers and what changed, not every key there is.
 *
 *   parts      [a, f) as of 7    [f, p) as of 7    [p, z) as of 9
 *   changes    revisions 5 to 9 of a count as of 4: each key once, in the part it lies in
 *
 * Where too much changed, or a deletion under way is newer than the revision, keys are visited.
 */

import { type ScanBounds, Table } from '../../include/kvstore.ts';
import { asOf } from './candidate.ts';
import { encodeRevisionKey } from './key-record.ts';
import { countLive } from './live-keys.ts';
import { storedKey } from './revision-record.ts';
import { type Pace, type Steps, takeTurns } from './steps.ts';
import type { StoreState } from './store-state.ts';
import { walkKeys } from './visit-keys.ts';

/** Counting so many keys takes as long as visiting one. */
const COUNTS_PER_VISIT = 32;

/** Looking a changed key up costs about as much as visiting this many. */
const VISITS_PER_CHANGE = 20;

/** So few revisions are always worth looking through. */
const CHANGES_MIN = 16;

/** Bytes of revisions to look through at most: their values come along. */
const CHANGES_BYTES_MAX = 4 * 1024 * 1024;

/** A part of a range, counted at a moment. */
type Part = { readonly to: Buffer | undefined; readonly revision: number };

/**
 * Counts the keys in bounds as of a revision.
 * @returns undefined when the revision was compacted meanwhile
 */
export function* countKeys(
  pace: Pace,
  bounds: ScanBounds,
  revision: number,
): Steps<number | undefined> {
  const count = yield* countParts(pace, bounds, revision);
  if (count !== undefined) return count;
  let visited = 0;
  const take = (): boolean => {
    visited += 1;
    return true;
  };
  return (yield* walkKeys(pace, bounds, revision, take)) ? visited : undefined;
}

/** Counts without visiting keys; undefined when that is no use. */
function* countParts(pace: Pace, bounds: ScanBounds, revision: number): Steps<number | undefined> {
  const parts: Part[] = [];
  let count = 0;
  let from: Buffer | undefined = bounds.from;
  while (from !== undefined) {
    const state = pace.state();
    if (hasChangedMuch(state, revision)) return undefined;
    const left = { from, to: bounds.to, reverse: false };
    const part = countLive(state, left, COUNTS_PER_VISIT * pace.visitsLeft);
    count += part.count;
    from = part.rest;
    parts.push({ to: part.rest, revision: state.revision });
    pace.visitsLeft -= part.count / COUNTS_PER_VISIT;
    if (from !== undefined) pace.visitsLeft = 0;
    yield* takeTurns(pace);
  }
  const change = yield* countChanges(pace, bounds, revision, parts);
  return change === undefined ? undefined : count + change;
}

function hasChangedMuch(state: StoreState, revision: number): boolean {
  const changesMax = Math.max(CHANGES_MIN, state.keyCount / VISITS_PER_CHANGE);
  if (state.revision - revision > changesMax || revision < state.compactRevision) return true;
  // What it has removed and what not, nothing tells but the keys.
  return state.deletions.some(({ main }) => main > revision);
}

/**
 * By how much the parts of a range had more keys as of a revision than when they were counted.
 * @returns undefined when there is too much to look through
 */
function* countChanges(
  pace: Pace,
  bounds: ScanBounds,
  revision: number,
  parts: readonly Part[],
): Steps<number | undefined> {
  const to = encodeRevisionKey(parts.at(-1)!.revision + 1, 0);
  const looked = new Set<string>();
  let change = 0;
  let sizeBytes = 0;
  let from: Buffer | undefined = encodeRevisionKey(revision + 1, 0);
  while (from !== undefined) {
    const state = pace.state();
    if (revision < state.compactRevision || sizeBytes > CHANGES_BYTES_MAX) return undefined;
    const changes = readChanges(pace, from, to);
    for (const key of changes.keys) {
      const text = key.toString('latin1');
      const part = looked.has(text) ? undefined : partOf(key, bounds, parts);
      if (part === undefined) continue;
      looked.add(text);
      change += exists(state, key, revision) - exists(state, key, part.revision);
    }
    sizeBytes += changes.sizeBytes;
    from = changes.rest;
    yield* takeTurns(pace);
  }
  return change;
}

/** Keys that were changed. */
type Changes = {
  readonly keys: readonly Buffer[];
  readonly sizeBytes: number;
  /** The first revision not looked at; undefined when all were. */
  readonly rest: Buffer | undefined;
};

/** Reads what some revisions changed. */
function readChanges(pace: Pace, from: Buffer, to: Buffer): Changes {
  const keys: Buffer[] = [];
  let sizeBytes = 0;
  let rest: Buffer | undefined;
  pace.state().map.scan(Table.Revisions, { from, to, reverse: false }, (revisionKey, record) => {
    if (keys.length > 0 && (pace.visitsLeft <= 0 || sizeBytes > CHANGES_BYTES_MAX)) {
      rest = revisionKey;
      return false;
    }
    keys.push(storedKey(record));
    sizeBytes += record.length;
    pace.visitsLeft -= VISITS_PER_CHANGE;
    return true;
  });
  return { keys, sizeBytes, rest };
}

/** The part that a key lies in; undefined when it is out of bounds. */
function partOf(key: Buffer, bounds: ScanBounds, parts: readonly Part[]): Part | undefined {
  const isIn =
    key.compare(bounds.from) >= 0 && (bounds.to === undefined || key.compare(bounds.to) < 0);
  return isIn ? parts.find(({ to }) => to === undefined || key.compare(to) < 0) : undefined;
}

/** How many of one key there were as of a revision. */
function exists(state: StoreState, key: Buffer, revision: number): 0 | 1 {
  const live = state.map.get(Table.Keys, key);
  const chain = live ?? state.map.get(Table.Tombstones, key);
  if (chain === undefined) return 0;
  return asOf(state, key, chain, live === undefined, revision) === undefined ? 0 : 1;
}
