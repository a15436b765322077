/**
 * What clients ask: one writer and one decoder a request. Byte tables: docs/PROTOCOL.md 5.
 *
 * The body of a write is stored as it came: a log entry's data is the request's type byte and its
 * body, which `decodeCommand` reads when the entry is applied, on every member.
 */

import type {
  CompactRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
} from '../../include/kvstore.ts';
import {
  type Command,
  ErrorCode,
  FrameType,
  KvorumError,
  type MoveLeaderRequest,
  type Request,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const body = new BodyReader();

const PUT_PREV_KV = 1;
const PUT_IGNORE_VALUE = 2;
const PUT_IGNORE_LEASE = 4;
const PUT_BITS = 7;

const RANGE_SERIALIZABLE = 1;
const RANGE_KEYS_ONLY = 2;
const RANGE_COUNT_ONLY = 4;
/** The four bounds follow. */
const RANGE_BOUNDS = 8;
const RANGE_BITS = 15;

const SORT_ORDER_MAX = 2;
const SORT_TARGET_MAX = 4;

/** Writes any request. @throws KvorumError RequestTooLarge: nothing was written */
export function writeRequest(writer: FrameWriter, id: number, request: Request): void {
  switch (request.type) {
    case FrameType.Put:
      writePut(writer, id, request.body);
      break;
    case FrameType.Range:
      writeRange(writer, id, request.body);
      break;
    case FrameType.DeleteRange:
      writeDeleteRange(writer, id, request.body);
      break;
    case FrameType.Compact:
      writeCompact(writer, id, request.body);
      break;
    case FrameType.Status:
      writeStatus(writer, id);
      break;
    case FrameType.MoveLeader:
      writeMoveLeader(writer, id, request.body);
      break;
  }
}

/** Reads the body of any request. @throws KvorumError FrameUnknown, FrameMalformed */
export function decodeRequest(type: number, buffer: Buffer, start: number, end: number): Request {
  switch (type) {
    case FrameType.Put:
      return { type, body: decodePut(buffer, start, end) };
    case FrameType.Range:
      return { type, body: decodeRange(buffer, start, end) };
    case FrameType.DeleteRange:
      return { type, body: decodeDeleteRange(buffer, start, end) };
    case FrameType.Compact:
      return { type, body: decodeCompact(buffer, start, end) };
    case FrameType.Status:
      decodeStatus(buffer, start, end);
      return { type };
    case FrameType.MoveLeader:
      return { type, body: decodeMoveLeader(buffer, start, end) };
    default:
      throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} is no request`);
  }
}

/**
 * Copies a write out of its frame, as the data of a log entry: type byte, then body.
 * The result is owned by the caller; nothing is checked (see decodeCommand).
 */
export function commandFromFrame(type: number, buffer: Buffer, start: number, end: number): Buffer {
  const data = Buffer.allocUnsafe(1 + end - start);
  data[0] = type;
  buffer.copy(data, 1, start, end);
  return data;
}

/**
 * Reads the data of a log entry of type Command. Key and value are views of `data`.
 *
 * @throws KvorumError FrameMalformed, FrameUnknown: before it is proposed, the client's fault
 */
export function decodeCommand(data: Buffer): Command {
  if (data.length === 0) throw malformed('command', 'empty');
  const type = data[0]!;
  switch (type) {
    case FrameType.Put:
      return { type, body: decodePut(data, 1, data.length) };
    case FrameType.DeleteRange:
      return { type, body: decodeDeleteRange(data, 1, data.length) };
    case FrameType.Compact:
      return { type, body: decodeCompact(data, 1, data.length) };
    default:
      throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} is no write`);
  }
}

/** Writes a PUT frame. @throws KvorumError RequestTooLarge: nothing was written */
export function writePut(writer: FrameWriter, id: number, put: PutRequest): void {
  const bits =
    (put.prevKv ? PUT_PREV_KV : 0) |
    (put.ignoreValue ? PUT_IGNORE_VALUE : 0) |
    (put.ignoreLease ? PUT_IGNORE_LEASE : 0);
  writer.begin(FrameType.Put, id);
  writer.u8(bits);
  writer.lease(put.lease);
  writer.sized(put.key);
  writer.bytes(put.value);
  writer.end();
}

/** Reads the body of a PUT frame; key and value are views. @throws KvorumError FrameMalformed */
export function decodePut(buffer: Buffer, start: number, end: number): PutRequest {
  body.open(buffer, start, end);
  const bits = body.bits('flags', PUT_BITS);
  const lease = body.lease('lease');
  const key = body.sized('key');
  const value = body.rest();
  body.close();
  return {
    key,
    value,
    lease,
    prevKv: (bits & PUT_PREV_KV) !== 0,
    ignoreValue: (bits & PUT_IGNORE_VALUE) !== 0,
    ignoreLease: (bits & PUT_IGNORE_LEASE) !== 0,
  };
}

/** Writes a RANGE frame. Negative limit, revision and bounds travel as 0, which means the same. */
export function writeRange(writer: FrameWriter, id: number, range: RangeRequest): void {
  const hasBounds =
    range.minModRevision > 0 ||
    range.maxModRevision > 0 ||
    range.minCreateRevision > 0 ||
    range.maxCreateRevision > 0;
  const bits =
    (range.serializable ? RANGE_SERIALIZABLE : 0) |
    (range.keysOnly ? RANGE_KEYS_ONLY : 0) |
    (range.countOnly ? RANGE_COUNT_ONLY : 0) |
    (hasBounds ? RANGE_BOUNDS : 0);
  writer.begin(FrameType.Range, id);
  writer.u8(bits);
  writer.u8(range.sortOrder);
  writer.u8(range.sortTarget);
  writer.u64(Math.max(range.limit, 0));
  writer.u64(Math.max(range.revision, 0));
  if (hasBounds) {
    writer.u64(Math.max(range.minModRevision, 0));
    writer.u64(Math.max(range.maxModRevision, 0));
    writer.u64(Math.max(range.minCreateRevision, 0));
    writer.u64(Math.max(range.maxCreateRevision, 0));
  }
  writer.sized(range.key);
  writer.bytes(range.rangeEnd);
  writer.end();
}

/**
 * Reads the body of a RANGE frame; key and rangeEnd are views.
 *
 * @throws KvorumError FrameMalformed
 */
export function decodeRange(buffer: Buffer, start: number, end: number): RangeRequest {
  body.open(buffer, start, end);
  const bits = body.bits('flags', RANGE_BITS);
  const sortOrder = body.choice('sort order', SORT_ORDER_MAX) as SortOrder;
  const sortTarget = body.choice('sort target', SORT_TARGET_MAX) as SortTarget;
  const limit = body.u64('limit');
  const revision = body.u64('revision');
  const hasBounds = (bits & RANGE_BOUNDS) !== 0;
  const minModRevision = hasBounds ? body.u64('least mod revision') : 0;
  const maxModRevision = hasBounds ? body.u64('most mod revision') : 0;
  const minCreateRevision = hasBounds ? body.u64('least create revision') : 0;
  const maxCreateRevision = hasBounds ? body.u64('most create revision') : 0;
  const key = body.sized('key');
  const rangeEnd = body.rest();
  body.close();
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable: (bits & RANGE_SERIALIZABLE) !== 0,
    keysOnly: (bits & RANGE_KEYS_ONLY) !== 0,
    countOnly: (bits & RANGE_COUNT_ONLY) !== 0,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

/** Writes a DELETE_RANGE frame. @throws KvorumError RequestTooLarge: nothing was written */
export function writeDeleteRange(
  writer: FrameWriter,
  id: number,
  deletion: DeleteRangeRequest,
): void {
  writer.begin(FrameType.DeleteRange, id);
  writer.flag(deletion.prevKv);
  writer.sized(deletion.key);
  writer.bytes(deletion.rangeEnd);
  writer.end();
}

/**
 * Reads the body of a DELETE_RANGE frame; key and rangeEnd are views.
 *
 * @throws KvorumError FrameMalformed
 */
export function decodeDeleteRange(buffer: Buffer, start: number, end: number): DeleteRangeRequest {
  body.open(buffer, start, end);
  const prevKv = body.flag('previous pairs');
  const key = body.sized('key');
  const rangeEnd = body.rest();
  body.close();
  return { key, rangeEnd, prevKv };
}

/** Writes a COMPACT frame. */
export function writeCompact(writer: FrameWriter, id: number, compact: CompactRequest): void {
  writer.begin(FrameType.Compact, id);
  writer.flag(compact.physical);
  writer.u64(Math.max(compact.revision, 0));
  writer.end();
}

/** Reads the body of a COMPACT frame. @throws KvorumError FrameMalformed */
export function decodeCompact(buffer: Buffer, start: number, end: number): CompactRequest {
  body.open(buffer, start, end);
  const physical = body.flag('physical');
  const revision = body.u64('revision');
  body.close();
  return { revision, physical };
}

/** Writes a STATUS frame. */
export function writeStatus(writer: FrameWriter, id: number): void {
  writer.begin(FrameType.Status, id);
  writer.end();
}

/** Checks the body of a STATUS frame, which is empty. @throws KvorumError FrameMalformed */
export function decodeStatus(buffer: Buffer, start: number, end: number): void {
  body.open(buffer, start, end);
  body.close();
}

/** Writes a MOVE_LEADER frame. */
export function writeMoveLeader(writer: FrameWriter, id: number, move: MoveLeaderRequest): void {
  assert(move.target >= 0, 'leadership moves to a node', move.target);
  writer.begin(FrameType.MoveLeader, id);
  writer.node(move.target);
  writer.end();
}

/** Reads the body of a MOVE_LEADER frame. @throws KvorumError FrameMalformed */
export function decodeMoveLeader(buffer: Buffer, start: number, end: number): MoveLeaderRequest {
  body.open(buffer, start, end);
  const target = body.node('target');
  body.close();
  return { target };
}
