/**
 * Watches: requests, and what a node tells unasked, in frames whose id is the watch's.
 * Byte tables: docs/PROTOCOL.md 5 and 7.
 *
 * Keys and values read are views of the frame: copy what is kept for long.
 */

import { EventKind, type WatchBatch, type WatchEvent } from '../../include/kvstore.ts';
import {
  ERRORS,
  type ErrorCode,
  FrameType,
  type WatchCancellation,
  type WatchCancelRequest,
  type WatchCreateRequest,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { BodyReader, malformed } from './body-reader.ts';
import { encodeBody } from './encode-body.ts';
import type { FrameWriter } from './frame-writer.ts';
import { putPair, readPair } from './pair-codec.ts';

const body = new BodyReader();

const WATCH_PREV_KV = 1;
const WATCH_NO_PUT = 2;
const WATCH_NO_DELETE = 4;
const WATCH_PROGRESS_NOTIFY = 8;
const WATCH_BITS = 15;

const EVENT_DELETE = 1;
/** The pair as it was before follows. */
const EVENT_PREV_KV = 2;
const EVENT_BITS = 3;

/** Bytes of the shortest event: its bits, and a pair without key and value. */
const EVENT_BYTES_MIN = 41;

const WATCH_ID_MAX = 0xffff_ffff;

// ---- requests ----

/** Puts the body of a WATCH_CREATE. */
export function putWatchCreateRequest(writer: FrameWriter, watch: WatchCreateRequest): void {
  const bits =
    (watch.prevKv ? WATCH_PREV_KV : 0) |
    (watch.noPut ? WATCH_NO_PUT : 0) |
    (watch.noDelete ? WATCH_NO_DELETE : 0) |
    (watch.progressNotify ? WATCH_PROGRESS_NOTIFY : 0);
  putWatchId(writer, watch);
  writer.u8(bits);
  writer.i64(watch.startRevision);
  writer.sized(watch.key);
  writer.bytes(watch.rangeEnd);
}

/** Reads the body of a WATCH_CREATE to its end. @throws KvorumError FrameMalformed */
export function readWatchCreateRequest(body: BodyReader): WatchCreateRequest {
  const { watchId } = readWatchId(body);
  const bits = body.bits('flags', WATCH_BITS);
  const startRevision = body.i64('start revision');
  const key = body.sized('key');
  const rangeEnd = body.rest();
  return {
    watchId,
    key,
    rangeEnd,
    startRevision,
    prevKv: (bits & WATCH_PREV_KV) !== 0,
    noPut: (bits & WATCH_NO_PUT) !== 0,
    noDelete: (bits & WATCH_NO_DELETE) !== 0,
    progressNotify: (bits & WATCH_PROGRESS_NOTIFY) !== 0,
  };
}

/** Puts the body of a WATCH_CANCEL. */
export function putWatchId(writer: FrameWriter, request: WatchCancelRequest): void {
  const { watchId } = request;
  assert(Number.isInteger(watchId), 'a watch has a whole number', watchId);
  assert(watchId >= 1, 'watches are numbered from 1', watchId);
  assert(watchId <= WATCH_ID_MAX, 'a watch id is a frame id', watchId);
  writer.u32(watchId);
}

/** Reads the body of a WATCH_CANCEL. @throws KvorumError FrameMalformed */
export function readWatchId(body: BodyReader): WatchCancelRequest {
  const watchId = body.u32('watch id');
  if (watchId === 0) throw malformed('watch id', 'watches are numbered from 1');
  return { watchId };
}

// ---- what a node tells ----

/** The batch written last, and its bytes once it was written twice. Pins that one batch. */
let lastBatch: WatchBatch | undefined;
let lastBytes: Buffer | undefined;

/**
 * Writes a WATCH_EVENTS frame. A batch that is written many times in a row, for the watches that
 * share it, is encoded twice at most.
 *
 * @throws KvorumError ReplyTooLarge: nothing was written
 */
export function writeWatchEvents(writer: FrameWriter, watchId: number, batch: WatchBatch): void {
  writer.begin(FrameType.WatchEvents, watchId);
  if (batch !== lastBatch) {
    // A batch for one watch costs no copy.
    lastBatch = batch;
    lastBytes = undefined;
    putBatch(writer, batch);
  } else {
    lastBytes ??= encodeBody((copy) => putBatch(copy, batch));
    writer.bytes(lastBytes);
  }
  writer.end();
}

/** Reads the body of a WATCH_EVENTS frame. @throws KvorumError FrameMalformed */
export function decodeWatchEvents(buffer: Buffer, start: number, end: number): WatchBatch {
  body.open(buffer, start, end);
  const revision = body.u64('revision');
  const isFragment = body.flag('is fragment');
  const count = body.count('events', EVENT_BYTES_MIN);
  const events: WatchEvent[] = [];
  for (let slot = 0; slot < count; slot += 1) events.push(readEvent());
  body.close();
  return { revision, events, isFragment };
}

/** Writes a WATCH_NOTE frame: all events of the watch up to `revision` were written before. */
export function writeWatchNote(writer: FrameWriter, watchId: number, revision: number): void {
  writer.begin(FrameType.WatchNote, watchId);
  writer.u64(revision);
  writer.end();
}

/** Reads the revision of a WATCH_NOTE frame. @throws KvorumError FrameMalformed */
export function decodeWatchNote(buffer: Buffer, start: number, end: number): number {
  body.open(buffer, start, end);
  const revision = body.u64('revision');
  body.close();
  return revision;
}

/** Writes a WATCH_CANCELLED frame: the watch was ended by the node. */
export function writeWatchCancelled(
  writer: FrameWriter,
  watchId: number,
  cancellation: WatchCancellation,
): void {
  writer.begin(FrameType.WatchCancelled, watchId);
  writer.u16(cancellation.code);
  writer.u64(cancellation.compactRevision);
  writer.end();
}

/** Reads the body of a WATCH_CANCELLED frame. @throws KvorumError FrameMalformed */
export function decodeWatchCancelled(
  buffer: Buffer,
  start: number,
  end: number,
): WatchCancellation {
  body.open(buffer, start, end);
  const code = body.u16('error code') as ErrorCode;
  if (!ERRORS.has(code)) throw malformed('error code', `${code} is unknown`);
  const compactRevision = body.u64('compact revision');
  body.close();
  return { code, compactRevision };
}

function putBatch(writer: FrameWriter, batch: WatchBatch): void {
  const { revision, events, isFragment } = batch;
  writer.u64(revision);
  writer.flag(isFragment);
  writer.u32(events.length);
  for (let slot = 0; slot < events.length; slot += 1) putEvent(writer, events[slot]!);
}

function putEvent(writer: FrameWriter, event: WatchEvent): void {
  const { kind, kv, prevKv } = event;
  const kindBit = kind === EventKind.Delete ? EVENT_DELETE : 0;
  writer.u8(prevKv === undefined ? kindBit : kindBit | EVENT_PREV_KV);
  putPair(writer, kv);
  if (prevKv !== undefined) putPair(writer, prevKv);
}

function readEvent(): WatchEvent {
  const bits = body.bits('event flags', EVENT_BITS);
  const kind = (bits & EVENT_DELETE) === 0 ? EventKind.Put : EventKind.Delete;
  const kv = readPair(body);
  const prevKv = (bits & EVENT_PREV_KV) === 0 ? undefined : readPair(body);
  return { kind, kv, prevKv };
}
