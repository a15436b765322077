/**
 * Reads the stream of snapshot-stream.ts: gives its pairs, and checks that all came as they were
 * sent. The chunks may be cut anywhere.
 */

import { crc32 } from 'node:zlib';
import { REQUEST_BYTES_MAX, SESSION_ANSWERS_BYTES_MAX, Table } from '../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { isPair } from './check-pair.ts';
import { headMain, readCounter } from './key-record.ts';
import { TABLE_KEY_BYTES_MAX } from './lease-table.ts';
import { END_BYTES, END_MARK, PAIR_HEADER_BYTES } from './snapshot-stream.ts';
import type { StoreState } from './store-state.ts';

/** The longest value in any table: a largest request or a session's answers, and their heads. */
const VALUE_BYTES_MAX = Math.max(REQUEST_BYTES_MAX, SESSION_ANSWERS_BYTES_MAX) + 64 * 1024;

const TABLES = Object.values(Table);

/** Is given a pair; key and value are views of a chunk. */
export type TakePair = (table: Table, key: Buffer, value: Buffer) => void;

/** Takes a snapshot's chunks apart. */
export class SnapshotPairs {
  readonly #take: TakePair;
  /** The start of a pair that the next chunk completes. */
  #rest: Buffer = Buffer.alloc(0);
  #pairCount = 0;
  /** The newest revision that is there or that a key names. */
  #newestMain = 0;
  #checksum = 0;
  #isEnded = false;

  constructor(take: TakePair) {
    this.#take = take;
  }

  /** Takes a chunk and owns it. @throws KvorumError FrameMalformed: the stream is damaged */
  write(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let offset = 0;
    for (;;) {
      if (this.#isEnded && offset < bytes.length) throw damaged('bytes follow its end');
      const sizeBytes = this.#isEnded ? 0 : itemBytes(bytes, offset);
      if (sizeBytes === 0 || offset + sizeBytes > bytes.length) break;
      this.#takeItem(bytes.subarray(offset, offset + sizeBytes));
      offset += sizeBytes;
    }
    // A copy, so that a small rest does not keep a large chunk.
    this.#rest = Buffer.from(bytes.subarray(offset));
  }

  /** Checks that all came. @throws KvorumError FrameMalformed */
  finish(): void {
    if (!this.#isEnded) throw damaged('it was cut short');
  }

  /**
   * Holds its state against the pairs. One behind them would make their revisions once more.
   * @param keyCount how many Keys had
   * @throws KvorumError FrameMalformed
   */
  checkState(state: Pick<StoreState, 'revision' | 'keyCount'>, keyCount: number): void {
    if (keyCount !== state.keyCount) {
      throw damaged(`it has ${keyCount} keys and says ${state.keyCount}`);
    }
    if (this.#newestMain > state.revision) {
      throw damaged(`it has revision ${this.#newestMain} and says ${state.revision}`);
    }
  }

  /** Takes one pair, or the end. */
  #takeItem(item: Buffer): void {
    if (item[0] === END_MARK) {
      this.#checkEnd(item);
      return;
    }
    this.#pairCount += 1;
    this.#checksum = crc32(item, this.#checksum);
    const table = TABLES[item.readUInt8(0)];
    if (table === undefined) throw damaged(`it has a table ${item.readUInt8(0)}`);
    const valueOffset = PAIR_HEADER_BYTES + item.readUInt16BE(1);
    const key = item.subarray(PAIR_HEADER_BYTES, valueOffset);
    const value = item.subarray(valueOffset);
    if (!isPair(table, key, value)) throw damaged(`table ${table} cannot hold what it has`);
    this.#newestMain = Math.max(this.#newestMain, mainOf(table, key, value));
    this.#take(table, key, value);
  }

  #checkEnd(end: Buffer): void {
    const pairCount = readCounter(end, 1);
    if (pairCount !== this.#pairCount) {
      throw damaged(`${this.#pairCount} pairs of ${pairCount} came`);
    }
    if (end.readUInt32BE(9) !== this.#checksum) throw damaged('its checksum is wrong');
    this.#isEnded = true;
  }
}

/** The revision that a pair holds, or that its key had last; 0 for none. */
function mainOf(table: Table, key: Buffer, value: Buffer): number {
  switch (table) {
    case Table.Revisions:
      return readCounter(key, 0);
    case Table.Keys:
    case Table.Tombstones:
      return headMain(value);
    case Table.Leases:
    case Table.LeaseKeys:
    case Table.Meta:
    case Table.Sessions:
      return 0;
  }
}

/** Bytes of the pair or end that starts at an offset; 0 when too little of it is there to say. */
function itemBytes(bytes: Buffer, offset: number): number {
  if (offset >= bytes.length) return 0;
  if (bytes[offset] === END_MARK) return END_BYTES;
  if (offset + PAIR_HEADER_BYTES > bytes.length) return 0;
  const keyBytes = bytes.readUInt16BE(offset + 1);
  const valueBytes = bytes.readUInt32BE(offset + 3);
  if (keyBytes === 0 || keyBytes > TABLE_KEY_BYTES_MAX) {
    throw damaged(`it has a key of ${keyBytes} bytes`);
  }
  if (valueBytes > VALUE_BYTES_MAX) throw damaged(`it has a value of ${valueBytes} bytes`);
  return PAIR_HEADER_BYTES + keyBytes + valueBytes;
}

/** What is wrong with a snapshot. */
export function damaged(how: string): KvorumError {
  return new KvorumError(ErrorCode.FrameMalformed, `kvorum: a snapshot is damaged: ${how}`);
}
