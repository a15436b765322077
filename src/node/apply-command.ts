/** What an entry of the log does to the store. Deterministic: the same on every member. */

import type { WriteResult } from '../../include/kvstore.ts';
import {
  type Command,
  ErrorCode,
  FrameType,
  type InternalCommand,
  type LoggedCommand,
} from '../../include/rpc.ts';
import type { Store } from '../kvstore/store.ts';
import { isFull, isGrowth } from './growth.ts';

/** What applying came to; of what a leader proposes on its own account only the revision. */
export type ApplyResult = WriteResult | ErrorCode;

/** Applies a command. A write of a session that was applied before gives its first result again. */
export function applyCommand(store: Store, command: LoggedCommand): ApplyResult {
  switch (command.type) {
    case FrameType.Once: {
      const { mark, command: inner } = command;
      return store.once(mark, () => applyWrite(store, inner));
    }
    case FrameType.Expire:
    case FrameType.LeaseCheckpoint:
    case FrameType.ClusterVersion:
    case FrameType.HashCheck:
      return applyInternal(store, command);
    default:
      return applyWrite(store, command);
  }
}

function applyWrite(store: Store, command: Command): ApplyResult {
  if (isFull(store) && isGrowth(command)) return ErrorCode.NoSpace;
  switch (command.type) {
    case FrameType.Put:
      return store.put(command.body);
    case FrameType.DeleteRange:
      return store.deleteRange(command.body);
    case FrameType.Txn:
      return store.txn(command.body);
    case FrameType.Compact:
      return store.compact(command.body);
    case FrameType.LeaseGrant:
      return store.leaseGrant(command.body);
    case FrameType.LeaseRevoke:
      return store.leaseRevoke(command.body);
    case FrameType.SessionOpen:
      return store.sessionOpen(command.body);
    case FrameType.AlarmSet:
      return store.setAlarm(command.body);
  }
}

function applyInternal(store: Store, command: InternalCommand): WriteResult {
  if (command.type === FrameType.Expire) store.expire(command.body);
  else if (command.type === FrameType.LeaseCheckpoint) store.leaseCheckpoint(command.body);
  else if (command.type === FrameType.ClusterVersion) {
    store.raiseClusterVersion(command.body.version);
  }
  return { revision: store.revision() };
}
