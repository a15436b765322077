/**
 * What nodes answer: one writer and one decoder a reply. All are REPLY frames; the asker knows by
 * the frame's id what it asked. Byte tables: docs/PROTOCOL.md 6.
 *
 * Decoded keys and values are views of the frame: copy what is kept for long.
 */

import type { KeyValue } from '../../include/kvstore.ts';
import type { NodeStatus, PeerStatus, Role } from '../../include/node.ts';
import {
  type CompactReply,
  type DeleteRangeReply,
  FrameType,
  type MoveLeaderReply,
  type PutReply,
  type RangeReply,
  type Reply,
  type ReplyHeader,
  type StatusReply,
} from '../../include/rpc.ts';
import { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const body = new BodyReader();

/** Bytes of a pair besides key and value: four counters, two lengths. */
const PAIR_BYTES_MIN = 40;

/** Bytes of a peer in a status besides its address: id, flags, port, round trip, length. */
const PEER_BYTES_MIN = 17;

const ROLE_MAX = 3;
const PEER_ONLINE = 1;
const PEER_LEARNER = 2;
const PEER_BITS = 3;

const NO_PAIRS: readonly KeyValue[] = Object.freeze([]);

/** Writes any reply. @throws KvorumError ReplyTooLarge: nothing was written */
export function writeReply(writer: FrameWriter, id: number, reply: Reply): void {
  switch (reply.type) {
    case FrameType.Put:
      writePutReply(writer, id, reply.body);
      break;
    case FrameType.Range:
      writeRangeReply(writer, id, reply.body);
      break;
    case FrameType.DeleteRange:
      writeDeleteRangeReply(writer, id, reply.body);
      break;
    case FrameType.Compact:
      writeCompactReply(writer, id, reply.body);
      break;
    case FrameType.Status:
      writeStatusReply(writer, id, reply.body);
      break;
    case FrameType.MoveLeader:
      writeMoveLeaderReply(writer, id, reply.body);
      break;
  }
}

/**
 * Reads the reply to a request.
 *
 * @param type of the request
 * @throws KvorumError FrameMalformed
 */
export function decodeReply(
  type: Reply['type'],
  buffer: Buffer,
  start: number,
  end: number,
): Reply {
  switch (type) {
    case FrameType.Put:
      return { type, body: decodePutReply(buffer, start, end) };
    case FrameType.Range:
      return { type, body: decodeRangeReply(buffer, start, end) };
    case FrameType.DeleteRange:
      return { type, body: decodeDeleteRangeReply(buffer, start, end) };
    case FrameType.Compact:
      return { type, body: decodeCompactReply(buffer, start, end) };
    case FrameType.Status:
      return { type, body: decodeStatusReply(buffer, start, end) };
    case FrameType.MoveLeader:
      return { type, body: decodeMoveLeaderReply(buffer, start, end) };
  }
}

/** Writes the reply to a put. */
export function writePutReply(writer: FrameWriter, id: number, reply: PutReply): void {
  beginReply(writer, id, reply);
  writer.flag(reply.prevKv !== undefined);
  if (reply.prevKv !== undefined) writePair(writer, reply.prevKv);
  writer.end();
}

/** Reads the reply to a put. @throws KvorumError FrameMalformed */
export function decodePutReply(buffer: Buffer, start: number, end: number): PutReply {
  body.open(buffer, start, end);
  const clusterId = body.id64('cluster id');
  const nodeId = body.node('node id');
  const revision = body.u64('revision');
  const term = body.u64('term');
  const prevKv = body.flag('has previous pair') ? decodePair() : undefined;
  body.close();
  return { clusterId, nodeId, revision, term, prevKv };
}

/** Writes the reply to a range. @throws KvorumError ReplyTooLarge: nothing was written */
export function writeRangeReply(writer: FrameWriter, id: number, reply: RangeReply): void {
  beginReply(writer, id, reply);
  writer.flag(reply.more);
  writer.u64(reply.count);
  writePairs(writer, reply.kvs);
  writer.end();
}

/** Reads the reply to a range. @throws KvorumError FrameMalformed */
export function decodeRangeReply(buffer: Buffer, start: number, end: number): RangeReply {
  body.open(buffer, start, end);
  const clusterId = body.id64('cluster id');
  const nodeId = body.node('node id');
  const revision = body.u64('revision');
  const term = body.u64('term');
  const more = body.flag('more');
  const count = body.u64('count');
  const kvs = decodePairs();
  body.close();
  return { clusterId, nodeId, revision, term, kvs, more, count };
}

/** Writes the reply to a deletion. @throws KvorumError ReplyTooLarge: nothing was written */
export function writeDeleteRangeReply(
  writer: FrameWriter,
  id: number,
  reply: DeleteRangeReply,
): void {
  beginReply(writer, id, reply);
  writer.u64(reply.deleted);
  writePairs(writer, reply.prevKvs);
  writer.end();
}

/** Reads the reply to a deletion. @throws KvorumError FrameMalformed */
export function decodeDeleteRangeReply(
  buffer: Buffer,
  start: number,
  end: number,
): DeleteRangeReply {
  body.open(buffer, start, end);
  const header = decodeHeader();
  const deleted = body.u64('deleted');
  const prevKvs = decodePairs();
  body.close();
  return { ...header, deleted, prevKvs };
}

/** Writes the reply to a compaction. */
export function writeCompactReply(writer: FrameWriter, id: number, reply: CompactReply): void {
  beginReply(writer, id, reply);
  writer.end();
}

/** Reads the reply to a compaction. @throws KvorumError FrameMalformed */
export function decodeCompactReply(buffer: Buffer, start: number, end: number): CompactReply {
  return decodeHeaderOnly(buffer, start, end);
}

/** Writes the reply to a leader transfer. */
export function writeMoveLeaderReply(
  writer: FrameWriter,
  id: number,
  reply: MoveLeaderReply,
): void {
  beginReply(writer, id, reply);
  writer.end();
}

/** Reads the reply to a leader transfer. @throws KvorumError FrameMalformed */
export function decodeMoveLeaderReply(buffer: Buffer, start: number, end: number): MoveLeaderReply {
  return decodeHeaderOnly(buffer, start, end);
}

/** Writes the reply to a status request. */
export function writeStatusReply(writer: FrameWriter, id: number, status: StatusReply): void {
  writer.begin(FrameType.Reply, id);
  writer.id64(status.clusterId);
  writer.node(status.nodeId);
  writer.text(status.version);
  writer.u8(status.role);
  writer.flag(status.isLearner);
  writer.node(status.leader);
  writer.u64(status.term);
  writer.u64(status.lastIndex);
  writer.u64(status.commitIndex);
  writer.u64(status.appliedIndex);
  writer.u64(status.revision);
  writer.u64(status.compactRevision);
  writer.u64(status.dbSizeBytes);
  writer.u64(status.dbSizeInUseBytes);
  writer.u32(status.peers.length);
  for (const peer of status.peers) writePeer(writer, peer);
  writer.end();
}

/** Reads the reply to a status request. @throws KvorumError FrameMalformed */
export function decodeStatusReply(buffer: Buffer, start: number, end: number): NodeStatus {
  body.open(buffer, start, end);
  const status = {
    clusterId: body.id64('cluster id'),
    nodeId: body.node('node id'),
    version: body.text('version'),
    role: body.choice('role', ROLE_MAX) as Role,
    isLearner: body.flag('is learner'),
    leader: body.nodeOrNone('leader'),
    term: body.u64('term'),
    lastIndex: body.u64('last index'),
    commitIndex: body.u64('commit index'),
    appliedIndex: body.u64('applied index'),
    revision: body.u64('revision'),
    compactRevision: body.u64('compact revision'),
    dbSizeBytes: body.u64('database size'),
    dbSizeInUseBytes: body.u64('database size in use'),
    peers: decodePeers(),
  };
  body.close();
  return status;
}

function beginReply(writer: FrameWriter, id: number, header: ReplyHeader): void {
  writer.begin(FrameType.Reply, id);
  writer.id64(header.clusterId);
  writer.node(header.nodeId);
  writer.u64(header.revision);
  writer.u64(header.term);
}

function decodeHeader(): ReplyHeader {
  const clusterId = body.id64('cluster id');
  const nodeId = body.node('node id');
  const revision = body.u64('revision');
  const term = body.u64('term');
  return { clusterId, nodeId, revision, term };
}

function decodeHeaderOnly(buffer: Buffer, start: number, end: number): ReplyHeader {
  body.open(buffer, start, end);
  const header = decodeHeader();
  body.close();
  return header;
}

function writePairs(writer: FrameWriter, pairs: readonly KeyValue[]): void {
  writer.u32(pairs.length);
  for (let slot = 0; slot < pairs.length; slot += 1) writePair(writer, pairs[slot]!);
}

function decodePairs(): readonly KeyValue[] {
  const count = body.count('pairs', PAIR_BYTES_MIN);
  if (count === 0) return NO_PAIRS;
  const pairs: KeyValue[] = [];
  for (let slot = 0; slot < count; slot += 1) pairs.push(decodePair());
  return pairs;
}

function writePair(writer: FrameWriter, pair: KeyValue): void {
  writer.u64(pair.createRevision);
  writer.u64(pair.modRevision);
  writer.u64(pair.version);
  writer.lease(pair.lease);
  writer.u32(pair.key.length);
  writer.u32(pair.value.length);
  writer.bytes(pair.key);
  writer.bytes(pair.value);
}

function decodePair(): KeyValue {
  const createRevision = body.u64('create revision');
  const modRevision = body.u64('mod revision');
  const version = body.u64('version');
  const lease = body.lease('lease');
  const keyBytes = body.u32('key length');
  const valueBytes = body.u32('value length');
  const key = body.bytes('key', keyBytes);
  const value = body.bytes('value', valueBytes);
  return { key, value, createRevision, modRevision, version, lease };
}

function writePeer(writer: FrameWriter, peer: PeerStatus): void {
  writer.node(peer.id);
  writer.u8((peer.isOnline ? PEER_ONLINE : 0) | (peer.isLearner ? PEER_LEARNER : 0));
  writer.u16(peer.port);
  writer.u64(Math.round(peer.roundTripMicros));
  writer.text(peer.address);
}

function decodePeers(): readonly PeerStatus[] {
  const count = body.count('peers', PEER_BYTES_MIN);
  const peers: PeerStatus[] = [];
  for (let slot = 0; slot < count; slot += 1) {
    const id = body.node('peer id');
    const bits = body.bits('peer flags', PEER_BITS);
    const port = body.u16('peer port');
    const roundTripMicros = body.u64('peer round trip');
    const address = body.text('peer address');
    const isOnline = (bits & PEER_ONLINE) !== 0;
    const isLearner = (bits & PEER_LEARNER) !== 0;
    peers.push({ id, address, port, isOnline, isLearner, roundTripMicros });
  }
  return peers;
}
