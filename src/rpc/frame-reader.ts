/**
 * Cuts a stream of chunks into frames. Pure: bytes in, one call a frame out.
 *
 * All frames of a chunk are handed over in one synchronous loop, as offsets into the chunk, nothing
 * copied. Only a frame that spans chunks is gathered in a buffer of its own, which grows with the
 * bytes that have arrived (at most twice as many), never with the length announced.
 *
 * Invariants: a buffer that was handed over is never written to again, so a view of it that
 * outlives the call stays right (and pins the chunk: copy what is kept for long). While stopped, at
 * most the rest of one chunk waits.
 */

import { FRAME_HEADER_BYTES, FRAME_LENGTH_BYTES } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { frameEnd } from './frame.ts';

/** Takes one frame: its body is buffer[bodyStart, bodyEnd). */
export type FrameHandler = (
  type: number,
  flags: number,
  id: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
) => void;

/** Bytes set aside at least for a frame that spans chunks, if it is that long. */
const CARRY_BYTES_MIN = 1024;

const NOTHING: Buffer = Buffer.alloc(0);

/** Cuts a stream of chunks into frames. */
export class FrameReader {
  /** The largest length a frame may announce, in bytes; may change between frames. */
  lengthMax: number;

  readonly #onFrame: FrameHandler;
  /** The start of a frame that spans chunks: the first #carryBytes of #carry. */
  #carry: Buffer = NOTHING;
  #carryBytes = 0;
  /** Bytes of the whole carried frame; 0 while its length is incomplete. */
  #carryTotal = 0;
  /** What came after the frame at which the reader was stopped. */
  #rest: Buffer = NOTHING;
  #isStopped = false;

  constructor(lengthMax: number, onFrame: FrameHandler) {
    this.lengthMax = lengthMax;
    this.#onFrame = onFrame;
  }

  /**
   * Bytes of memory set aside for frames that are not complete, and for what waits while stopped.
   */
  get heldBytes(): number {
    return this.#carry.length + this.#rest.length;
  }

  /**
   * Hands over all frames that end in this chunk.
   *
   * @param chunk given away: never written to again by the caller
   * @throws KvorumError FrameTooShort, FrameTooLong, and whatever the handler throws. The reader
   * must not be used after that.
   */
  read(chunk: Buffer): void {
    if (this.#isStopped) {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      return;
    }
    const start = this.#carryBytes === 0 ? 0 : this.#fillCarry(chunk);
    this.#cut(chunk, start);
  }

  /** Hands over no further frame until `resume`; may be called from within the handler. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Goes on where it was stopped; the handler may stop it again. Throws as `read` does. */
  resume(): void {
    assert(this.#isStopped, 'only a stopped reader is resumed');
    this.#isStopped = false;
    const rest = this.#rest;
    this.#rest = NOTHING;
    if (rest.length > 0) this.read(rest);
  }

  #cut(chunk: Buffer, from: number): void {
    let start = from;
    while (start < chunk.length) {
      if (this.#isStopped) {
        this.#rest = start === 0 ? chunk : chunk.subarray(start);
        return;
      }
      const end = frameEnd(chunk, start, this.lengthMax);
      if (end === 0 || end > chunk.length) {
        this.#startCarry(chunk, start, end === 0 ? 0 : end - start);
        return;
      }
      this.#deliver(chunk, start, end);
      start = end;
    }
  }

  #deliver(buffer: Buffer, start: number, end: number): void {
    const type = buffer[start + 4]!;
    const flags = buffer[start + 5]!;
    const id = buffer.readUInt32BE(start + 6);
    this.#onFrame(type, flags, id, buffer, start + FRAME_HEADER_BYTES, end);
  }

  #startCarry(chunk: Buffer, start: number, total: number): void {
    const bytes = chunk.length - start;
    const most = total === 0 ? FRAME_HEADER_BYTES : total;
    this.#carry = Buffer.allocUnsafe(Math.min(most, Math.max(2 * bytes, CARRY_BYTES_MIN)));
    chunk.copy(this.#carry, 0, start);
    this.#carryBytes = bytes;
    this.#carryTotal = total;
  }

  /** Adds to the carried frame; hands it over once whole. Returns where the next frame starts. */
  #fillCarry(chunk: Buffer): number {
    let start = 0;
    if (this.#carryTotal === 0) {
      start = this.#append(chunk, 0, FRAME_LENGTH_BYTES);
      if (this.#carryBytes < FRAME_LENGTH_BYTES) return start;
      this.#carryTotal = frameEnd(this.#carry, 0, this.lengthMax);
    }
    start = this.#append(chunk, start, this.#carryTotal);
    if (this.#carryBytes < this.#carryTotal) return start;

    const frame = this.#carry;
    const total = this.#carryTotal;
    this.#carry = NOTHING;
    this.#carryBytes = 0;
    this.#carryTotal = 0;
    this.#deliver(frame, 0, total);
    return start;
  }

  /** Copies from the chunk until `target` bytes are carried or the chunk is used up. */
  #append(chunk: Buffer, start: number, target: number): number {
    const bytes = Math.min(target - this.#carryBytes, chunk.length - start);
    const needed = this.#carryBytes + bytes;
    if (needed > this.#carry.length) {
      const grown = Buffer.allocUnsafe(Math.min(target, Math.max(needed, 2 * this.#carry.length)));
      this.#carry.copy(grown, 0, 0, this.#carryBytes);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carryBytes, start, start + bytes);
    this.#carryBytes = needed;
    return start + bytes;
  }
}
