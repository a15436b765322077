/**
 * What nodes answer: one writer and one decoder for all of it. All are REPLY frames; the asker
 * knows by the frame's id what it asked. Byte tables: docs/PROTOCOL.md 6.
 *
 * Keys and values read are views of the frame: copy what is kept for long.
 */

import {
  type DeleteRangeReply,
  FrameType,
  type PutReply,
  type RangeReply,
  type Reply,
  type ReplyHeader,
  type TxnReply,
} from '../../include/rpc.ts';
import { putAlarms, readAlarmsReply } from './alarm-codec.ts';
import { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { putHashKvReply, readHashKvReply } from './hash-codec.ts';
import {
  putDeleteRangeResult,
  putPutResult,
  putRangeHead,
  putRangeResult,
  readDeleteRangeResult,
  readPutResult,
  readRangeResult,
} from './key-value-codec.ts';
import {
  putKeepAliveReply,
  putLeaseGrantReply,
  putLeaseListReply,
  putSessionOpenReply,
  putTimeToLiveReply,
  readKeepAliveReply,
  readLeaseGrantReply,
  readLeaseListReply,
  readSessionOpenReply,
  readTimeToLiveReply,
} from './lease-codec.ts';
import {
  putMemberChangeReply,
  putMemberListReply,
  readMemberChangeReply,
  readMemberListReply,
} from './member-codec.ts';
import { putMetricsReply, readMetricsReply } from './metrics-codec.ts';
import { putTotals, readSnapshotSaveReply } from './snapshot-codec.ts';
import { putStatus, readStatus } from './status-codec.ts';
import { putTxnResult, readTxnResult } from './txn-codec.ts';

const body = new BodyReader();

/** Writes any reply. @throws KvorumError ReplyTooLarge: nothing was written */
export function writeReply(writer: FrameWriter, id: number, reply: Reply): void {
  writer.begin(FrameType.Reply, id);
  if (reply.type === FrameType.Status) {
    putStatus(writer, reply.body);
  } else {
    putHeader(writer, reply.body);
    putBody(writer, reply);
  }
  writer.end();
}

/** Begins the reply to a range: its pairs follow, and the frame is not ended. */
export function beginRangeReply(writer: FrameWriter, id: number, reply: RangeReply): void {
  writer.begin(FrameType.Reply, id);
  putHeader(writer, reply);
  putRangeHead(writer, reply);
}

/**
 * Reads the reply to a request.
 *
 * @param type of the request; of a write in a session that of the write
 * @throws KvorumError FrameMalformed
 */
export function decodeReply<T extends Reply['type']>(
  type: T,
  buffer: Buffer,
  start: number,
  end: number,
): Extract<Reply, { type: T }> {
  body.open(buffer, start, end);
  const reply = readReply(type);
  body.close();
  return reply as Extract<Reply, { type: T }>;
}

function putHeader(writer: FrameWriter, header: ReplyHeader): void {
  writer.id64(header.clusterId);
  writer.node(header.nodeId);
  writer.u64(header.revision);
  writer.u64(header.term);
}

function readHeader(): ReplyHeader {
  const clusterId = body.id64('cluster id');
  const nodeId = body.node('node id');
  const revision = body.u64('revision');
  const term = body.u64('term');
  return { clusterId, nodeId, revision, term };
}

function putBody(
  writer: FrameWriter,
  reply: Exclude<Reply, { type: typeof FrameType.Status }>,
): void {
  switch (reply.type) {
    case FrameType.Put:
      return putPutResult(writer, reply.body);
    case FrameType.Range:
      return putRangeResult(writer, reply.body);
    case FrameType.DeleteRange:
      return putDeleteRangeResult(writer, reply.body);
    case FrameType.Txn:
      return putTxnResult(writer, reply.body);
    case FrameType.LeaseGrant:
      return putLeaseGrantReply(writer, reply.body);
    case FrameType.LeaseKeepAlive:
      return putKeepAliveReply(writer, reply.body);
    case FrameType.LeaseTimeToLive:
      return putTimeToLiveReply(writer, reply.body);
    case FrameType.LeaseList:
      return putLeaseListReply(writer, reply.body);
    case FrameType.SessionOpen:
      return putSessionOpenReply(writer, reply.body);
    case FrameType.SnapshotSave:
      return putTotals(writer, reply.body);
    case FrameType.MemberList:
      return putMemberListReply(writer, reply.body);
    case FrameType.MemberChange:
      return putMemberChangeReply(writer, reply.body);
    case FrameType.AlarmList:
    case FrameType.AlarmSet:
      return putAlarms(writer, reply.body.alarms);
    case FrameType.Metrics:
      return putMetricsReply(writer, reply.body);
    case FrameType.HashKv:
      return putHashKvReply(writer, reply.body);
    case FrameType.Compact:
    case FrameType.MoveLeader:
    case FrameType.LogLevel:
    case FrameType.LeaseRevoke:
    case FrameType.WatchCreate:
    case FrameType.WatchCancel:
    case FrameType.WatchProgress:
      return;
  }
}

function readReply(type: Reply['type']): Reply {
  switch (type) {
    case FrameType.Put:
      return { type, body: readPutReply() };
    case FrameType.Range:
      return { type, body: readRangeReply() };
    case FrameType.DeleteRange:
      return { type, body: readDeleteRangeReply() };
    case FrameType.Txn:
      return { type, body: readTxnReply() };
    case FrameType.Status:
      return { type, body: readStatus(body) };
    case FrameType.LeaseGrant:
      return { type, body: readLeaseGrantReply(body, readHeader()) };
    case FrameType.LeaseKeepAlive:
      return { type, body: readKeepAliveReply(body, readHeader()) };
    case FrameType.LeaseTimeToLive:
      return { type, body: readTimeToLiveReply(body, readHeader()) };
    case FrameType.LeaseList:
      return { type, body: readLeaseListReply(body, readHeader()) };
    case FrameType.SessionOpen:
      return { type, body: readSessionOpenReply(body, readHeader()) };
    case FrameType.SnapshotSave:
      return { type, body: readSnapshotSaveReply(body, readHeader()) };
    case FrameType.MemberList:
      return { type, body: readMemberListReply(body, readHeader()) };
    case FrameType.MemberChange:
      return { type, body: readMemberChangeReply(body, readHeader()) };
    case FrameType.AlarmList:
    case FrameType.AlarmSet:
      return { type, body: readAlarmsReply(body, readHeader()) };
    case FrameType.Metrics:
      return { type, body: readMetricsReply(body, readHeader()) };
    case FrameType.HashKv:
      return { type, body: readHashKvReply(body, readHeader()) };
    case FrameType.Compact:
    case FrameType.MoveLeader:
    case FrameType.LogLevel:
    case FrameType.LeaseRevoke:
    case FrameType.WatchCreate:
    case FrameType.WatchCancel:
    case FrameType.WatchProgress:
      return { type, body: readHeader() };
  }
}

// The frequent replies are made field by field: a spread costs ten times as much.

function readPutReply(): PutReply {
  const { clusterId, nodeId, revision, term } = readHeader();
  const { prevKv } = readPutResult(body, revision);
  return { clusterId, nodeId, revision, term, prevKv };
}

function readRangeReply(): RangeReply {
  const { clusterId, nodeId, revision, term } = readHeader();
  const { kvs, more, count } = readRangeResult(body, revision);
  return { clusterId, nodeId, revision, term, kvs, more, count };
}

function readDeleteRangeReply(): DeleteRangeReply {
  const { clusterId, nodeId, revision, term } = readHeader();
  const { deleted, prevKvs } = readDeleteRangeResult(body, revision);
  return { clusterId, nodeId, revision, term, deleted, prevKvs };
}

function readTxnReply(): TxnReply {
  const { clusterId, nodeId, revision, term } = readHeader();
  const { succeeded, results } = readTxnResult(body, revision);
  return { clusterId, nodeId, revision, term, succeeded, results };
}
