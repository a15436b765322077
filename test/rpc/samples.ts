/**
 * For tests: every frame type with a way to draw a value, write it and read it back. The round trip,
 * the cuts and the fuzzer walk this table; a frame type that is missing fails a test.
 */

import type {
  KeyValue,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
} from '../../include/kvstore.ts';
import {
  type Configuration,
  type Entry,
  type EntryType,
  type Message,
  MessageType,
  NO_ENTRIES,
  NO_NODE,
  type PeerStatus,
  type Role,
} from '../../include/node.ts';
import {
  type ConnectionRole,
  ERRORS,
  FrameType,
  KvorumError,
  PROTOCOL_VERSION,
  type ReplyHeader,
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

export function drawBytes(random: Random, most = 40): Buffer {
  const bytes = Buffer.alloc(random.below(most + 1));
  for (let offset = 0; offset < bytes.length; offset += 1) bytes[offset] = random.below(256);
  return bytes;
}

/** A counter, often at an edge of its halves. */
export function drawCounter(random: Random): number {
  const edges = [0, 1, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, Number.MAX_SAFE_INTEGER];
  const slot = random.below(edges.length * 2);
  return edges[slot] ?? random.below(0x20_0000) * 0x1_0000_0000 + random.below(0x1_0000_0000);
}

export function drawLease(random: Random): bigint {
  const edges = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)];
  const drawn = (BigInt(random.below(0x1_0000_0000)) << 20n) + BigInt(random.below(1 << 20));
  return edges[random.below(edges.length * 2)] ?? drawn;
}

const drawId64 = (random: Random): bigint => BigInt.asUintN(64, drawLease(random));
const drawNode = (random: Random): number => random.below(0xffff_ffff);
const drawNodeOrNone = (random: Random): number =>
  random.below(2) === 0 ? NO_NODE : drawNode(random);
const drawFlag = (random: Random): boolean => random.below(2) === 1;
const drawText = (random: Random): string => ['', 'a', '127.0.0.1', 'é€😀'][random.below(4)]!;

function drawIds(random: Random): number[] {
  const ids = new Set<number>();
  for (let count = random.below(5); count > 0; count -= 1) ids.add(drawNode(random));
  return [...ids].sort((a, b) => a - b);
}

function drawConfiguration(random: Random): Configuration {
  return { voters: drawIds(random), outgoing: drawIds(random), learners: drawIds(random) };
}

function drawPair(random: Random): KeyValue {
  return {
    key: drawBytes(random),
    value: drawBytes(random),
    createRevision: drawCounter(random),
    modRevision: drawCounter(random),
    version: drawCounter(random),
    lease: drawLease(random),
  };
}

const drawPairs = (random: Random): KeyValue[] =>
  Array.from({ length: random.below(4) }, () => drawPair(random));

export function drawPut(random: Random): PutRequest {
  return {
    key: drawBytes(random),
    value: drawBytes(random),
    lease: drawLease(random),
    prevKv: drawFlag(random),
    ignoreValue: drawFlag(random),
    ignoreLease: drawFlag(random),
  };
}

function drawRange(random: Random): RangeRequest {
  const hasBounds = drawFlag(random);
  const drawBound = (): number => (hasBounds ? drawCounter(random) : 0);
  return {
    key: drawBytes(random),
    rangeEnd: drawBytes(random),
    limit: drawCounter(random),
    revision: drawCounter(random),
    sortOrder: random.below(3) as SortOrder,
    sortTarget: random.below(5) as SortTarget,
    serializable: drawFlag(random),
    keysOnly: drawFlag(random),
    countOnly: drawFlag(random),
    minModRevision: drawBound(),
    maxModRevision: drawBound(),
    minCreateRevision: drawBound(),
    maxCreateRevision: drawBound(),
  };
}

function drawHeader(random: Random): ReplyHeader {
  return {
    clusterId: drawId64(random),
    nodeId: drawNode(random),
    revision: drawCounter(random),
    term: drawCounter(random),
  };
}

function drawPeer(random: Random): PeerStatus {
  return {
    id: drawNode(random),
    address: drawText(random),
    port: random.below(65_536),
    isOnline: drawFlag(random),
    isLearner: drawFlag(random),
    roundTripMicros: drawCounter(random),
  };
}

/** An Append or any other message; entries follow each other as in a log. */
export function drawMessage(random: Random, type: MessageType): Message {
  const index = random.below(1_000_000);
  const logTerm = random.below(1_000);
  const entries: Entry[] = [];
  let term = Math.max(logTerm, 1);
  for (let count = type === MessageType.Append ? random.below(5) : 0; count > 0; count -= 1) {
    term += random.below(3);
    entries.push({
      index: index + 1 + entries.length,
      term,
      type: random.below(3) as EntryType,
      data: drawBytes(random),
    });
  }
  return {
    type,
    from: drawNode(random),
    to: drawNode(random),
    term: term + random.below(3),
    index,
    logTerm,
    commit: drawCounter(random),
    context: drawCounter(random),
    reject: drawFlag(random),
    hint: drawCounter(random),
    entries: entries.length === 0 ? NO_ENTRIES : entries,
  };
}

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
