/**
 * Requests about keys, and what they come to: the bodies of PUT, RANGE, DELETE_RANGE and COMPACT,
 * which a transaction carries too. Byte tables: docs/PROTOCOL.md 5 and 6.
 *
 * Everything read is a view of the frame.
 */

import type {
  CompactRequest,
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  SortOrder,
  SortTarget,
} from '../../include/kvstore.ts';
import type { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { putPair, putPairs, readPair, readPairs } from './pair-codec.ts';

const PUT_PREV_KV = 1;
const PUT_IGNORE_VALUE = 2;
const PUT_IGNORE_LEASE = 4;
const PUT_BITS = 7;

const RANGE_SERIALIZABLE = 1;
const RANGE_KEYS_ONLY = 2;
const RANGE_COUNT_ONLY = 4;
/** The four bounds follow. */
const RANGE_BOUNDS = 8;
/** The bytes of a page follow. */
const RANGE_PAGE = 16;
const RANGE_UNCOUNTED = 32;
const RANGE_BITS = 63;

const SORT_ORDER_MAX = 2;
const SORT_TARGET_MAX = 4;

// ---- requests ----

/** Puts the body of a PUT into the open frame. */
export function putPutRequest(writer: FrameWriter, put: PutRequest): void {
  const bits =
    (put.prevKv ? PUT_PREV_KV : 0) |
    (put.ignoreValue ? PUT_IGNORE_VALUE : 0) |
    (put.ignoreLease ? PUT_IGNORE_LEASE : 0);
  writer.u8(bits);
  writer.lease(put.lease);
  writer.sized(put.key);
  writer.bytes(put.value);
}

/** Reads the body of a PUT to its end. @throws KvorumError FrameMalformed */
export function readPutRequest(body: BodyReader): PutRequest {
  const bits = body.bits('flags', PUT_BITS);
  const lease = body.lease('lease');
  const key = body.sized('key');
  const value = body.rest();
  return {
    key,
    value,
    lease,
    prevKv: (bits & PUT_PREV_KV) !== 0,
    ignoreValue: (bits & PUT_IGNORE_VALUE) !== 0,
    ignoreLease: (bits & PUT_IGNORE_LEASE) !== 0,
  };
}

/**
 * Puts the body of a RANGE. A negative limit travels as 0, which means the same. Revisions keep
 * their sign: within a transaction a negative one is compacted, and no key is below a negative
 * bound.
 */
export function putRangeRequest(writer: FrameWriter, range: RangeRequest): void {
  const hasBounds =
    range.minModRevision !== 0 ||
    range.maxModRevision !== 0 ||
    range.minCreateRevision !== 0 ||
    range.maxCreateRevision !== 0;
  const bits =
    (range.serializable ? RANGE_SERIALIZABLE : 0) |
    (range.keysOnly ? RANGE_KEYS_ONLY : 0) |
    (range.countOnly ? RANGE_COUNT_ONLY : 0) |
    (hasBounds ? RANGE_BOUNDS : 0) |
    (range.pageBytes > 0 ? RANGE_PAGE : 0) |
    (range.uncounted ? RANGE_UNCOUNTED : 0);
  writer.u8(bits);
  writer.u8(range.sortOrder);
  writer.u8(range.sortTarget);
  writer.u64(Math.max(range.limit, 0));
  writer.i64(range.revision);
  if (hasBounds) {
    writer.i64(range.minModRevision);
    writer.i64(range.maxModRevision);
    writer.i64(range.minCreateRevision);
    writer.i64(range.maxCreateRevision);
  }
  if (range.pageBytes > 0) writer.u64(range.pageBytes);
  writer.sized(range.key);
  writer.bytes(range.rangeEnd);
}

/** Reads the body of a RANGE to its end. @throws KvorumError FrameMalformed */
export function readRangeRequest(body: BodyReader): RangeRequest {
  const bits = body.bits('flags', RANGE_BITS);
  const sortOrder = body.choice('sort order', SORT_ORDER_MAX) as SortOrder;
  const sortTarget = body.choice('sort target', SORT_TARGET_MAX) as SortTarget;
  const limit = body.u64('limit');
  const revision = body.i64('revision');
  const hasBounds = (bits & RANGE_BOUNDS) !== 0;
  const minModRevision = hasBounds ? body.i64('least mod revision') : 0;
  const maxModRevision = hasBounds ? body.i64('most mod revision') : 0;
  const minCreateRevision = hasBounds ? body.i64('least create revision') : 0;
  const maxCreateRevision = hasBounds ? body.i64('most create revision') : 0;
  const pageBytes = (bits & RANGE_PAGE) !== 0 ? body.u64('page bytes') : 0;
  const key = body.sized('key');
  const rangeEnd = body.rest();
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable: (bits & RANGE_SERIALIZABLE) !== 0,
    keysOnly: (bits & RANGE_KEYS_ONLY) !== 0,
    countOnly: (bits & RANGE_COUNT_ONLY) !== 0,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
    pageBytes,
    uncounted: (bits & RANGE_UNCOUNTED) !== 0,
  };
}

/** Puts the body of a DELETE_RANGE. */
export function putDeleteRangeRequest(writer: FrameWriter, deletion: DeleteRangeRequest): void {
  writer.flag(deletion.prevKv);
  writer.sized(deletion.key);
  writer.bytes(deletion.rangeEnd);
}

/** Reads the body of a DELETE_RANGE to its end. @throws KvorumError FrameMalformed */
export function readDeleteRangeRequest(body: BodyReader): DeleteRangeRequest {
  const prevKv = body.flag('previous pairs');
  const key = body.sized('key');
  const rangeEnd = body.rest();
  return { key, rangeEnd, prevKv };
}

/** Puts the body of a COMPACT. */
export function putCompactRequest(writer: FrameWriter, compact: CompactRequest): void {
  writer.flag(compact.physical);
  writer.i64(compact.revision);
}

/** Reads the body of a COMPACT. @throws KvorumError FrameMalformed */
export function readCompactRequest(body: BodyReader): CompactRequest {
  const physical = body.flag('physical');
  const revision = body.i64('revision');
  return { revision, physical };
}

// ---- results; their revision travels before them, in the head of a reply or of an operation ----

/** Puts what a put came to. */
export function putPutResult(writer: FrameWriter, result: Omit<PutResult, 'revision'>): void {
  writer.flag(result.prevKv !== undefined);
  if (result.prevKv !== undefined) putPair(writer, result.prevKv);
}

/** Reads what a put came to. @throws KvorumError FrameMalformed */
export function readPutResult(body: BodyReader, revision: number): PutResult {
  const prevKv = body.flag('has previous pair') ? readPair(body) : undefined;
  return { revision, prevKv };
}

/** Puts what a range came to. */
export function putRangeResult(writer: FrameWriter, result: Omit<RangeResult, 'revision'>): void {
  putRangeHead(writer, result);
  const { kvs } = result;
  for (let slot = 0; slot < kvs.length; slot += 1) putPair(writer, kvs[slot]!);
}

/** Puts all of it but the pairs, which follow. */
export function putRangeHead(writer: FrameWriter, result: Omit<RangeResult, 'revision'>): void {
  writer.flag(result.more);
  writer.u64(result.count);
  writer.u32(result.kvs.length);
}

/** Reads what a range came to. @throws KvorumError FrameMalformed */
export function readRangeResult(body: BodyReader, revision: number): RangeResult {
  const more = body.flag('more');
  const count = body.u64('count');
  const kvs = readPairs(body);
  return { revision, kvs, more, count };
}

/** Puts what a deletion came to. */
export function putDeleteRangeResult(
  writer: FrameWriter,
  result: Omit<DeleteRangeResult, 'revision'>,
): void {
  writer.u64(result.deleted);
  putPairs(writer, result.prevKvs);
}

/** Reads what a deletion came to. @throws KvorumError FrameMalformed */
export function readDeleteRangeResult(body: BodyReader, revision: number): DeleteRangeResult {
  const deleted = body.u64('deleted');
  const prevKvs = readPairs(body);
  return { revision, deleted, prevKvs };
}
