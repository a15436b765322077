/**
 * What a connection has to say to its socket: frames gathered in one buffer, so that a turn of the
 * event loop costs one write. Large payloads are not copied but written beside it.
 *
 * Invariant: what was given to the socket is never written to again.
 */

import type { Duplex } from 'node:stream';
import { FRAME_HEAD_BYTES } from './frames.ts';

const START_BYTES = 512;
const START_BYTES_MAX = 64 * 1024;

/** Payloads above this are written beside the buffer. */
const COPY_BYTES_MAX = 4 * 1024;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Frames on their way to a socket. */
export class Output {
  readonly #socket: Duplex;
  #bytes: Buffer = NO_BYTES;
  #position = 0;
  /** What comes before the buffer. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Bytes of the last flush, which the next one may need as well. */
  #startBytes = START_BYTES;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that were not given to the socket yet. */
  get pendingBytes(): number {
    return this.#partBytes + this.#position;
  }

  /** Begins a frame whose payload of `count` bytes follows. */
  frame(type: number, flags: number, streamId: number, count: number): void {
    this.#reserve(FRAME_HEAD_BYTES);
    const bytes = this.#bytes;
    const at = this.#position;
    bytes[at] = count >>> 16;
    bytes[at + 1] = count >>> 8;
    bytes[at + 2] = count;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes[at + 5] = streamId >>> 24;
    bytes[at + 6] = streamId >>> 16;
    bytes[at + 7] = streamId >>> 8;
    bytes[at + 8] = streamId;
    this.#position = at + FRAME_HEAD_BYTES;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#position] = value;
    this.#position += 1;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#bytes.writeUInt32BE(value >>> 0, this.#position);
    this.#position += 4;
  }

  /** Adds bytes. @param source large ones are kept until they are written: they may not change */
  bytes(source: Buffer): void {
    const count = source.length;
    if (count > COPY_BYTES_MAX) {
      this.#seal();
      this.#parts.push(source);
      this.#partBytes += count;
      return;
    }
    this.#reserve(count);
    this.#bytes.set(source, this.#position);
    this.#position += count;
  }

  /** Gives all of it to the socket. */
  flush(): void {
    const count = this.pendingBytes;
    if (count === 0) return;
    if (this.#parts.length === 0) {
      this.#socket.write(this.#bytes.subarray(0, this.#position));
    } else {
      this.#seal();
      this.#socket.cork();
      for (const part of this.#parts) this.#socket.write(part);
      this.#socket.uncork();
      this.#parts = [];
      this.#partBytes = 0;
    }
    this.#bytes = NO_BYTES;
    this.#position = 0;
    this.#startBytes = Math.min(Math.max(START_BYTES, count), START_BYTES_MAX);
  }

  #seal(): void {
    if (this.#position === 0) return;
    this.#parts.push(this.#bytes.subarray(0, this.#position));
    this.#partBytes += this.#position;
    this.#bytes = this.#bytes.subarray(this.#position);
    this.#position = 0;
  }

  #reserve(count: number): void {
    const needed = this.#position + count;
    if (needed <= this.#bytes.length) return;
    const size = Math.max(needed, this.#bytes.length * 2, this.#startBytes);
    const grown = Buffer.allocUnsafe(size);
    if (this.#position > 0) grown.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = grown;
  }
}
