/** For tests: frames as bytes, as written by the real writer and as cut by the real reader. */

import { ErrorCode, FrameType, PEER_FRAME_LENGTH_MAX } from '../../include/rpc.ts';
import { FrameReader } from '../../src/rpc/frame-reader.ts';
import { FrameWriter } from '../../src/rpc/frame-writer.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { SegmentPool } from '../../src/rpc/segment-pool.ts';

/** A frame with its body copied out. */
export type Frame = { readonly type: number; readonly id: number; readonly body: Buffer };

const pool = new SegmentPool();

/** A writer of its own, connected to nothing. */
export function createWriter(lengthMax: number = PEER_FRAME_LENGTH_MAX): FrameWriter {
  return new FrameWriter(pool, lengthMax, ErrorCode.RequestTooLarge, () => {});
}

/** Takes all that a writer has pending. */
export function takeBytes(writer: FrameWriter): Buffer {
  const parts: Buffer[] = [];
  for (let segment = writer.take(); segment !== undefined; segment = writer.take()) {
    parts.push(Buffer.from(segment.bytes.subarray(0, segment.usedBytes)));
    pool.give(segment);
  }
  return Buffer.concat(parts);
}

/** The bytes that `write` makes. */
export function bytesOf(write: (writer: FrameWriter) => void): Buffer {
  const writer = createWriter();
  write(writer);
  return takeBytes(writer);
}

/** Cuts bytes into frames. */
export function framesOf(bytes: Buffer, lengthMax: number = PEER_FRAME_LENGTH_MAX): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(lengthMax, (type, _flags, id, buffer, start, end) => {
    frames.push({ type, id, body: Buffer.from(buffer.subarray(start, end)) });
  });
  reader.read(bytes);
  return frames;
}

/** The only frame that `write` makes. */
export function frameOf(write: (writer: FrameWriter) => void): Frame {
  const frames = framesOf(bytesOf(write));
  if (frames.length !== 1) throw new Error(`${frames.length} frames instead of one`);
  return frames[0]!;
}

/** A request without a body. */
export function writeStatus(writer: FrameWriter, id: number): void {
  writeRequest(writer, id, { type: FrameType.Status });
}
