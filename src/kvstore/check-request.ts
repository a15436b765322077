/**
 * What can be said of a request without knowing the state: checked by the node before it proposes
 * or reads, so that the state machine never sees a request that could not be applied anywhere.
 *
 * Order and errors are etcd's: key, then flag conflicts, then size.
 */

import { LEASE_TTL_SECONDS_MAX, OpKind, type TxnRequest } from '../../include/kvstore.ts';
import { ErrorCode, FrameType, type Request } from '../../include/rpc.ts';
import { checkDeleteRange, checkPut, checkRange } from './check-operation.ts';
import { checkTxn } from './check-txn.ts';

/**
 * Checks a request.
 * @returns why it is refused, or 0
 */
export function checkRequest(request: Request): ErrorCode | 0 {
  switch (request.type) {
    case FrameType.Put:
      return checkPut(request.body);
    case FrameType.Range:
      return checkRange(request.body);
    case FrameType.DeleteRange:
      return checkDeleteRange(request.body);
    case FrameType.Txn:
      return checkTxn(request.body);
    case FrameType.LeaseGrant:
      return request.body.ttlSeconds > LEASE_TTL_SECONDS_MAX ? ErrorCode.LeaseTtlTooLarge : 0;
    case FrameType.Once:
      return checkRequest(request.command);
    default:
      return 0;
  }
}

/**
 * Whether a transaction only reads, whichever branches are taken: it has nothing but ranges, and
 * transactions that only read.
 */
export function isReadOnly(request: TxnRequest): boolean {
  for (const ops of [request.success, request.failure]) {
    for (const op of ops) {
      if (op.kind === OpKind.Put || op.kind === OpKind.DeleteRange) return false;
      if (op.kind === OpKind.Txn && !isReadOnly(op.request)) return false;
    }
  }
  return true;
}
