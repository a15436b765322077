/** What can be said of a put, a range or a deletion, alone or in a transaction. */

import {
  type DeleteRangeRequest,
  KEY_BYTES_MAX,
  type PutRequest,
  type RangeRequest,
  REQUEST_BYTES_MAX,
  SortOrder,
  SortTarget,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';

/**
 * Bytes counted for a request besides its key and value: what etcd's envelope takes, rounded up.
 */
export const REQUEST_OVERHEAD_BYTES = 64;

/**
 * Bounds of a range may be one byte longer than any key: the last key of a page and a zero byte.
 */
const BOUND_BYTES_MAX = KEY_BYTES_MAX + 1;

const SORT_ORDERS: ReadonlySet<number> = new Set(Object.values(SortOrder));
const SORT_TARGETS: ReadonlySet<number> = new Set(Object.values(SortTarget));

/** Why a put is refused, or 0. */
export function checkPut(request: PutRequest): ErrorCode | 0 {
  const { key, value } = request;
  if (key.length === 0) return ErrorCode.KeyEmpty;
  if (request.ignoreValue && value.length > 0) return ErrorCode.ValueProvided;
  if (request.ignoreLease && request.lease !== 0n) return ErrorCode.LeaseProvided;
  if (key.length > KEY_BYTES_MAX) return ErrorCode.KeyTooLong;
  const sizeBytes = key.length + value.length + REQUEST_OVERHEAD_BYTES;
  return sizeBytes > REQUEST_BYTES_MAX ? ErrorCode.RequestTooLarge : 0;
}

/** Why a range is refused, or 0. */
export function checkRange(request: RangeRequest): ErrorCode | 0 {
  const refusal = checkBounds(request.key, request.rangeEnd);
  if (refusal !== 0) return refusal;
  const isSortKnown = SORT_ORDERS.has(request.sortOrder) && SORT_TARGETS.has(request.sortTarget);
  return isSortKnown ? 0 : ErrorCode.InvalidSort;
}

/** Why a deletion is refused, or 0. */
export function checkDeleteRange(request: DeleteRangeRequest): ErrorCode | 0 {
  return checkBounds(request.key, request.rangeEnd);
}

/** Why the bounds of a range are refused, or 0. */
export function checkBounds(key: Buffer, rangeEnd: Buffer): ErrorCode | 0 {
  if (key.length === 0) return ErrorCode.KeyEmpty;
  if (key.length > BOUND_BYTES_MAX) return ErrorCode.KeyTooLong;
  return rangeEnd.length > BOUND_BYTES_MAX ? ErrorCode.KeyTooLong : 0;
}
