/**
 * What a full store refuses: whatever would make it grow (etcd: puts, transactions with one, grants
 * of leases). Decided as an entry is applied, so that it is the same on every member.
 */

import { AlarmKind, OpKind, type Store, type TxnRequest } from '../../include/kvstore.ts';
import { type Command, FrameType } from '../../include/rpc.ts';

/** Whether some member's store is full. */
export function isFull(store: Pick<Store, 'alarms'>): boolean {
  return store.alarms().some(({ kind }) => kind === AlarmKind.NoSpace);
}

/** Whether a write would make stores grow. */
export function isGrowth(command: Command): boolean {
  switch (command.type) {
    case FrameType.Put:
    case FrameType.LeaseGrant:
      return true;
    case FrameType.Txn:
      return hasPut(command.body);
    default:
      return false;
  }
}

/** Whichever branch it takes. */
function hasPut({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].some(
    (op) => op.kind === OpKind.Put || (op.kind === OpKind.Txn && hasPut(op.request)),
  );
}
