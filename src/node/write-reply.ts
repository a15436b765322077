/** The reply to a write, from what applying it came to. */

import type { WriteResult } from '../../include/kvstore.ts';
import { type Command, FrameType, type Reply, type ReplyHeader } from '../../include/rpc.ts';

/**
 * Makes the reply to a write.
 *
 * @param head carries the result's revision
 * @returns undefined when the result is not one of such a command: a session used a number twice,
 *   for writes of two kinds
 */
export function writeReply(
  head: ReplyHeader,
  command: Command,
  result: WriteResult,
): Reply | undefined {
  const { clusterId, nodeId, revision, term } = head;
  const { type } = command;
  switch (type) {
    case FrameType.Put: {
      if (!('prevKv' in result)) return undefined;
      return { type, body: { clusterId, nodeId, revision, term, prevKv: result.prevKv } };
    }
    case FrameType.DeleteRange: {
      if (!('deleted' in result)) return undefined;
      const { deleted, prevKvs } = result;
      return { type, body: { ...head, deleted, prevKvs } };
    }
    case FrameType.Txn: {
      if (!('succeeded' in result)) return undefined;
      const { succeeded, results } = result;
      return { type, body: { clusterId, nodeId, revision, term, succeeded, results } };
    }
    case FrameType.LeaseGrant: {
      if (!('ttlSeconds' in result && 'id' in result)) return undefined;
      return { type, body: { ...head, id: result.id, ttlSeconds: result.ttlSeconds } };
    }
    case FrameType.SessionOpen: {
      if (!('session' in result)) return undefined;
      const { session, ttlSeconds } = result;
      return { type, body: { ...head, session, ttlSeconds } };
    }
    case FrameType.AlarmSet: {
      if (!('alarms' in result)) return undefined;
      return { type, body: { ...head, alarms: result.alarms } };
    }
    case FrameType.Compact:
    case FrameType.LeaseRevoke:
      return { type, body: head };
  }
}
