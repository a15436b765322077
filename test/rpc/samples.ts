/**
 * For tests: every frame type with a way to draw a value, write it and read it back. The round
 * trip, the cuts and the fuzzer walk this table; a frame type that is missing fails a test.
 */

import type { AlarmAction } from '../../include/kvstore.ts';
import { LOG_LEVELS } from '../../include/log.ts';
import { MessageType } from '../../include/node.ts';
import {
  type ConnectionRole,
  ERRORS,
  FrameType,
  type InternalCommand,
  KvorumError,
  PROTOCOL_VERSION,
  type Request,
} from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';
import { decodeCommand, encodeCommand } from '../../src/rpc/command-codec.ts';
import {
  decodeError,
  decodeHello,
  decodeRedirect,
  decodeStamp,
  writeError,
  writeHello,
  writePing,
  writePong,
  writeRedirect,
} from '../../src/rpc/connection-codec.ts';
import { decodeMessage, writeMessage } from '../../src/rpc/raft-codec.ts';
import { decodeReport, writeReport } from '../../src/rpc/report-codec.ts';
import { decodeRequest, writeRequest } from '../../src/rpc/request-codec.ts';
import {
  decodeSnapshotBegin,
  decodeSnapshotEnd,
  writeSnapshotBegin,
  writeSnapshotChunk,
  writeSnapshotEnd,
} from '../../src/rpc/snapshot-codec.ts';
import {
  decodeWatchCancelled,
  decodeWatchEvents,
  decodeWatchNote,
  writeWatchCancelled,
  writeWatchEvents,
  writeWatchNote,
} from '../../src/rpc/watch-codec.ts';
import {
  drawBytes,
  drawConfiguration,
  drawCounter,
  drawFlag,
  drawId64,
  drawLease,
  drawMany,
  drawMessage,
  drawNode,
  drawNodeOrNone,
  drawSigned,
} from './draw.ts';
import { drawAlarm, drawBatch, drawCancellation, drawHash, drawTotals } from './draw-replies.ts';
import {
  drawCheckpoint,
  drawCompact,
  drawDeleteRange,
  drawExpire,
  drawGrant,
  drawOnce,
  drawPut,
  drawRange,
  drawStep,
  drawTxn,
  drawWatchCreate,
} from './draw-requests.ts';
import { REPLY_SAMPLES } from './reply-samples.ts';
import { type Sample, sample } from './sample.ts';

const connectionFrames: Sample<unknown>[] = [
  sample({
    name: 'HELLO',
    type: FrameType.Hello,
    draw: (random) => ({
      version: PROTOCOL_VERSION,
      role: random.below(3) as ConnectionRole,
      clusterId: drawId64(random),
      nodeId: drawNodeOrNone(random),
      targetId: drawNodeOrNone(random),
    }),
    write: (writer, _id, hello) => writeHello(writer, hello),
    decode: decodeHello,
    isCutRefused: true,
  }),
  sample({
    name: 'ERROR',
    type: FrameType.Error,
    draw: (random) => {
      const codes = [...ERRORS.keys()];
      return new KvorumError(codes[random.below(codes.length)]!, `text ${random.below(9)}`);
    },
    write: (writer, id, error) => writeError(writer, id, error.code, error.message),
    decode: decodeError,
    isCutRefused: false,
  }),
  sample({
    name: 'REDIRECT',
    type: FrameType.Redirect,
    draw: (random) => ({
      leaderId: drawNode(random),
      address: `host-${random.below(9)}`,
      port: 1 + random.below(65_535),
    }),
    write: writeRedirect,
    decode: decodeRedirect,
    isCutRefused: true,
  }),
  sample({
    name: 'PING',
    type: FrameType.Ping,
    draw: drawCounter,
    write: (writer, _id, stamp) => writePing(writer, stamp),
    decode: decodeStamp,
    isCutRefused: true,
  }),
  sample({
    name: 'PONG',
    type: FrameType.Pong,
    draw: drawCounter,
    write: writePong,
    decode: decodeStamp,
    isCutRefused: true,
  }),
];

type RequestType = Request['type'];
type RequestOf<T extends RequestType> = Extract<Request, { type: T }>;
type BodyOf<T extends RequestType> = RequestOf<T> extends { body: infer B } ? B : undefined;

/** A request by its body; one without a body is undefined. */
function request<T extends RequestType>(
  name: string,
  type: T,
  draw: (random: Random) => BodyOf<T>,
  isCutRefused = true,
): Sample<unknown> {
  return sample<BodyOf<T>>({
    name,
    type,
    draw,
    write: (writer, id, body) => {
      const asked = body === undefined ? { type } : { type, body };
      writeRequest(writer, id, asked as unknown as Request);
    },
    decode: (buffer, start, end) => {
      const read = decodeRequest(type, buffer, start, end);
      return 'body' in read ? read.body : undefined;
    },
    isCutRefused,
  });
}

const nothing = (): undefined => undefined;
const drawLeaseId = (random: Random) => ({ id: drawLease(random) });

const requests: Sample<unknown>[] = [
  request('PUT', FrameType.Put, drawPut, false),
  request('RANGE', FrameType.Range, drawRange, false),
  request('DELETE_RANGE', FrameType.DeleteRange, drawDeleteRange, false),
  request('COMPACT', FrameType.Compact, drawCompact),
  request('TXN', FrameType.Txn, drawTxn),
  request('STATUS', FrameType.Status, nothing),
  request('MOVE_LEADER', FrameType.MoveLeader, (random) => ({ target: drawNode(random) })),
  request('LEASE_GRANT', FrameType.LeaseGrant, drawGrant),
  request('LEASE_REVOKE', FrameType.LeaseRevoke, drawLeaseId),
  request('LEASE_KEEP_ALIVE', FrameType.LeaseKeepAlive, drawLeaseId),
  request('LEASE_TIME_TO_LIVE', FrameType.LeaseTimeToLive, (random) => ({
    id: drawLease(random),
    keys: drawFlag(random),
  })),
  request('LEASE_LIST', FrameType.LeaseList, nothing),
  request('ALARM_LIST', FrameType.AlarmList, nothing),
  request('ALARM_SET', FrameType.AlarmSet, (random) => ({
    action: (1 + random.below(2)) as AlarmAction,
    ...drawAlarm(random),
  })),
  request('SNAPSHOT_SAVE', FrameType.SnapshotSave, nothing),
  request('HASH_KV', FrameType.HashKv, (random) => ({ revision: drawSigned(random) })),
  request('MEMBER_LIST', FrameType.MemberList, (random) => ({ serializable: drawFlag(random) })),
  request('MEMBER_CHANGE', FrameType.MemberChange, (random) => ({
    force: drawFlag(random),
    steps: [drawStep(random), ...drawMany(random, drawStep)],
  })),
  request('SESSION_OPEN', FrameType.SessionOpen, (random) => ({ ttlSeconds: drawCounter(random) })),
  request('METRICS', FrameType.Metrics, nothing),
  request('LOG_LEVEL', FrameType.LogLevel, (random) => ({ level: LOG_LEVELS[random.below(4)]! })),
  request('WATCH_CREATE', FrameType.WatchCreate, drawWatchCreate, false),
  request('WATCH_CANCEL', FrameType.WatchCancel, (random) => ({
    watchId: 1 + random.below(0xffff_ffff),
  })),
  request('WATCH_PROGRESS', FrameType.WatchProgress, nothing),
  sample({
    name: 'ONCE',
    type: FrameType.Once,
    draw: drawOnce,
    write: writeRequest,
    decode: (buffer, start, end) => decodeRequest(FrameType.Once, buffer, start, end),
    isCutRefused: false,
  }),
];

type LoggedBody = Extract<InternalCommand, { body: object }>['body'] | undefined;

/** What only the log holds, shown in a frame as everything else is. */
function logged(
  name: string,
  type: InternalCommand['type'],
  draw: (random: Random) => LoggedBody,
): Sample<unknown> {
  return sample<LoggedBody>({
    name,
    type,
    draw,
    write: (writer, id, body) => {
      const data = encodeCommand({ type, body } as InternalCommand);
      writer.begin(data[0]!, id);
      writer.bytes(data.subarray(1));
      writer.end();
    },
    decode: (buffer, start, end) => {
      const data = Buffer.concat([Buffer.from([type]), buffer.subarray(start, end)]);
      const command = decodeCommand(data);
      return 'body' in command ? command.body : undefined;
    },
    isCutRefused: true,
  });
}

const proposals: Sample<unknown>[] = [
  logged('EXPIRE', FrameType.Expire, drawExpire),
  logged('LEASE_CHECKPOINT', FrameType.LeaseCheckpoint, drawCheckpoint),
  logged('CLUSTER_VERSION', FrameType.ClusterVersion, (random) => ({
    version: random.below(0x1_0000),
  })),
  logged('HASH_CHECK', FrameType.HashCheck, nothing),
];

const watchFrames: Sample<unknown>[] = [
  sample({
    name: 'WATCH_EVENTS',
    type: FrameType.WatchEvents,
    draw: drawBatch,
    write: writeWatchEvents,
    decode: decodeWatchEvents,
    isCutRefused: true,
  }),
  sample({
    name: 'WATCH_NOTE',
    type: FrameType.WatchNote,
    draw: drawCounter,
    write: writeWatchNote,
    decode: decodeWatchNote,
    isCutRefused: true,
  }),
  sample({
    name: 'WATCH_CANCELLED',
    type: FrameType.WatchCancelled,
    draw: drawCancellation,
    write: writeWatchCancelled,
    decode: decodeWatchCancelled,
    isCutRefused: true,
  }),
];

const messages: Sample<unknown>[] = Object.entries(MessageType)
  .filter(([, type]) => type !== MessageType.Snapshot)
  .map(([name, type]) =>
    sample({
      name,
      type,
      draw: (random) => drawMessage(random, type),
      write: (writer, _id, message) => writeMessage(writer, message),
      decode: (buffer, start, end) => decodeMessage(type, buffer, start, end),
      isCutRefused: true,
    }),
  );

const reports: Sample<unknown>[] = [
  sample({
    name: 'HASH_REPORT',
    type: FrameType.HashReport,
    draw: (random) => ({ index: drawCounter(random), ...drawHash(random) }),
    write: (writer, _id, body) => writeReport(writer, { type: FrameType.HashReport, body }),
    decode: (buffer, start, end) => decodeReport(FrameType.HashReport, buffer, start, end).body,
    isCutRefused: true,
  }),
];

const snapshotFrames: Sample<unknown>[] = [
  sample({
    name: 'SNAPSHOT_BEGIN',
    type: FrameType.SnapshotBegin,
    draw: (random) => ({
      index: drawCounter(random),
      term: drawCounter(random),
      configuration: drawConfiguration(random),
    }),
    write: writeSnapshotBegin,
    decode: decodeSnapshotBegin,
    isCutRefused: false,
  }),
  sample({
    name: 'SNAPSHOT_CHUNK',
    type: FrameType.SnapshotChunk,
    draw: (random) => drawBytes(random),
    write: writeSnapshotChunk,
    decode: (buffer, start, end) => Buffer.from(buffer.subarray(start, end)),
    isCutRefused: false,
  }),
  sample({
    name: 'SNAPSHOT_END',
    type: FrameType.SnapshotEnd,
    draw: drawTotals,
    write: writeSnapshotEnd,
    decode: decodeSnapshotEnd,
    isCutRefused: true,
  }),
];

/** Every frame, and what the log holds besides. */
export const SAMPLES: readonly Sample<unknown>[] = [
  ...connectionFrames,
  ...requests,
  ...proposals,
  ...REPLY_SAMPLES,
  ...watchFrames,
  ...messages,
  ...reports,
  ...snapshotFrames,
];
