/**
 * A snapshot as a stream of bytes, cut into chunks of any size:
 *
 *   pair:  table u8 | key length u16 | value length u32 | key | value      tables and keys
 *   ascending end:   0xff | pairs u64 | CRC-32 of all bytes before u32               nothing
 *   follows
 */

import { crc32 } from 'node:zlib';
import { type ByteMapSnapshot, SNAPSHOT_CHUNK_BYTES, Table } from '../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { writeCounter } from './key-record.ts';
import { ALL_PAIRS } from './pair-cursor.ts';

/** Bytes of a pair before its key. */
export const PAIR_HEADER_BYTES = 7;

/** Stands in the place of a table before the end. */
export const END_MARK = 0xff;

/** Bytes of the end. */
export const END_BYTES = 13;

/** The tables in the order of the stream, which is the order of their numbers. */
const TABLES = Object.values(Table);

/** Cuts a view into chunks, as they are asked for. */
export class SnapshotStream {
  readonly #view: ByteMapSnapshot;
  #table = 0;
  /** Where to go on in the table: the key after the last one. */
  #from = ALL_PAIRS.from;
  /** Encoded bytes that had no room in the last chunk. */
  #carry: Buffer = Buffer.alloc(0);
  #pairCount = 0;
  #checksum = 0;
  #isEnded = false;
  #isClosed = false;

  constructor(view: ByteMapSnapshot) {
    this.#view = view;
  }

  /**
   * The next chunk, given away: SNAPSHOT_CHUNK_BYTES, less only at the end. Undefined behind it.
   */
  next(): Buffer | undefined {
    if (this.#isClosed) throw new KvorumError(ErrorCode.Stopped, 'kvorum: the snapshot is closed');
    const chunk = Buffer.allocUnsafe(SNAPSHOT_CHUNK_BYTES);
    let used = this.#takeCarry(chunk);
    while (used < chunk.length && this.#table < TABLES.length) used = this.#fill(chunk, used);
    if (used < chunk.length && !this.#isEnded) {
      this.#isEnded = true;
      this.#carry = this.#encodeEnd(chunk.subarray(0, used));
      used += this.#takeCarry(chunk.subarray(used));
    } else {
      this.#checksum = crc32(chunk.subarray(0, used), this.#checksum);
    }
    return used === 0 ? undefined : chunk.subarray(0, used);
  }

  /** Releases the view. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#view.close();
  }

  #takeCarry(chunk: Buffer): number {
    const taken = this.#carry.copy(chunk);
    this.#carry = this.#carry.subarray(taken);
    return taken;
  }

  /**
   * Writes pairs of the current table until it or the chunk ends; returns how far the chunk is
   * used.
   */
  #fill(chunk: Buffer, used: number): number {
    const bounds = { from: this.#from, to: undefined, reverse: false };
    let isTableEnd = true;
    this.#view.scan(this.#tableNow(), bounds, (key, value) => {
      this.#pairCount += 1;
      const pairBytes = PAIR_HEADER_BYTES + key.length + value.length;
      if (used + pairBytes <= chunk.length) {
        used = this.#writePair(chunk, used, key, value);
        return true;
      }
      const pair = Buffer.allocUnsafe(pairBytes);
      this.#writePair(pair, 0, key, value);
      this.#carry = pair;
      used += this.#takeCarry(chunk.subarray(used));
      this.#from = Buffer.concat([key, Buffer.alloc(1)]);
      isTableEnd = false;
      return false;
    });
    if (isTableEnd) {
      this.#table += 1;
      this.#from = ALL_PAIRS.from;
    }
    return used;
  }

  #tableNow(): Table {
    return TABLES[this.#table]!;
  }

  #writePair(target: Buffer, offset: number, key: Buffer, value: Buffer): number {
    target.writeUInt8(this.#table, offset);
    target.writeUInt16BE(key.length, offset + 1);
    target.writeUInt32BE(value.length, offset + 3);
    target.set(key, offset + PAIR_HEADER_BYTES);
    target.set(value, offset + PAIR_HEADER_BYTES + key.length);
    return offset + PAIR_HEADER_BYTES + key.length + value.length;
  }

  #encodeEnd(rest: Buffer): Buffer {
    this.#checksum = crc32(rest, this.#checksum);
    const end = Buffer.alloc(END_BYTES);
    end.writeUInt8(END_MARK, 0);
    writeCounter(new DataView(end.buffer, end.byteOffset, end.byteLength), 1, this.#pairCount);
    end.writeUInt32BE(this.#checksum, 9);
    return end;
  }
}
