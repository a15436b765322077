/**
 * How a request names keys: one key, a range, or everything from a key on (compare etcd's
 * range_end).
 */

import type { ScanBounds } from '../../include/kvstore.ts';

/** The part of a request that names keys. */
export type KeyRange = { readonly key: Buffer; readonly rangeEnd: Buffer };

/** Whether it names the single key `key`. */
export function isSingleKey(range: KeyRange): boolean {
  return range.rangeEnd.length === 0;
}

/** The bounds of a range that is not a single key, upwards. */
export function boundsOf({ key, rangeEnd }: KeyRange): ScanBounds {
  return { from: key, to: isZeroByte(rangeEnd) ? undefined : rangeEnd, reverse: false };
}

/** Whether two ranges may have a key in common. */
export function overlaps(a: Omit<ScanBounds, 'reverse'>, b: Omit<ScanBounds, 'reverse'>): boolean {
  const isBefore = a.to !== undefined && a.to.compare(b.from) <= 0;
  const isBehind = b.to !== undefined && a.from.compare(b.to) >= 0;
  return !isBefore && !isBehind;
}

/** Whether bounds hold every key there can be. */
export function coversAll({ from, to }: ScanBounds): boolean {
  return to === undefined && isZeroByte(from);
}

function isZeroByte(bytes: Buffer): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}
