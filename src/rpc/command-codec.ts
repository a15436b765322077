/**
 * Writes, as they travel and as the log keeps them: an entry's data is the type byte and the body
 * of the frame that asked for it, as it came. Byte tables: docs/PROTOCOL.md 5 and 11.
 *
 * `Expire`, `LeaseCheckpoint`, `ClusterVersion` and `HashCheck` are a leader's own: from a client
 * they are refused, alone and within a ONCE alike.
 *
 * Everything read is a view of the bytes.
 */

import {
  type Command,
  ErrorCode,
  FrameType,
  KvorumError,
  type LoggedCommand,
  type OnceCommand,
} from '../../include/rpc.ts';
import { putAlarmRequest, readAlarmRequest } from './alarm-codec.ts';
import { BodyReader, malformed } from './body-reader.ts';
import { encodeBody } from './encode-body.ts';
import type { FrameWriter } from './frame-writer.ts';
import {
  putCompactRequest,
  putDeleteRangeRequest,
  putPutRequest,
  readCompactRequest,
  readDeleteRangeRequest,
  readPutRequest,
} from './key-value-codec.ts';
import {
  putCheckpointRequest,
  putExpireRequest,
  putLeaseGrantRequest,
  putLeaseId,
  putSessionMark,
  putSessionOpenRequest,
  readCheckpointRequest,
  readExpireRequest,
  readLeaseGrantRequest,
  readLeaseId,
  readSessionMark,
  readSessionOpenRequest,
} from './lease-codec.ts';
import { putTxnRequest, readTxnRequest } from './txn-codec.ts';
import { putClusterVersion, readClusterVersion } from './version-codec.ts';

const body = new BodyReader();

/** Whether a client may ask for a write in a frame of this type; a Txn of it may be a read. */
export function isWriteType(type: number): boolean {
  switch (type) {
    case FrameType.Put:
    case FrameType.DeleteRange:
    case FrameType.Compact:
    case FrameType.Txn:
    case FrameType.LeaseGrant:
    case FrameType.LeaseRevoke:
    case FrameType.SessionOpen:
    case FrameType.AlarmSet:
    case FrameType.Once:
      return true;
    default:
      return false;
  }
}

/**
 * Copies a write out of its frame, as the data of a log entry: type byte, then body.
 * The result is owned by the caller; of the body nothing is checked (see decodeWrite).
 *
 * @throws KvorumError FrameUnknown for what is no write, or a leader's own
 */
export function commandFromFrame(type: number, buffer: Buffer, start: number, end: number): Buffer {
  if (!isWriteType(type)) throw noWrite(type);
  const data = Buffer.allocUnsafe(1 + end - start);
  data[0] = type;
  buffer.copy(data, 1, start, end);
  return data;
}

/**
 * Reads a write that a client sent, out of commandFromFrame's copy. Keys and values are views of
 * `data`.
 *
 * @throws KvorumError FrameMalformed, FrameUnknown, TooManyOperations: the client's fault
 */
export function decodeWrite(data: Buffer): Command | OnceCommand {
  body.open(data, 0, data.length);
  const write = readWrite(body, readType());
  body.close();
  return write;
}

/**
 * Reads the data of a log entry of type Command. Keys and values are views of `data`.
 *
 * @throws KvorumError FrameMalformed, FrameUnknown, TooManyOperations: the log holds what no node
 * of this version proposes
 */
export function decodeCommand(data: Buffer): LoggedCommand {
  body.open(data, 0, data.length);
  const command = readLoggedCommand(readType());
  body.close();
  return command;
}

/** The data of a log entry, the caller's own: what decodeCommand reads. */
export function encodeCommand(command: LoggedCommand): Buffer {
  return encodeBody((writer) => {
    writer.u8(command.type);
    putCommand(writer, command);
  });
}

/** Puts the body of a write into the open frame. */
export function putCommand(writer: FrameWriter, command: LoggedCommand): void {
  switch (command.type) {
    case FrameType.Put:
      return putPutRequest(writer, command.body);
    case FrameType.DeleteRange:
      return putDeleteRangeRequest(writer, command.body);
    case FrameType.Compact:
      return putCompactRequest(writer, command.body);
    case FrameType.Txn:
      return putTxnRequest(writer, command.body);
    case FrameType.LeaseGrant:
      return putLeaseGrantRequest(writer, command.body);
    case FrameType.LeaseRevoke:
      return putLeaseId(writer, command.body);
    case FrameType.SessionOpen:
      return putSessionOpenRequest(writer, command.body);
    case FrameType.AlarmSet:
      return putAlarmRequest(writer, command.body);
    case FrameType.Once:
      putSessionMark(writer, command.mark);
      writer.u8(command.command.type);
      return putCommand(writer, command.command);
    case FrameType.Expire:
      return putExpireRequest(writer, command.body);
    case FrameType.LeaseCheckpoint:
      return putCheckpointRequest(writer, command.body);
    case FrameType.ClusterVersion:
      return putClusterVersion(writer, command.body);
    case FrameType.HashCheck:
      return;
  }
}

/**
 * Reads the body of a write that a client sent, to its end.
 *
 * @throws KvorumError FrameMalformed, FrameUnknown, TooManyOperations
 */
export function readWrite(body: BodyReader, type: number): Command | OnceCommand {
  if (type !== FrameType.Once) return readCommand(body, type);
  const mark = readSessionMark(body);
  const inner = body.u8('type of write');
  // What opens a session cannot be part of one; what may be repeated need not be.
  if (inner === FrameType.SessionOpen || inner === FrameType.AlarmSet) throw noWrite(inner);
  return { type, mark, command: readCommand(body, inner) };
}

function readType(): number {
  if (body.leftBytes === 0) throw malformed('command', 'empty');
  return body.u8('type');
}

function readLoggedCommand(type: number): LoggedCommand {
  switch (type) {
    case FrameType.Expire:
      return { type, body: readExpireRequest(body) };
    case FrameType.LeaseCheckpoint:
      return { type, body: readCheckpointRequest(body) };
    case FrameType.ClusterVersion:
      return { type, body: readClusterVersion(body) };
    case FrameType.HashCheck:
      return { type };
    default:
      return readWrite(body, type);
  }
}

function readCommand(body: BodyReader, type: number): Command {
  switch (type) {
    case FrameType.Put:
      return { type, body: readPutRequest(body) };
    case FrameType.DeleteRange:
      return { type, body: readDeleteRangeRequest(body) };
    case FrameType.Compact:
      return { type, body: readCompactRequest(body) };
    case FrameType.Txn:
      return { type, body: readTxnRequest(body) };
    case FrameType.LeaseGrant:
      return { type, body: readLeaseGrantRequest(body) };
    case FrameType.LeaseRevoke:
      return { type, body: readLeaseId(body) };
    case FrameType.SessionOpen:
      return { type, body: readSessionOpenRequest(body) };
    case FrameType.AlarmSet:
      return { type, body: readAlarmRequest(body) };
    default:
      throw noWrite(type);
  }
}

function noWrite(type: number): KvorumError {
  return new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} is no write`);
}
