/**
 * From what a user of the library says to what travels: keys as bytes, every field set, every
 * number one that its field can hold. All shapers throw KvorumError FrameMalformed for one that is
 * not.
 */

import type {
  Bytes,
  CompactOptions,
  DeleteOptions,
  KeySpan,
  LeaseGrantOptions,
  PutOptions,
  RangeOptions,
  WatchOptions,
} from '../../include/client.ts';
import {
  type CompactRequest,
  type DeleteRangeRequest,
  FROM_KEY,
  type LeaseGrantRequest,
  NO_RANGE_END,
  type PutRequest,
  type RangeRequest,
  SortOrder,
  SortTarget,
  type WatchRequest,
} from '../../include/kvstore.ts';
import { NODE_ID_MAX, type NodeId } from '../../include/node.ts';
import { ErrorCode, KvorumError, type MoveLeaderRequest } from '../../include/rpc.ts';

/** The smallest key: with FROM_KEY it means every key. */
const FIRST_KEY: Buffer = Buffer.from([0]);

/** Shapes a put. */
export function putRequest(key: Bytes, value: Bytes, options: PutOptions): PutRequest {
  return {
    key: toBuffer(key),
    value: toBuffer(value),
    lease: leaseOf(options.lease),
    prevKv: options.prevKv ?? false,
    ignoreValue: options.ignoreValue ?? false,
    ignoreLease: options.ignoreLease ?? false,
  };
}

/** Shapes a range, or the read of one key. */
export function rangeRequest(key: Bytes, options: RangeOptions): RangeRequest {
  return {
    ...spanOf(key, options),
    limit: integer('limit', options.limit),
    revision: integer('revision', options.revision),
    sortOrder: options.sortOrder ?? SortOrder.None,
    sortTarget: options.sortTarget ?? SortTarget.Key,
    serializable: options.serializable ?? false,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: integer('minModRevision', options.minModRevision),
    maxModRevision: integer('maxModRevision', options.maxModRevision),
    minCreateRevision: integer('minCreateRevision', options.minCreateRevision),
    maxCreateRevision: integer('maxCreateRevision', options.maxCreateRevision),
    pageBytes: integer('pageBytes', options.pageBytes),
    uncounted: options.uncounted ?? false,
  };
}

/** Shapes a deletion. */
export function deleteRequest(key: Bytes, options: DeleteOptions): DeleteRangeRequest {
  return { ...spanOf(key, options), prevKv: options.prevKv ?? false };
}

/** Shapes a compaction. */
export function compactRequest(revision: number, options: CompactOptions): CompactRequest {
  return { revision: integer('revision', revision), physical: options.physical ?? false };
}

/** Shapes a watch. */
export function watchRequest(key: Bytes, options: WatchOptions): WatchRequest {
  return {
    ...spanOf(key, options),
    startRevision: integer('startRevision', options.startRevision),
    prevKv: options.prevKv ?? false,
    noPut: options.noPut ?? false,
    noDelete: options.noDelete ?? false,
    progressNotify: options.progressNotify ?? false,
  };
}

/** Shapes the asking for a lease. */
export function grantRequest(ttlSeconds: number, options: LeaseGrantOptions): LeaseGrantRequest {
  return { id: leaseOf(options.id), ttlSeconds: integer('ttlSeconds', ttlSeconds) };
}

/** Shapes a leader transfer. @throws KvorumError BadTransferee for what no node is called */
export function moveRequest(target: NodeId): MoveLeaderRequest {
  if (Number.isInteger(target) && target >= 0 && target <= NODE_ID_MAX) return { target };
  throw new KvorumError(ErrorCode.BadTransferee);
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

/** The keys that a span means, as a request says it. */
export function spanOf(key: Bytes, span: KeySpan): { key: Buffer; rangeEnd: Buffer } {
  const start = toBuffer(key);
  if (span.rangeEnd !== undefined) return { key: start, rangeEnd: toBuffer(span.rangeEnd) };
  if (span.prefix !== true && span.fromKey !== true) return { key: start, rangeEnd: NO_RANGE_END };
  if (start.length === 0) return { key: FIRST_KEY, rangeEnd: FROM_KEY };
  return { key: start, rangeEnd: span.prefix === true ? prefixEnd(start) : FROM_KEY };
}

/** Bytes as they travel: text becomes UTF-8, bytes are not copied. */
export function toBuffer(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes);
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A number as it was given, 0 when it was not. */
export function integer(name: string, value = 0): number {
  if (Number.isSafeInteger(value)) return value;
  throw new KvorumError(ErrorCode.FrameMalformed, `${name}: ${value} is no integer below 2^53`);
}

/** A lease id as it was given, 0n when it was not. */
export function leaseOf(lease = 0n): bigint {
  if (BigInt.asIntN(64, lease) === lease) return lease;
  throw new KvorumError(ErrorCode.FrameMalformed, `lease: ${lease} does not fit 64 bits`);
}
