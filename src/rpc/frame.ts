/**
 * Where a frame ends in a stream of bytes. Pure: the connection reads, this decides.
 *
 * Layout: length u32 | type u8 | flags u8 | id u32 | body; length counts what follows it.
 * Invariant: a length is judged once its four bytes are here, before any body is awaited.
 * Source: docs/PROTOCOL.md 2.
 */

import { ErrorCode, FRAME_LENGTH_BYTES, FRAME_LENGTH_MIN, KvorumError } from '../../include/rpc.ts';
import { assert } from '../assert.ts';

/**
 * Finds the end of the frame that starts at `start`.
 *
 * @param bytes borrowed; nothing is kept
 * @param lengthMax the largest length this connection may announce, in bytes
 * @returns offset just past the frame, maybe beyond `bytes`; 0 while the length is incomplete
 * @throws KvorumError FrameTooShort, FrameTooLong: close this connection, harm no other
 */
export function frameEnd(bytes: Buffer, start: number, lengthMax: number): number {
  assert(start <= bytes.length, 'frame starts beyond the bytes', start, bytes.length);
  if (bytes.length - start < FRAME_LENGTH_BYTES) return 0;

  const length = bytes.readUInt32BE(start);
  if (length < FRAME_LENGTH_MIN) {
    const why = `frame length ${length} is below ${FRAME_LENGTH_MIN}: is this a kvorum connection?`;
    throw new KvorumError(ErrorCode.FrameTooShort, why);
  }
  if (length > lengthMax) {
    const why = `frame length ${length} exceeds ${lengthMax} bytes: split the request`;
    throw new KvorumError(ErrorCode.FrameTooLong, why);
  }
  return start + FRAME_LENGTH_BYTES + length;
}
