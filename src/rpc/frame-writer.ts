/**
 * Writes frames into pooled segments: `begin`, puts, `end`; the connection takes the segments and
 * gives each to the socket in one write.
 *
 *   sealed:  [segment][segment]   current: [ frame | frame | open fra ... free ]
 *
 * Everything put is copied at once: the caller keeps its buffers. A frame may span segments, so it
 * never has to be moved to grow; its length is filled in at `end`, where it began.
 *
 * Invariants: a header lies within one segment; a segment that was taken is never written to again
 * by this writer; between `end` and `begin` all pending bytes are whole frames.
 */

import { NO_NODE, type NodeId } from '../../include/node.ts';
import {
  type ErrorCode,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH_BYTES,
  FrameType,
  KvorumError,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { Ring } from '../ring.ts';
import type { Segment, SegmentPool } from './segment-pool.ts';

/** Below this many bytes a loop copies faster than a call into the engine. */
const COPY_LOOP_BYTES_MAX = 32;

const NO_BYTES: Buffer = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

/** How u32 says that no node is meant. */
const NO_NODE_WIRE = 0xffff_ffff;

/** A part of the open frame: where its length goes, and how many pending bytes came before it. */
type Part = { readonly view: DataView; readonly offset: number; readonly startBytes: number };

/** Writes frames into pooled segments. */
export class FrameWriter {
  /** Frames ended that answer a request: Reply, Error, Redirect. */
  answerCount = 0;

  readonly #pool: SegmentPool;
  readonly #lengthMax: number;
  readonly #tooLong: ErrorCode;
  readonly #onPending: () => void;

  readonly #sealed: Ring<Segment> = new Ring();
  #sealedBytes = 0;
  #current: Segment | undefined = undefined;
  #bytes: Buffer = NO_BYTES;
  #view: DataView = NO_VIEW;
  #position = 0;

  /** The open frame: where its header lies, and how many pending bytes came before it. */
  #isOpen = false;
  #frameView: DataView = NO_VIEW;
  #frameOffset = 0;
  #frameStartBytes = 0;
  #frameSealedCount = 0;
  #isClosed = false;
  /** The open parts of it, the innermost last. */
  readonly #parts: Part[] = [];

  /**
   * @param pool where segments come from and go back to
   * @param lengthMax the largest length a frame may have
   * @param tooLong thrown by `end` when a frame is longer
   * @param onPending called when frames are pending and none were before
   */
  constructor(pool: SegmentPool, lengthMax: number, tooLong: ErrorCode, onPending: () => void) {
    this.#pool = pool;
    this.#lengthMax = lengthMax;
    this.#tooLong = tooLong;
    this.#onPending = onPending;
  }

  /** Bytes written and not yet taken. */
  get pendingBytes(): number {
    return this.#sealedBytes + this.#position;
  }

  /** Opens a frame. */
  begin(type: number, id: number): void {
    assert(!this.#isOpen, 'a frame is ended before the next begins', type, id);
    if (this.#position + FRAME_HEADER_BYTES > this.#bytes.length) this.#nextSegment();
    const at = this.#position;
    this.#isOpen = true;
    this.#frameView = this.#view;
    this.#frameOffset = at;
    this.#frameStartBytes = this.#sealedBytes + at;
    this.#frameSealedCount = this.#sealed.count;
    this.#view.setUint16(at + 4, type << 8);
    this.#view.setUint32(at + 6, id);
    this.#position = at + FRAME_HEADER_BYTES;
  }

  /**
   * Ends the open frame.
   *
   * @throws KvorumError with the code given at construction when the frame is too long; it is taken
   * back, and the writer goes on without it.
   */
  end(): void {
    assert(this.#isOpen, 'only an open frame is ended');
    assert(this.#parts.length === 0, 'a frame ends behind its parts', this.#parts.length);
    const length = this.pendingBytes - this.#frameStartBytes - FRAME_LENGTH_BYTES;
    if (length > this.#lengthMax) {
      this.abandon();
      const why = `frame length ${length} exceeds ${this.#lengthMax} bytes`;
      throw new KvorumError(this.#tooLong, why);
    }
    if (this.#isClosed) {
      this.abandon();
      return;
    }
    this.#isOpen = false;
    this.#frameView.setUint32(this.#frameOffset, length);
    const type = this.#frameView.getUint8(this.#frameOffset + FRAME_LENGTH_BYTES);
    if (type === FrameType.Reply || type === FrameType.Error || type === FrameType.Redirect) {
      this.answerCount += 1;
    }
    if (this.#frameStartBytes === 0) this.#onPending();
  }

  /** Takes back the open frame, if one is open. */
  abandon(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.length = 0;
    if (this.#sealed.count > this.#frameSealedCount) this.#restore();
    this.#position = this.#frameOffset;
  }

  /** Takes over the frames of another writer of the same pool, behind its own. */
  adopt(other: FrameWriter): void {
    assert(!this.#isOpen, 'frames are taken over between frames');
    if (this.#isClosed) return other.drop();
    const wasPending = this.pendingBytes > 0;
    if (this.#current !== undefined) this.#seal();
    for (let segment = other.take(); segment !== undefined; segment = other.take()) {
      this.#sealed.push(segment);
      this.#sealedBytes += segment.usedBytes;
    }
    this.answerCount += other.answerCount;
    if (!wasPending && this.pendingBytes > 0) this.#onPending();
  }

  /** Frames ended from now on are dropped; what is pending may still be taken. */
  close(): void {
    this.#isClosed = true;
  }

  /** Drops what is pending. */
  drop(): void {
    this.abandon();
    for (let segment = this.take(); segment !== undefined; segment = this.take()) {
      this.#pool.give(segment);
    }
  }

  /** The oldest pending bytes, now the caller's; undefined when none are pending. */
  take(): Segment | undefined {
    assert(!this.#isOpen, 'segments are taken between frames');
    if (this.#sealed.count === 0) {
      if (this.#current === undefined) return undefined;
      this.#seal();
    }
    const segment = this.#sealed.shift()!;
    this.#sealedBytes -= segment.usedBytes;
    return segment;
  }

  /** Opens a part of the frame, which travels behind its length as u32. Parts may hold parts. */
  beginPart(): void {
    this.u32(0);
    const offset = this.#position - 4;
    this.#parts.push({ view: this.#view, offset, startBytes: this.pendingBytes });
  }

  /** Ends the innermost part. */
  endPart(): void {
    const part = this.#parts.pop();
    assert(part !== undefined, 'only an open part is ended');
    part.view.setUint32(part.offset, this.pendingBytes - part.startBytes);
  }

  u8(value: number): void {
    if (this.#position + 1 > this.#bytes.length) this.#nextSegment();
    this.#bytes[this.#position] = value;
    this.#position += 1;
  }

  /** A boolean, as one byte of 0 or 1. */
  flag(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  u16(value: number): void {
    if (this.#position + 2 > this.#bytes.length) this.#nextSegment();
    this.#view.setUint16(this.#position, value);
    this.#position += 2;
  }

  u32(value: number): void {
    if (this.#position + 4 > this.#bytes.length) this.#nextSegment();
    this.#view.setUint32(this.#position, value);
    this.#position += 4;
  }

  /** A counter from 0 to 2^53 - 1. */
  u64(value: number): void {
    assert(Number.isSafeInteger(value), 'a counter is a safe integer', value);
    assert(value >= 0, 'a counter is not negative', value);
    if (this.#position + 8 > this.#bytes.length) this.#nextSegment();
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setUint32(this.#position, high);
    this.#view.setUint32(this.#position + 4, value - high * 0x1_0000_0000);
    this.#position += 8;
  }

  /** A counter of either sign, from -(2^53 - 1) to 2^53 - 1. */
  i64(value: number): void {
    assert(Number.isSafeInteger(value), 'a counter is a safe integer', value);
    if (this.#position + 8 > this.#bytes.length) this.#nextSegment();
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setInt32(this.#position, high);
    this.#view.setUint32(this.#position + 4, value - high * 0x1_0000_0000);
    this.#position += 8;
  }

  /** A finite number with a fraction (IEEE 754). */
  f64(value: number): void {
    assert(Number.isFinite(value), 'a number is finite', value);
    if (this.#position + 8 > this.#bytes.length) this.#nextSegment();
    this.#view.setFloat64(this.#position, value);
    this.#position += 8;
  }

  /** An opaque unsigned id of 64 bits. */
  id64(value: bigint): void {
    if (this.#position + 8 > this.#bytes.length) this.#nextSegment();
    this.#view.setBigUint64(this.#position, value);
    this.#position += 8;
  }

  /** A lease id: 64 bits, signed as in etcd. */
  lease(value: bigint): void {
    if (this.#position + 8 > this.#bytes.length) this.#nextSegment();
    this.#view.setBigInt64(this.#position, value);
    this.#position += 8;
  }

  /** A node id, or NO_NODE. */
  node(value: NodeId): void {
    this.u32(value === NO_NODE ? NO_NODE_WIRE : value);
  }

  /** Bytes without a length. */
  bytes(source: Uint8Array): void {
    const count = source.length;
    if (this.#position + count > this.#bytes.length) {
      this.#spread(source);
      return;
    }
    const at = this.#position;
    if (count <= COPY_LOOP_BYTES_MAX) {
      const target = this.#bytes;
      for (let i = 0; i < count; i += 1) target[at + i] = source[i]!;
    } else {
      this.#bytes.set(source, at);
    }
    this.#position = at + count;
  }

  /** Bytes behind their length as u32. */
  sized(source: Uint8Array): void {
    this.u32(source.length);
    this.bytes(source);
  }

  /** Text as UTF-8 behind its length in bytes as u16. */
  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    assert(bytes.length <= 0xffff, 'a text has at most 65535 bytes', bytes.length);
    this.u16(bytes.length);
    this.bytes(bytes);
  }

  #spread(source: Uint8Array): void {
    let start = 0;
    while (start < source.length) {
      if (this.#position === this.#bytes.length) this.#nextSegment();
      const count = Math.min(source.length - start, this.#bytes.length - this.#position);
      this.#bytes.set(source.subarray(start, start + count), this.#position);
      this.#position += count;
      start += count;
    }
  }

  /** Seals the current segment and goes on in a fresh one. */
  #nextSegment(): void {
    const isFirst = this.#current === undefined && this.#sealed.count === 0;
    if (this.#current !== undefined) this.#seal();
    const segment = isFirst ? this.#pool.takeSmall() : this.#pool.takeLarge();
    this.#current = segment;
    this.#bytes = segment.bytes;
    this.#view = segment.view;
    this.#position = 0;
  }

  #seal(): void {
    const segment = this.#current;
    assert(segment !== undefined, 'only a segment being filled is sealed');
    segment.usedBytes = this.#position;
    this.#sealed.push(segment);
    this.#sealedBytes += this.#position;
    this.#current = undefined;
    this.#bytes = NO_BYTES;
    this.#view = NO_VIEW;
    this.#position = 0;
  }

  /** Goes back to the segment in which the open frame began. */
  #restore(): void {
    const kept: Segment[] = [];
    for (let slot = 0; slot <= this.#frameSealedCount; slot += 1) kept.push(this.#sealed.shift()!);
    for (let extra = this.#sealed.shift(); extra !== undefined; extra = this.#sealed.shift()) {
      this.#pool.give(extra);
    }
    if (this.#current !== undefined) this.#pool.give(this.#current);

    const segment = kept.pop()!;
    this.#sealedBytes = 0;
    for (const earlier of kept) {
      this.#sealed.push(earlier);
      this.#sealedBytes += earlier.usedBytes;
    }
    this.#current = segment;
    this.#bytes = segment.bytes;
    this.#view = segment.view;
  }
}
