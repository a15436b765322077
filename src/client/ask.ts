/**
 * A request as a promise, and what its answer is: the reply of the request's own type. A link reads
 * an answer as that of the request it belongs to, so another type is a bug.
 */

import type { CallOptions } from '../../include/client.ts';
import type { KeyValue } from '../../include/kvstore.ts';
import {
  type AlarmsReply,
  type CompactReply,
  type DeleteRangeReply,
  FrameType,
  type HashKvReply,
  type LeaseGrantReply,
  type LeaseKeepAliveReply,
  type LeaseListReply,
  type LeaseRevokeReply,
  type LeaseTimeToLiveReply,
  type LogLevelReply,
  type MetricsReply,
  type MoveLeaderReply,
  type PutReply,
  type RangeReply,
  type Reply,
  type Request,
  type StatusReply,
  type TxnReply,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { parseEndpoint } from './endpoint.ts';
import type { Router } from './router.ts';

/**
 * Asks, as a promise; what `shape` throws rejects it.
 *
 * @param endpoint the one node to ask; any when left out
 */
export type Ask = <T>(
  how: CallOptions,
  shape: () => Request,
  pick: (reply: Reply) => T,
  endpoint?: string,
) => Promise<T>;

/** Makes the way to ask a router's nodes. */
export function createAsk(router: Router, requestTimeoutMs: number): Ask {
  return (how, shape, pick, endpoint) =>
    new Promise((resolve, reject) => {
      const only = endpoint === undefined ? undefined : parseEndpoint(endpoint);
      const timeoutMs = how.timeoutMs ?? requestTimeoutMs;
      router.start(shape(), only, timeoutMs, (reply) => resolve(pick(reply)), reject);
    });
}

export function pickPut(reply: Reply): PutReply {
  assert(reply.type === FrameType.Put, 'a put is answered by its own reply', reply.type);
  return reply.body;
}

export function pickRange(reply: Reply): RangeReply {
  assert(reply.type === FrameType.Range, 'a range is answered by its own reply', reply.type);
  return reply.body;
}

export function pickPair(reply: Reply): KeyValue | undefined {
  return pickRange(reply).kvs[0];
}

export function pickDelete(reply: Reply): DeleteRangeReply {
  const isOwn = reply.type === FrameType.DeleteRange;
  assert(isOwn, 'a deletion is answered by its own reply', reply.type);
  return reply.body;
}

export function pickTxn(reply: Reply): TxnReply {
  assert(reply.type === FrameType.Txn, 'a transaction is answered by its own reply', reply.type);
  return reply.body;
}

export function pickCompact(reply: Reply): CompactReply {
  const isOwn = reply.type === FrameType.Compact;
  assert(isOwn, 'a compaction is answered by its own reply', reply.type);
  return reply.body;
}

export function pickStatus(reply: Reply): StatusReply {
  assert(reply.type === FrameType.Status, 'a status is answered by its own reply', reply.type);
  return reply.body;
}

export function pickMetrics(reply: Reply): MetricsReply {
  assert(reply.type === FrameType.Metrics, 'metrics are answered by their own reply', reply.type);
  return reply.body;
}

export function pickLogLevel(reply: Reply): LogLevelReply {
  assert(reply.type === FrameType.LogLevel, 'a level is answered by its own reply', reply.type);
  return reply.body;
}

export function pickMoveLeader(reply: Reply): MoveLeaderReply {
  const isOwn = reply.type === FrameType.MoveLeader;
  assert(isOwn, 'a transfer is answered by its own reply', reply.type);
  return reply.body;
}

export function pickAlarms(reply: Reply): AlarmsReply {
  const isOwn = reply.type === FrameType.AlarmList || reply.type === FrameType.AlarmSet;
  assert(isOwn, 'alarms are answered by their own reply', reply.type);
  return reply.body;
}

export function pickHash(reply: Reply): HashKvReply {
  assert(reply.type === FrameType.HashKv, 'a hash is answered by its own reply', reply.type);
  return reply.body;
}

export function pickGrant(reply: Reply): LeaseGrantReply {
  const isOwn = reply.type === FrameType.LeaseGrant;
  assert(isOwn, 'a grant is answered by its own reply', reply.type);
  return reply.body;
}

export function pickRevoke(reply: Reply): LeaseRevokeReply {
  const isOwn = reply.type === FrameType.LeaseRevoke;
  assert(isOwn, 'a revocation is answered by its own reply', reply.type);
  return reply.body;
}

export function pickKeepAlive(reply: Reply): LeaseKeepAliveReply {
  const isOwn = reply.type === FrameType.LeaseKeepAlive;
  assert(isOwn, 'a renewal is answered by its own reply', reply.type);
  return reply.body;
}

export function pickTimeToLive(reply: Reply): LeaseTimeToLiveReply {
  const isOwn = reply.type === FrameType.LeaseTimeToLive;
  assert(isOwn, 'a time to live is answered by its own reply', reply.type);
  return reply.body;
}

export function pickLeases(reply: Reply): LeaseListReply {
  assert(reply.type === FrameType.LeaseList, 'a list is answered by its own reply', reply.type);
  return reply.body;
}
