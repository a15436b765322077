/**
 * What can be said of a transaction without knowing the state. Both branches are checked, before
 * anything runs, in etcd's order: how many operations, the compares, the operations, keys written
 * twice, the size.
 */

import {
  type Compare,
  CompareResult,
  CompareTarget,
  OpKind,
  REQUEST_BYTES_MAX,
  TXN_DEPTH_MAX,
  TXN_OPS_MAX,
  TXN_PARTS_MAX,
  type TxnOp,
  type TxnRequest,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import {
  checkBounds,
  checkDeleteRange,
  checkPut,
  checkRange,
  REQUEST_OVERHEAD_BYTES,
} from './check-operation.ts';
import { writesTwice } from './duplicate-keys.ts';

/** Bytes counted for each compare and operation besides its key and value. */
const PART_OVERHEAD_BYTES = 16;

const RESULTS: ReadonlySet<number> = new Set(Object.values(CompareResult));
const TARGETS: ReadonlySet<number> = new Set(Object.values(CompareTarget));

/** What the transactions within each other add up to. */
type Totals = { parts: number; sizeBytes: number };

/** Why a transaction is refused, or 0. */
export function checkTxn(request: TxnRequest): ErrorCode | 0 {
  const totals: Totals = { parts: 0, sizeBytes: REQUEST_OVERHEAD_BYTES };
  const refusal = checkLevel(request, TXN_OPS_MAX, 1, totals);
  if (refusal !== 0) return refusal;
  if (writesTwice(request)) return ErrorCode.DuplicateKey;
  return totals.sizeBytes > REQUEST_BYTES_MAX ? ErrorCode.RequestTooLarge : 0;
}

/**
 * Checks a transaction and those in it.
 * @param opsMax most entries of each of its three lists
 * @param depth 1 for the outermost
 */
function checkLevel(
  request: TxnRequest,
  opsMax: number,
  depth: number,
  totals: Totals,
): ErrorCode | 0 {
  const { compares, success, failure } = request;
  const longest = Math.max(compares.length, success.length, failure.length);
  totals.parts += compares.length + success.length + failure.length;
  if (longest > opsMax || depth > TXN_DEPTH_MAX || totals.parts > TXN_PARTS_MAX) {
    return ErrorCode.TooManyOperations;
  }
  for (const compare of compares) {
    const refusal = checkCompare(compare);
    if (refusal !== 0) return refusal;
    const { key, rangeEnd, value } = compare;
    totals.sizeBytes += key.length + rangeEnd.length + value.length + PART_OVERHEAD_BYTES;
  }
  for (const ops of [success, failure]) {
    for (const op of ops) {
      const refusal = checkOp(op, opsMax - longest, depth, totals);
      if (refusal !== 0) return refusal;
    }
  }
  return 0;
}

/** @param opsMax what is left for the lists of a transaction in it */
function checkOp(op: TxnOp, opsMax: number, depth: number, totals: Totals): ErrorCode | 0 {
  totals.sizeBytes += PART_OVERHEAD_BYTES;
  switch (op.kind) {
    case OpKind.Range:
      totals.sizeBytes += op.request.key.length + op.request.rangeEnd.length;
      return checkRange(op.request);
    case OpKind.Put:
      totals.sizeBytes += op.request.key.length + op.request.value.length;
      return checkPut(op.request);
    case OpKind.DeleteRange:
      totals.sizeBytes += op.request.key.length + op.request.rangeEnd.length;
      return checkDeleteRange(op.request);
    case OpKind.Txn:
      return checkLevel(op.request, opsMax, depth + 1, totals);
  }
}

/** etcd takes an unknown target for equal, an unknown result for true. */
function checkCompare({ key, rangeEnd, target, result }: Compare): ErrorCode | 0 {
  const refusal = checkBounds(key, rangeEnd);
  if (refusal !== 0) return refusal;
  return TARGETS.has(target) && RESULTS.has(result) ? 0 : ErrorCode.InvalidCompare;
}
