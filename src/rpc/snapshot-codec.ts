/**
 * Frames of a snapshot stream: begin, chunks, end, and the receiver's answer. docs/PROTOCOL.md 12.
 */

import type { SnapshotMeta } from '../../include/node.ts';
import {
  FrameType,
  type ReplyHeader,
  type SnapshotSaveReply,
  type SnapshotTotals,
} from '../../include/rpc.ts';
import { BodyReader } from './body-reader.ts';
import { putConfiguration, readConfiguration } from './configuration-codec.ts';
import type { FrameWriter } from './frame-writer.ts';

const body = new BodyReader();

/** Writes the first frame of a snapshot stream. */
export function writeSnapshotBegin(writer: FrameWriter, id: number, meta: SnapshotMeta): void {
  writer.begin(FrameType.SnapshotBegin, id);
  writer.u64(meta.index);
  writer.u64(meta.term);
  putConfiguration(writer, meta.configuration);
  writer.end();
}

/** Reads the first frame of a snapshot stream. @throws KvorumError FrameMalformed */
export function decodeSnapshotBegin(buffer: Buffer, start: number, end: number): SnapshotMeta {
  body.open(buffer, start, end);
  const index = body.u64('index');
  const term = body.u64('term');
  const configuration = readConfiguration(body);
  body.close();
  return { index, term, configuration };
}

/** Writes a chunk; its bytes are copied. */
export function writeSnapshotChunk(writer: FrameWriter, id: number, chunk: Buffer): void {
  writer.begin(FrameType.SnapshotChunk, id);
  writer.bytes(chunk);
  writer.end();
}

/** Writes the last frame of a snapshot stream. */
export function writeSnapshotEnd(writer: FrameWriter, id: number, totals: SnapshotTotals): void {
  writer.begin(FrameType.SnapshotEnd, id);
  putTotals(writer, totals);
  writer.end();
}

/** Reads the last frame of a snapshot stream. @throws KvorumError FrameMalformed */
export function decodeSnapshotEnd(buffer: Buffer, start: number, end: number): SnapshotTotals {
  body.open(buffer, start, end);
  const totals = readTotals(body);
  body.close();
  return totals;
}

/** Puts totals into the open frame. */
export function putTotals(writer: FrameWriter, { bytes, crc32 }: SnapshotTotals): void {
  writer.u64(bytes);
  writer.u32(crc32);
}

/** Reads what follows the head of the reply to a client that asked for a snapshot. */
export function readSnapshotSaveReply(from: BodyReader, header: ReplyHeader): SnapshotSaveReply {
  return { ...header, ...readTotals(from) };
}

function readTotals(from: BodyReader): SnapshotTotals {
  const bytes = from.u64('bytes');
  const crc32 = from.u32('crc32');
  return { bytes, crc32 };
}

/** Writes the receiver's answer: the snapshot is in place. */
export function writeSnapshotReply(writer: FrameWriter, id: number): void {
  writer.begin(FrameType.Reply, id);
  writer.end();
}
