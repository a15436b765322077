/** Requests of etcd's KV as the node takes them. All of them throw RpcError, KvorumError. */

import { GrpcCode } from '../../../include/gateway.ts';
import {
  CompareResult,
  CompareTarget,
  type Compare as NodeCompare,
  type RangeRequest as NodeRangeRequest,
  type TxnRequest as NodeTxnRequest,
  OpKind,
  SortOrder,
  SortTarget,
  TXN_DEPTH_MAX,
  TXN_OPS_MAX,
  type TxnOp,
} from '../../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../../include/rpc.ts';
import { RpcError } from '../calls/call.ts';
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../schema/kv.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

const SORT_ORDERS: readonly SortOrder[] = Object.values(SortOrder);
const SORT_TARGETS: readonly SortTarget[] = Object.values(SortTarget);
const RESULTS: readonly CompareResult[] = Object.values(CompareResult);
const TARGETS: readonly CompareTarget[] = Object.values(CompareTarget);

/** A range. */
export function rangeRequest(request: RangeRequest): NodeRangeRequest {
  const sortOrder = SORT_ORDERS[request.sort_order];
  const sortTarget = SORT_TARGETS[request.sort_target];
  if (sortOrder === undefined || sortTarget === undefined) {
    throw new KvorumError(ErrorCode.InvalidSort);
  }
  return {
    key: request.key,
    rangeEnd: request.range_end,
    limit: request.limit,
    revision: request.revision,
    sortOrder,
    sortTarget,
    serializable: request.serializable,
    keysOnly: request.keys_only,
    countOnly: request.count_only,
    minModRevision: request.min_mod_revision,
    maxModRevision: request.max_mod_revision,
    minCreateRevision: request.min_create_revision,
    maxCreateRevision: request.max_create_revision,
    pageBytes: 0,
    uncounted: false,
  };
}

/** A put. */
export function putRequest(request: PutRequest) {
  return {
    key: request.key,
    value: request.value,
    lease: request.lease,
    prevKv: request.prev_kv,
    ignoreValue: request.ignore_value,
    ignoreLease: request.ignore_lease,
  };
}

/** A deletion. */
export function deleteRequest(request: DeleteRangeRequest) {
  return { key: request.key, rangeEnd: request.range_end, prevKv: request.prev_kv };
}

/**
 * A transaction.
 *
 * @param opsMax how many compares, and operations of either branch, it may have: what the one
 *   around it leaves over
 */
export function txnRequest(request: TxnRequest, opsMax = TXN_OPS_MAX, depth = 1): NodeTxnRequest {
  const { compare, success, failure } = request;
  const count = Math.max(compare.length, success.length, failure.length);
  if (count > opsMax || depth > TXN_DEPTH_MAX) throw new KvorumError(ErrorCode.TooManyOperations);
  const left = opsMax - count;
  return {
    compares: compare.map(compareOf),
    success: success.map((op) => operationOf(op, left, depth)),
    failure: failure.map((op) => operationOf(op, left, depth)),
  };
}

function operationOf(op: RequestOp, opsMax: number, depth: number): TxnOp {
  if (op.request_put !== undefined) {
    return { kind: OpKind.Put, request: putRequest(op.request_put) };
  }
  if (op.request_range !== undefined) {
    return { kind: OpKind.Range, request: rangeRequest(op.request_range) };
  }
  if (op.request_delete_range !== undefined) {
    return { kind: OpKind.DeleteRange, request: deleteRequest(op.request_delete_range) };
  }
  if (op.request_txn !== undefined) {
    return { kind: OpKind.Txn, request: txnRequest(op.request_txn, opsMax, depth + 1) };
  }
  // What etcd says of an operation that is none.
  throw new RpcError(GrpcCode.InvalidArgument, 'etcdserver: key not found');
}

/** A compare. A member of the union that is not its target's counts as zero. */
function compareOf(compare: Compare): NodeCompare {
  const result = RESULTS[compare.result];
  const target = TARGETS[compare.target];
  if (result === undefined || target === undefined) {
    throw new KvorumError(ErrorCode.InvalidCompare);
  }
  const isValue = target === CompareTarget.Value;
  const isLease = target === CompareTarget.Lease;
  return {
    key: compare.key,
    rangeEnd: compare.range_end,
    result,
    target,
    counter: counterOf(compare, target),
    value: isValue ? (compare.value ?? NO_BYTES) : NO_BYTES,
    lease: isLease ? (compare.lease ?? 0n) : 0n,
  };
}

function counterOf(compare: Compare, target: CompareTarget): number {
  switch (target) {
    case CompareTarget.Version:
      return compare.version ?? 0;
    case CompareTarget.Create:
      return compare.create_revision ?? 0;
    case CompareTarget.Mod:
      return compare.mod_revision ?? 0;
    default:
      return 0;
  }
}
