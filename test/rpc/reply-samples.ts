/** For tests: the replies of a node, for the table of all frames (samples.ts). */

import { FrameType, type Reply } from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';
import { decodeReply, writeReply } from '../../src/rpc/reply-codec.ts';
import {
  drawConfiguration,
  drawCounter,
  drawHeader,
  drawLease,
  drawMany,
  drawNode,
} from './draw.ts';
import {
  drawAlarmsReply,
  drawDeleteRangeReply,
  drawHashKvReply,
  drawLeaseListReply,
  drawMetricsReply,
  drawPutReply,
  drawRangeReply,
  drawSnapshotSaveReply,
  drawStatusReply,
  drawTimeToLiveReply,
  drawTxnReply,
} from './draw-replies.ts';
import { type Sample, sample } from './sample.ts';

function reply<T extends Reply['type']>(
  name: string,
  type: T,
  draw: (random: Random) => Extract<Reply, { type: T }>['body'],
  isCutRefused = true,
): Sample<unknown> {
  return sample({
    name: `REPLY to ${name}`,
    type: FrameType.Reply,
    draw,
    write: (writer, id, body) => writeReply(writer, id, { type, body } as unknown as Reply),
    decode: (buffer, start, end) => decodeReply(type, buffer, start, end).body,
    isCutRefused,
  });
}

const drawTime = (random: Random) => ({
  ...drawHeader(random),
  id: drawLease(random),
  ttlSeconds: drawCounter(random),
});

const drawMembers = (random: Random) => ({
  ...drawHeader(random),
  configuration: drawConfiguration(random),
});

/** Every reply, by the request it is to. */
export const REPLY_SAMPLES: Sample<unknown>[] = [
  reply('PUT', FrameType.Put, drawPutReply),
  reply('RANGE', FrameType.Range, drawRangeReply),
  reply('DELETE_RANGE', FrameType.DeleteRange, drawDeleteRangeReply),
  reply('COMPACT', FrameType.Compact, drawHeader),
  reply('TXN', FrameType.Txn, drawTxnReply),
  reply('STATUS', FrameType.Status, drawStatusReply),
  reply('MOVE_LEADER', FrameType.MoveLeader, drawHeader),
  reply('LEASE_GRANT', FrameType.LeaseGrant, drawTime),
  reply('LEASE_REVOKE', FrameType.LeaseRevoke, drawHeader),
  reply('LEASE_KEEP_ALIVE', FrameType.LeaseKeepAlive, drawTime),
  reply('LEASE_TIME_TO_LIVE', FrameType.LeaseTimeToLive, drawTimeToLiveReply),
  reply('LEASE_LIST', FrameType.LeaseList, drawLeaseListReply),
  reply('ALARM_LIST', FrameType.AlarmList, drawAlarmsReply),
  reply('ALARM_SET', FrameType.AlarmSet, drawAlarmsReply),
  reply('HASH_KV', FrameType.HashKv, drawHashKvReply),
  reply('SESSION_OPEN', FrameType.SessionOpen, (random) => ({
    ...drawHeader(random),
    session: drawCounter(random),
    ttlSeconds: drawCounter(random),
  })),
  reply('SNAPSHOT_SAVE', FrameType.SnapshotSave, drawSnapshotSaveReply),
  reply('MEMBER_LIST', FrameType.MemberList, drawMembers, false),
  reply(
    'MEMBER_CHANGE',
    FrameType.MemberChange,
    (random) => ({ ...drawMembers(random), added: drawMany(random, drawNode) }),
    false,
  ),
  reply('METRICS', FrameType.Metrics, drawMetricsReply),
  reply('LOG_LEVEL', FrameType.LogLevel, drawHeader),
  reply('WATCH_CREATE', FrameType.WatchCreate, drawHeader),
  reply('WATCH_CANCEL', FrameType.WatchCancel, drawHeader),
  reply('WATCH_PROGRESS', FrameType.WatchProgress, drawHeader),
];
