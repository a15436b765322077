/**
 * Visits the keys that there were as of a revision, in order and a slice at a time.
 *
 * The newest state is in Keys alone. An older one is in Keys and Tombstones together, each key's
 * chain walked back where its newest revision is too new. A key may go from one table to the other
 * between two slices, so each covers the same keys of both.
 */

import { type ScanBounds, Table } from '../../include/kvstore.ts';
import { asOf, type Candidate } from './candidate.ts';
import { isGone, visibleParts } from './live-keys.ts';
import { type Pace, type Steps, takeTurns } from './steps.ts';

/** Keys of either table that are looked at before the two are merged: few first, then more. */
const MERGED_KEYS_MIN = 16;
const MERGED_KEYS_MAX = 256;

/** Walking back a key's chain costs as much as visiting so many. */
const CHAIN_VISITS = 3;

const ZERO_BYTE = Buffer.alloc(1);

/** Takes a key; returns false when no more are wanted. */
export type TakeCandidate = (candidate: Candidate) => boolean;

/** A piece of one table. */
type Piece = {
  readonly candidates: Candidate[];
  /** The last key looked at, where it was cut. */
  readonly cut: Buffer | undefined;
};

/**
 * Visits the keys of bounds until `take` wants no more.
 * @returns whether the revision is not compacted
 */
export function* walkKeys(
  pace: Pace,
  bounds: ScanBounds,
  revision: number,
  take: TakeCandidate,
): Steps<boolean> {
  let rest: ScanBounds | undefined = bounds;
  while (rest !== undefined) {
    if (revision < pace.state().compactRevision) return false;
    rest = visitKeys(pace, rest, revision, take);
    yield* takeTurns(pace);
  }
  return true;
}

/**
 * Visits some keys of bounds, as many as the turn has left.
 * @returns what is left of the bounds; undefined when nothing is, or no more is wanted
 */
function visitKeys(
  pace: Pace,
  bounds: ScanBounds,
  revision: number,
  take: TakeCandidate,
): ScanBounds | undefined {
  const state = pace.state();
  const [part] = visibleParts(state, bounds, revision);
  if (part === undefined) return undefined;
  const isNewest = revision === state.revision || state.tombstoneCount === 0;
  let isWanted = true;
  const takeIfWanted = (candidate: Candidate): boolean => {
    isWanted = take(candidate);
    return isWanted;
  };
  const cut = isNewest
    ? visitLive(pace, part, revision, takeIfWanted)
    : visitMerged(pace, part, revision, takeIfWanted);
  if (!isWanted) return undefined;
  if (cut !== undefined) return behind(bounds, cut);
  // What lies between this part and the next one is hidden.
  if (bounds.reverse) return part.from === bounds.from ? undefined : { ...bounds, to: part.from };
  return part.to === undefined || part.to === bounds.to ? undefined : { ...bounds, from: part.to };
}

/** Bounds without what comes up to a key. */
function behind(bounds: ScanBounds, key: Buffer): ScanBounds {
  return bounds.reverse
    ? { ...bounds, to: key }
    : { ...bounds, from: Buffer.concat([key, ZERO_BYTE]) };
}

/** Visits Keys. Returns the last key looked at, if there may be more. */
function visitLive(
  pace: Pace,
  bounds: ScanBounds,
  revision: number,
  take: TakeCandidate,
): Buffer | undefined {
  const state = pace.state();
  let cut: Buffer | undefined;
  const goOn = (key: Buffer): boolean => {
    pace.visitsLeft -= 1;
    if (pace.visitsLeft <= 0) cut = key;
    return cut === undefined;
  };
  state.map.scan(
    Table.Keys,
    bounds,
    (key, record) => {
      const candidate = isGone(state, key, record, revision)
        ? undefined
        : asOf(state, key, record, false, revision);
      return (candidate === undefined || take(candidate)) && goOn(key);
    },
    goOn,
  );
  return cut;
}

/** Visits Keys and Tombstones. Returns the last key looked at, if there may be more. */
function visitMerged(
  pace: Pace,
  bounds: ScanBounds,
  revision: number,
  take: TakeCandidate,
): Buffer | undefined {
  let rest = bounds;
  for (let most = MERGED_KEYS_MIN; ; most = Math.min(2 * most, MERGED_KEYS_MAX)) {
    const keysMax = Math.min(most, pace.visitsLeft);
    const live = readPiece(pace, Table.Keys, rest, revision, keysMax);
    const same = live.cut === undefined ? rest : upTo(rest, live.cut);
    const deleted = readPiece(pace, Table.Tombstones, same, revision, keysMax);
    const cut = deleted.cut ?? live.cut;
    for (const candidate of mergeByKey(live.candidates, deleted.candidates, bounds.reverse)) {
      // Tombstones may have been cut before Keys: what lies between is looked at again.
      if (cut !== undefined && isBehind(candidate.key, cut, bounds)) break;
      if (!take(candidate)) return cut;
    }
    if (cut === undefined || pace.visitsLeft <= 0) return cut;
    rest = behind(bounds, cut);
  }
}

/** Looks at the first keys of a table. */
function readPiece(
  pace: Pace,
  table: typeof Table.Keys | typeof Table.Tombstones,
  bounds: ScanBounds,
  revision: number,
  keysMax: number,
): Piece {
  const state = pace.state();
  const candidates: Candidate[] = [];
  let cut: Buffer | undefined;
  let keys = 0;
  const goOn = (key: Buffer): boolean => {
    keys += 1;
    pace.visitsLeft -= 1;
    if (keys >= keysMax) cut = key;
    return cut === undefined;
  };
  const isDeleted = table === Table.Tombstones;
  state.map.scan(
    table,
    bounds,
    (key, record) => {
      if (isDeleted || !isGone(state, key, record, revision)) {
        const candidate = asOf(state, key, record, isDeleted, revision);
        if (candidate !== undefined) candidates.push(candidate);
        if (candidate?.keyRecord === undefined) pace.visitsLeft -= CHAIN_VISITS;
      }
      return goOn(key);
    },
    goOn,
  );
  return { candidates, cut };
}

/** Bounds of the keys up to one, itself included. */
function upTo(bounds: ScanBounds, key: Buffer): ScanBounds {
  return bounds.reverse
    ? { ...bounds, from: key }
    : { ...bounds, to: Buffer.concat([key, ZERO_BYTE]) };
}

function isBehind(key: Buffer, other: Buffer, { reverse }: ScanBounds): boolean {
  const order = key.compare(other);
  return reverse ? order < 0 : order > 0;
}

/** A key is live or deleted, never both: there are no ties. */
function mergeByKey(
  live: readonly Candidate[],
  deleted: readonly Candidate[],
  isReverse: boolean,
): readonly Candidate[] {
  if (deleted.length === 0) return live;
  const all = live.concat(deleted);
  return all.sort(isReverse ? (a, b) => b.key.compare(a.key) : (a, b) => a.key.compare(b.key));
}
