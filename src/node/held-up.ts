/**
 * What must wait for a deletion under way (include/deletion.ts): whatever would write its keys.
 * Reads need not, nor do compares: the keys are gone for them already.
 */

import {
  DELETIONS_MAX,
  type Deletions,
  NO_RANGE_END,
  OpKind,
  type TxnOp,
  type TxnRequest,
} from '../../include/kvstore.ts';
import { type Command, FrameType, type LoggedCommand } from '../../include/rpc.ts';
import type { Store } from '../kvstore/store.ts';

/** Whether a command must not be applied yet, and nothing behind it either. */
export function isHeldUp(store: Store, logged: LoggedCommand): boolean {
  const { deletions } = store;
  if (deletions.count() === 0) return false;
  switch (logged.type) {
    case FrameType.Once:
      return !deletions.isAnswered(logged.mark) && isWriteHeldUp(store, logged.command);
    case FrameType.Expire:
      return (
        deletions.count() >= DELETIONS_MAX ||
        logged.body.leases.some(({ id }) => deletions.touchesLease(id))
      );
    case FrameType.LeaseCheckpoint:
    case FrameType.ClusterVersion:
    case FrameType.HashCheck:
      return false;
    default:
      return isWriteHeldUp(store, logged);
  }
}

function isWriteHeldUp({ deletions }: Store, command: Command): boolean {
  const isFull = deletions.count() >= DELETIONS_MAX;
  switch (command.type) {
    case FrameType.Put:
      return deletions.touches({ key: command.body.key, rangeEnd: NO_RANGE_END });
    case FrameType.DeleteRange:
      return isFull || deletions.touches(command.body);
    case FrameType.Txn:
      return isTxnHeldUp(deletions, command.body);
    case FrameType.LeaseGrant:
      return deletions.touchesLease(command.body.id);
    case FrameType.LeaseRevoke:
      return isFull || deletions.touchesLease(command.body.id);
    case FrameType.Compact:
    case FrameType.SessionOpen:
    case FrameType.AlarmSet:
      return false;
  }
}

/** Whichever branch it takes. */
function isTxnHeldUp(deletions: Deletions, { success, failure }: TxnRequest): boolean {
  return [...success, ...failure].some((op) => isOpHeldUp(deletions, op));
}

function isOpHeldUp(deletions: Deletions, op: TxnOp): boolean {
  switch (op.kind) {
    case OpKind.Range:
      return false;
    case OpKind.Put:
      return deletions.touches({ key: op.request.key, rangeEnd: NO_RANGE_END });
    case OpKind.DeleteRange:
      return deletions.touches(op.request);
    case OpKind.Txn:
      return isTxnHeldUp(deletions, op.request);
  }
}
