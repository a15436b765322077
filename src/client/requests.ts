/** From what a user of the library says to what travels: keys as bytes, every field set. */

import type {
  Bytes,
  DeleteOptions,
  GetOptions,
  KeySpan,
  PutOptions,
  RangeOptions,
} from '../../include/client.ts';
import {
  type DeleteRangeRequest,
  FROM_KEY,
  NO_RANGE_END,
  type PutRequest,
  type RangeRequest,
  SortOrder,
  SortTarget,
} from '../../include/kvstore.ts';

/** The smallest key: with FROM_KEY it means every key. */
const FIRST_KEY: Buffer = Buffer.from([0]);

/** Shapes a put. */
export function putRequest(key: Bytes, value: Bytes, options: PutOptions): PutRequest {
  return {
    key: toBuffer(key),
    value: toBuffer(value),
    lease: options.lease ?? 0n,
    prevKv: options.prevKv ?? false,
    ignoreValue: options.ignoreValue ?? false,
    ignoreLease: options.ignoreLease ?? false,
  };
}

/** Shapes the read of one key. */
export function getRequest(key: Bytes, options: GetOptions): RangeRequest {
  return {
    key: toBuffer(key),
    rangeEnd: NO_RANGE_END,
    limit: 0,
    revision: options.revision ?? 0,
    sortOrder: SortOrder.None,
    sortTarget: SortTarget.Key,
    serializable: options.serializable ?? false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

/** Shapes a range. */
export function rangeRequest(key: Bytes, options: RangeOptions): RangeRequest {
  return {
    ...spanOf(key, options),
    limit: options.limit ?? 0,
    revision: options.revision ?? 0,
    sortOrder: options.sortOrder ?? SortOrder.None,
    sortTarget: options.sortTarget ?? SortTarget.Key,
    serializable: options.serializable ?? false,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: options.minModRevision ?? 0,
    maxModRevision: options.maxModRevision ?? 0,
    minCreateRevision: options.minCreateRevision ?? 0,
    maxCreateRevision: options.maxCreateRevision ?? 0,
  };
}

/** Shapes a deletion. */
export function deleteRequest(key: Bytes, options: DeleteOptions): DeleteRangeRequest {
  return { ...spanOf(key, options), prevKv: options.prevKv ?? false };
}

/**
 * The end of the range of keys that start with `prefix`: its last byte that is not 255, plus one.
 */
export function prefixEnd(prefix: Buffer): Buffer {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    if (prefix[at]! === 0xff) continue;
    const end = Buffer.from(prefix.subarray(0, at + 1));
    end[at]! += 1;
    return end;
  }
  return FROM_KEY; // no key is beyond
}

function spanOf(key: Bytes, span: KeySpan): { key: Buffer; rangeEnd: Buffer } {
  const start = toBuffer(key);
  if (span.rangeEnd !== undefined) return { key: start, rangeEnd: toBuffer(span.rangeEnd) };
  if (span.prefix !== true && span.fromKey !== true) return { key: start, rangeEnd: NO_RANGE_END };
  if (start.length === 0) return { key: FIRST_KEY, rangeEnd: FROM_KEY };
  return { key: start, rangeEnd: span.prefix === true ? prefixEnd(start) : FROM_KEY };
}

function toBuffer(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes);
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
