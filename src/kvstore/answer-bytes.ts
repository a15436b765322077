/**
 * The fields of an answer that a session remembers (answer-codec.ts), written into room of a fixed
 * size and read back. What is read was written here: it is trusted.
 */

import type { KeyValue } from '../../include/kvstore.ts';
import { readCounter, readLease, writeCounter, writeLease } from './key-record.ts';

/** Bytes of a pair besides key and value. */
const PAIR_FIXED_BYTES = 40;

/** Writes fields one behind the other. What has no room is left out, and `isFull` says so. */
export class AnswerWriter {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #used = 0;
  #isFull = false;

  /** @param sizeBytes how much it takes */
  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, sizeBytes);
  }

  /** Whether something had no room. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Starts anew. */
  clear(): void {
    this.#used = 0;
    this.#isFull = false;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#used));
  }

  byte(value: number): void {
    const offset = this.#reserve(1);
    if (offset >= 0) this.#view.setUint8(offset, value);
  }

  word(value: number): void {
    const offset = this.#reserve(4);
    if (offset >= 0) this.#view.setUint32(offset, value);
  }

  counter(value: number): void {
    const offset = this.#reserve(8);
    if (offset >= 0) writeCounter(this.#view, offset, value);
  }

  lease(value: bigint): void {
    const offset = this.#reserve(8);
    if (offset >= 0) writeLease(this.#view, offset, value);
  }

  pair(kv: KeyValue): void {
    const offset = this.#reserve(PAIR_FIXED_BYTES + kv.key.length + kv.value.length);
    if (offset < 0) return;
    writeCounter(this.#view, offset, kv.createRevision);
    writeCounter(this.#view, offset + 8, kv.modRevision);
    writeCounter(this.#view, offset + 16, kv.version);
    writeLease(this.#view, offset + 24, kv.lease);
    this.#view.setUint32(offset + 32, kv.key.length);
    this.#view.setUint32(offset + 36, kv.value.length);
    this.#bytes.set(kv.key, offset + PAIR_FIXED_BYTES);
    this.#bytes.set(kv.value, offset + PAIR_FIXED_BYTES + kv.key.length);
  }

  pairs(kvs: readonly KeyValue[]): void {
    this.word(kvs.length);
    for (const kv of kvs) this.pair(kv);
  }

  /** Where a field goes; -1 when there is no room for it, or was none for one before it. */
  #reserve(sizeBytes: number): number {
    const offset = this.#used;
    this.#isFull ||= offset + sizeBytes > this.#bytes.length;
    if (this.#isFull) return -1;
    this.#used += sizeBytes;
    return offset;
  }
}

/** Reads fields one behind the other. */
export class AnswerReader {
  readonly #bytes: Buffer;
  #offset = 0;

  /** @param bytes borrowed, keys and values read are views of it: it must not change */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  word(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  counter(): number {
    return readCounter(this.#bytes, this.#advance(8));
  }

  lease(): bigint {
    return readLease(this.#bytes, this.#advance(8));
  }

  pair(): KeyValue {
    const createRevision = this.counter();
    const modRevision = this.counter();
    const version = this.counter();
    const lease = this.lease();
    const keyBytes = this.word();
    const valueBytes = this.word();
    const key = this.#view(keyBytes);
    const value = this.#view(valueBytes);
    return { key, value, createRevision, modRevision, version, lease };
  }

  pairs(): KeyValue[] {
    return Array.from({ length: this.word() }, () => this.pair());
  }

  #view(sizeBytes: number): Buffer {
    const start = this.#advance(sizeBytes);
    return this.#bytes.subarray(start, start + sizeBytes);
  }

  #advance(sizeBytes: number): number {
    const offset = this.#offset;
    this.#offset += sizeBytes;
    return offset;
  }
}
