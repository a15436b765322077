/**
 * What clients ask: one writer and one decoder for all of it. Byte tables: docs/PROTOCOL.md 5.
 *
 * Writes are read by decodeRequest too; a node that stores them uses command-codec.ts, which copies
 * them out of the frame once.
 */

import { LOG_LEVELS } from '../../include/log.ts';
import { ErrorCode, FrameType, KvorumError, type Request } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { BodyReader } from './body-reader.ts';
import { isWriteType, putCommand, readWrite } from './command-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { putHashKvRequest, readHashKvRequest } from './hash-codec.ts';
import { putRangeRequest, readRangeRequest } from './key-value-codec.ts';
import {
  putLeaseId,
  putTimeToLiveRequest,
  readLeaseId,
  readTimeToLiveRequest,
} from './lease-codec.ts';
import {
  putMemberChangeRequest,
  putMemberListRequest,
  readMemberChangeRequest,
  readMemberListRequest,
} from './member-codec.ts';
import {
  putWatchCreateRequest,
  putWatchId,
  readWatchCreateRequest,
  readWatchId,
} from './watch-codec.ts';

const body = new BodyReader();

/** Writes any request. @throws KvorumError RequestTooLarge: nothing was written */
export function writeRequest(writer: FrameWriter, id: number, request: Request): void {
  writer.begin(request.type, id);
  putRequest(writer, request);
  writer.end();
}

/**
 * Reads the body of any request. Keys and values are views of the frame.
 *
 * @throws KvorumError FrameUnknown, FrameMalformed, TooManyOperations
 */
export function decodeRequest(type: number, buffer: Buffer, start: number, end: number): Request {
  body.open(buffer, start, end);
  const request = readRequest(type);
  body.close();
  return request;
}

function putRequest(writer: FrameWriter, request: Request): void {
  switch (request.type) {
    case FrameType.Range:
      return putRangeRequest(writer, request.body);
    case FrameType.MoveLeader:
      assert(request.body.target >= 0, 'leadership moves to a node', request.body.target);
      return writer.node(request.body.target);
    case FrameType.LeaseKeepAlive:
      return putLeaseId(writer, request.body);
    case FrameType.LeaseTimeToLive:
      return putTimeToLiveRequest(writer, request.body);
    case FrameType.WatchCreate:
      return putWatchCreateRequest(writer, request.body);
    case FrameType.WatchCancel:
      return putWatchId(writer, request.body);
    case FrameType.MemberList:
      return putMemberListRequest(writer, request.body);
    case FrameType.MemberChange:
      return putMemberChangeRequest(writer, request.body);
    case FrameType.LogLevel:
      return writer.u8(LOG_LEVELS.indexOf(request.body.level));
    case FrameType.HashKv:
      return putHashKvRequest(writer, request.body);
    case FrameType.Status:
    case FrameType.LeaseList:
    case FrameType.AlarmList:
    case FrameType.Metrics:
    case FrameType.WatchProgress:
    case FrameType.SnapshotSave:
      return;
    default:
      return putCommand(writer, request);
  }
}

function readRequest(type: number): Request {
  switch (type) {
    case FrameType.Range:
      return { type, body: readRangeRequest(body) };
    case FrameType.MoveLeader:
      return { type, body: { target: body.node('target') } };
    case FrameType.LeaseKeepAlive:
      return { type, body: readLeaseId(body) };
    case FrameType.LeaseTimeToLive:
      return { type, body: readTimeToLiveRequest(body) };
    case FrameType.WatchCreate:
      return { type, body: readWatchCreateRequest(body) };
    case FrameType.WatchCancel:
      return { type, body: readWatchId(body) };
    case FrameType.MemberList:
      return { type, body: readMemberListRequest(body) };
    case FrameType.MemberChange:
      return { type, body: readMemberChangeRequest(body) };
    case FrameType.LogLevel:
      return { type, body: { level: LOG_LEVELS[body.choice('level', LOG_LEVELS.length - 1)]! } };
    case FrameType.HashKv:
      return { type, body: readHashKvRequest(body) };
    case FrameType.Status:
    case FrameType.LeaseList:
    case FrameType.AlarmList:
    case FrameType.Metrics:
    case FrameType.WatchProgress:
    case FrameType.SnapshotSave:
      return { type };
    default:
      if (isWriteType(type)) return readWrite(body, type);
      throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} is no request`);
  }
}
