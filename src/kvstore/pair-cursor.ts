/**
 * Ordered sources of pairs, and their merge: what a scan of a map made of layers walks over.
 *
 * A cursor stands on a pair or behind the last one. A layer that lies over another may hold a
 * deletion: a key without a value, which hides the key in the layers below.
 */

import type { ScanBounds, VisitPair } from '../../include/kvstore.ts';

/** A place in an ordered source. Close it, read to the end or not. */
export type PairCursor = {
  /** The key it stands on; undefined behind the last. */
  readonly key: Buffer | undefined;
  /** The value; undefined for a deletion. */
  readonly value: Buffer | undefined;
  /** Goes to the next pair in the cursor's direction. */
  readonly advance: () => void;
  readonly close: () => void;
};

/** Called for a key that was deleted, in its place; return false to stop. */
export type VisitDeleted = (key: Buffer) => boolean;

/** Every key there is, upwards. */
export const ALL_PAIRS: ScanBounds = Object.freeze({
  from: Buffer.alloc(0),
  to: undefined,
  reverse: false,
});

/** Bounds with no key between them: a scan of them visits nothing. */
export function isEmptyRange(bounds: ScanBounds): boolean {
  return bounds.to !== undefined && bounds.from.compare(bounds.to) >= 0;
}

/**
 * Visits the merge of cursors in order until a visit returns false, then closes them.
 *
 * @param cursors the topmost layer first: of one key in several layers, the first one's pair counts
 * @param visitDeleted called for keys whose first pair is a deletion
 */
export function mergePairs(
  cursors: readonly PairCursor[],
  isReverse: boolean,
  visit: VisitPair,
  visitDeleted: VisitDeleted = passOver,
): void {
  try {
    if (cursors.length === 1) visitOne(cursors[0]!, visit, visitDeleted);
    else visitMerged(cursors, isReverse, visit, visitDeleted);
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

function passOver(): boolean {
  return true;
}

function visitOne(cursor: PairCursor, visit: VisitPair, visitDeleted: VisitDeleted): void {
  for (let key = cursor.key; key !== undefined; key = cursor.key) {
    const value = cursor.value;
    if (!(value === undefined ? visitDeleted(key) : visit(key, value))) return;
    cursor.advance();
  }
}

function visitMerged(
  cursors: readonly PairCursor[],
  isReverse: boolean,
  visit: VisitPair,
  visitDeleted: VisitDeleted,
): void {
  for (;;) {
    let nearest: PairCursor | undefined;
    let key: Buffer | undefined;
    for (let slot = 0; slot < cursors.length; slot += 1) {
      const cursor = cursors[slot]!;
      if (cursor.key === undefined) continue;
      const order = key === undefined ? -1 : cursor.key.compare(key);
      if (key !== undefined && (isReverse ? order <= 0 : order >= 0)) continue;
      nearest = cursor;
      key = cursor.key;
    }
    if (nearest === undefined || key === undefined) return;
    const value = nearest.value;
    // Lower layers hold an older pair of the same key.
    for (let slot = 0; slot < cursors.length; slot += 1) {
      const cursor = cursors[slot]!;
      if (cursor === nearest || cursor.key?.equals(key)) cursor.advance();
    }
    if (!(value === undefined ? visitDeleted(key) : visit(key, value))) return;
  }
}
