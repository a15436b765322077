/**
 * A cursor over a frame's body. Every read checks that its bytes are there and that the value is
 * one the field may have, so that what a decoder returns cannot be wrong; a bad field is named.
 */

import { isUtf8 } from 'node:buffer';
import { NO_NODE, type NodeId } from '../../include/node.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** High halves of counters beyond 2^53 - 1. */
const HIGH_MAX = 0x1f_ffff;

/** Makes the error that names a bad field. */
export function malformed(field: string, why: string): KvorumError {
  return new KvorumError(ErrorCode.FrameMalformed, `malformed frame: ${field}: ${why}`);
}

/** A cursor over a frame's body. All reads throw KvorumError FrameMalformed. */
export class BodyReader {
  #buffer: Buffer = NO_BYTES;
  #position = 0;
  #end = 0;

  /**
   * The last id64 read: a connection's replies all carry the same, and a bigint costs 100 ns to
   * make.
   */
  #idHigh = 0;
  #idLow = 0;
  #id = 0n;

  /** Starts at a body: buffer[start, end), borrowed until the next `open`. */
  open(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  /** Bytes not read yet. */
  get leftBytes(): number {
    return this.#end - this.#position;
  }

  /**
   * Goes into a part behind its length as u32: what is read next ends with the part, `rest` too.
   *
   * @returns what `leave` wants
   */
  enter(field: string): number {
    const length = this.u32(field);
    if (length > this.leftBytes) throw malformed(field, `${length} bytes, ${this.leftBytes} left`);
    const outerEnd = this.#end;
    this.#end = this.#position + length;
    return outerEnd;
  }

  /** Ends a part: nothing of it may be left. */
  leave(outerEnd: number): void {
    if (this.leftBytes !== 0) throw malformed('end', `${this.leftBytes} bytes too many`);
    this.#end = outerEnd;
  }

  /** Ends a body: nothing may be left. Drops the buffer. */
  close(): void {
    const left = this.leftBytes;
    this.#buffer = NO_BYTES;
    if (left !== 0) throw malformed('end', `${left} bytes too many`);
  }

  u8(field: string): number {
    const at = this.#advance(1, field);
    return this.#buffer[at]!;
  }

  u16(field: string): number {
    return this.#buffer.readUInt16BE(this.#advance(2, field));
  }

  u32(field: string): number {
    return this.#buffer.readUInt32BE(this.#advance(4, field));
  }

  /** A counter from 0 to 2^53 - 1. */
  u64(field: string): number {
    const at = this.#advance(8, field);
    const high = this.#buffer.readUInt32BE(at);
    if (high > HIGH_MAX) throw malformed(field, 'above 2^53 - 1');
    return high * 0x1_0000_0000 + this.#buffer.readUInt32BE(at + 4);
  }

  /** A counter of either sign, from -(2^53 - 1) to 2^53 - 1. */
  i64(field: string): number {
    const at = this.#advance(8, field);
    const high = this.#buffer.readInt32BE(at);
    const value = high * 0x1_0000_0000 + this.#buffer.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw malformed(field, 'beyond 2^53 - 1');
    return value;
  }

  /** A finite number with a fraction (IEEE 754). */
  f64(field: string): number {
    const value = this.#buffer.readDoubleBE(this.#advance(8, field));
    if (!Number.isFinite(value)) throw malformed(field, 'not a finite number');
    return value;
  }

  /** An opaque unsigned id of 64 bits. */
  id64(field: string): bigint {
    const at = this.#advance(8, field);
    const high = this.#buffer.readUInt32BE(at);
    const low = this.#buffer.readUInt32BE(at + 4);
    if (high !== this.#idHigh || low !== this.#idLow) {
      this.#idHigh = high;
      this.#idLow = low;
      this.#id = this.#buffer.readBigUInt64BE(at);
    }
    return this.#id;
  }

  /** A lease id: 64 bits, signed as in etcd. */
  lease(field: string): bigint {
    const at = this.#advance(8, field);
    if (this.#buffer.readUInt32BE(at + 4) === 0 && this.#buffer.readUInt32BE(at) === 0) return 0n;
    return this.#buffer.readBigInt64BE(at);
  }

  /** A boolean: one byte of 0 or 1. */
  flag(field: string): boolean {
    const value = this.u8(field);
    if (value > 1) throw malformed(field, `${value} is neither 0 nor 1`);
    return value === 1;
  }

  /** A set of bits; those outside `known` must be 0. */
  bits(field: string, known: number): number {
    const value = this.u8(field);
    if ((value & ~known) !== 0) throw malformed(field, `${value} has unknown bits`);
    return value;
  }

  /** One of the numbers 0 to `max`. */
  choice(field: string, max: number): number {
    const value = this.u8(field);
    if (value > max) throw malformed(field, `${value} is above ${max}`);
    return value;
  }

  /** A node id, or NO_NODE where none is meant. */
  nodeOrNone(field: string): NodeId {
    const value = this.u32(field);
    return value === 0xffff_ffff ? NO_NODE : value;
  }

  /** A node id. */
  node(field: string): NodeId {
    const value = this.u32(field);
    if (value === 0xffff_ffff) throw malformed(field, 'a node is needed');
    return value;
  }

  /** So many bytes, as a view of the body. */
  bytes(field: string, count: number): Buffer {
    const at = this.#advance(count, field);
    return this.#buffer.subarray(at, at + count);
  }

  /** Bytes behind their length as u32, as a view of the body. */
  sized(field: string): Buffer {
    return this.bytes(field, this.u32(field));
  }

  /** All that is left, as a view of the body. */
  rest(): Buffer {
    const at = this.#position;
    this.#position = this.#end;
    return this.#buffer.subarray(at, this.#end);
  }

  /** Text as UTF-8 behind its length in bytes as u16. */
  text(field: string): string {
    const length = this.u16(field);
    return this.textOf(field, length);
  }

  /** Text as UTF-8 of so many bytes. */
  textOf(field: string, count: number): string {
    const bytes = this.bytes(field, count);
    if (!isUtf8(bytes)) throw malformed(field, 'not UTF-8');
    return bytes.toString('utf8');
  }

  /**
   * How many elements of at least `elementBytes` follow: a count (u32) that the rest cannot hold is
   * refused.
   */
  count(field: string, elementBytes: number): number {
    const count = this.u32(field);
    if (count * elementBytes > this.leftBytes) {
      throw malformed(field, `${count} announced, ${this.leftBytes} bytes left`);
    }
    return count;
  }

  #advance(count: number, field: string): number {
    const at = this.#position;
    if (count > this.#end - at) {
      throw malformed(field, `${count} bytes needed, ${this.#end - at} left`);
    }
    this.#position = at + count;
    return at;
  }
}
