/**
 * For tests: every frame type with a way to draw a value, write it and read it back. The round
 * trip, the cuts and the fuzzer walk this table; a frame type that is missing fails a test.
 */

import { MessageType, type Role } from '../../include/node.ts';
import {
  type ConnectionRole,
  ERRORS,
  FrameType,
  KvorumError,
  PROTOCOL_VERSION,
} from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';
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
import type { FrameWriter } from '../../src/rpc/frame-writer.ts';
import { decodeMessage, writeMessage } from '../../src/rpc/raft-codec.ts';
import { decodeReply, writeReply } from '../../src/rpc/reply-codec.ts';
import { decodeRequest, writeRequest } from '../../src/rpc/request-codec.ts';
import {
  decodeSnapshotBegin,
  decodeSnapshotEnd,
  writeSnapshotBegin,
  writeSnapshotChunk,
  writeSnapshotEnd,
} from '../../src/rpc/snapshot-codec.ts';
import {
  drawBytes,
  drawConfiguration,
  drawCounter,
  drawFlag,
  drawHeader,
  drawId64,
  drawMessage,
  drawNode,
  drawNodeOrNone,
  drawPair,
  drawPairs,
  drawPeer,
  drawPut,
  drawRange,
  drawText,
} from './draw.ts';

/** One kind of frame. */
export type Sample<T> = {
  readonly name: string;
  readonly type: number;
  readonly draw: (random: Random) => T;
  readonly write: (writer: FrameWriter, id: number, value: T) => void;
  readonly decode: (buffer: Buffer, start: number, end: number) => unknown;
  /** Whether any cut of the body is refused; false where the last field is all that is left. */
  readonly isCutRefused: boolean;
};

const sample = <T>(given: Sample<T>): Sample<unknown> => given as Sample<unknown>;

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

function request<T>(
  name: string,
  type: (typeof FrameType)['Put' | 'Range' | 'DeleteRange' | 'Compact' | 'MoveLeader'],
  isCutRefused: boolean,
  draw: (random: Random) => T,
): Sample<unknown> {
  return sample<T>({
    name,
    type,
    draw,
    write: (writer, id, body) => writeRequest(writer, id, { type, body } as never),
    decode: (buffer, start, end) =>
      (decodeRequest(type, buffer, start, end) as { body: unknown }).body,
    isCutRefused,
  });
}

const requests: Sample<unknown>[] = [
  request('PUT', FrameType.Put, false, drawPut),
  request('RANGE', FrameType.Range, false, drawRange),
  request('DELETE_RANGE', FrameType.DeleteRange, false, (random) => ({
    key: drawBytes(random),
    rangeEnd: drawBytes(random),
    prevKv: drawFlag(random),
  })),
  request('COMPACT', FrameType.Compact, true, (random) => ({
    revision: drawCounter(random),
    physical: drawFlag(random),
  })),
  request('MOVE_LEADER', FrameType.MoveLeader, true, (random) => ({ target: drawNode(random) })),
  sample({
    name: 'STATUS',
    type: FrameType.Status,
    draw: () => undefined,
    write: (writer, id) => writeRequest(writer, id, { type: FrameType.Status }),
    decode: (buffer, start, end) => {
      decodeRequest(FrameType.Status, buffer, start, end);
      return undefined;
    },
    isCutRefused: true,
  }),
];

function reply<T>(
  name: string,
  type: Parameters<typeof decodeReply>[0],
  draw: (random: Random) => T,
): Sample<unknown> {
  return sample<T>({
    name: `REPLY to ${name}`,
    type: FrameType.Reply,
    draw,
    write: (writer, id, body) => writeReply(writer, id, { type, body } as never),
    decode: (buffer, start, end) => decodeReply(type, buffer, start, end).body,
    isCutRefused: true,
  });
}

const replies: Sample<unknown>[] = [
  reply('PUT', FrameType.Put, (random) => ({
    ...drawHeader(random),
    prevKv: drawFlag(random) ? drawPair(random) : undefined,
  })),
  reply('RANGE', FrameType.Range, (random) => ({
    ...drawHeader(random),
    kvs: drawPairs(random),
    more: drawFlag(random),
    count: drawCounter(random),
  })),
  reply('DELETE_RANGE', FrameType.DeleteRange, (random) => ({
    ...drawHeader(random),
    deleted: drawCounter(random),
    prevKvs: drawPairs(random),
  })),
  reply('COMPACT', FrameType.Compact, drawHeader),
  reply('MOVE_LEADER', FrameType.MoveLeader, drawHeader),
  reply('STATUS', FrameType.Status, (random) => ({
    clusterId: drawId64(random),
    nodeId: drawNode(random),
    version: drawText(random),
    role: random.below(4) as Role,
    isLearner: drawFlag(random),
    leader: drawNodeOrNone(random),
    term: drawCounter(random),
    lastIndex: drawCounter(random),
    commitIndex: drawCounter(random),
    appliedIndex: drawCounter(random),
    revision: drawCounter(random),
    compactRevision: drawCounter(random),
    dbSizeBytes: drawCounter(random),
    dbSizeInUseBytes: drawCounter(random),
    peers: Array.from({ length: random.below(4) }, () => drawPeer(random)),
  })),
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
    isCutRefused: true,
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
    draw: (random) => ({ bytes: drawCounter(random), crc32: random.below(0x1_0000_0000) }),
    write: writeSnapshotEnd,
    decode: decodeSnapshotEnd,
    isCutRefused: true,
  }),
];

/** Every frame that can travel. */
export const SAMPLES: readonly Sample<unknown>[] = [
  ...connectionFrames,
  ...requests,
  ...replies,
  ...messages,
  ...snapshotFrames,
];
