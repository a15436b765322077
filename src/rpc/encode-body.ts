/**
 * Bytes of their own, made by the same functions that fill frames: for what is kept, such as the
 * data of a log entry, or written to many connections.
 */

import { ErrorCode, FRAME_HEADER_BYTES, REPLY_FRAME_LENGTH_MAX } from '../../include/rpc.ts';
import { FrameWriter } from './frame-writer.ts';
import { SegmentPool } from './segment-pool.ts';

const pool = new SegmentPool();
const writer = new FrameWriter(pool, REPLY_FRAME_LENGTH_MAX, ErrorCode.ReplyTooLarge, () => {});

/**
 * What `fill` puts into a frame, without the frame's header. The caller's own.
 *
 * @throws KvorumError ReplyTooLarge beyond REPLY_FRAME_LENGTH_MAX
 */
export function encodeBody(fill: (writer: FrameWriter) => void): Buffer {
  writer.begin(0, 0);
  fill(writer);
  writer.end();
  const bytes = Buffer.allocUnsafe(writer.pendingBytes - FRAME_HEADER_BYTES);
  let offset = -FRAME_HEADER_BYTES;
  for (let segment = writer.take(); segment !== undefined; segment = writer.take()) {
    segment.bytes.copy(bytes, Math.max(offset, 0), Math.max(-offset, 0), segment.usedBytes);
    offset += segment.usedBytes;
    pool.give(segment);
  }
  return bytes;
}
