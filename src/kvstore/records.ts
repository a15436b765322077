/**
 * Writes as bytes: records one behind the other in slabs of shared memory, in the order they were
 * made. The objects of the heap stay few however many writes there are, and the thread that makes
 * them durable (lmdb-writer.ts) reads the same memory.
 *
 *   word  field
 *   0     table; STALE is set when a later record holds the same key
 *   1     bytes of the key
 *   2     bytes of the value; DELETED for a deletion
 *   3     the key, then the value; filled up to whole words
 *
 * A record is named by its address: the slab's number times the words of a slab, and the word it
 * starts at. A large one has a slab of its own.
 *
 * Whatever is handed out is a copy: slabs are used again.
 */

import type { Table } from '../../include/kvstore.ts';
import { assert } from '../assert.ts';

/** Bytes of a slab: some 600 writes of 256 bytes. */
export const SLAB_BYTES = 256 * 1024;

/** Slabs that wait to be used again: as many as the fullest overlay takes. */
const FREE_SLABS_MAX = 128;

const WORD_BYTES = 4;
const SLAB_WORDS = SLAB_BYTES / WORD_BYTES;
const SLAB_SHIFT = Math.log2(SLAB_WORDS);
const WORD_MASK = SLAB_WORDS - 1;

/** Larger records have a slab of their own, so that slabs are never left half empty. */
const SHARED_WORDS_MAX = SLAB_WORDS / 4;

const KEY_BYTES_WORD = 1;
const VALUE_BYTES_WORD = 2;
/** Where the key starts. */
const KEY_WORD = 3;
const KEY_OFFSET = KEY_WORD * WORD_BYTES;

const TABLE_MASK = 0xff;
const STALE = 0x100;
const DELETED = -1;

/** Copies of at most so many bytes are made one by one: a call costs more. */
const LOOP_BYTES_MAX = 24;

/** One slab, as numbers and as bytes. */
type Slab = { readonly words: Int32Array; readonly bytes: Buffer };

/** Records as another thread gets them. */
export type SharedRecords = {
  /** How many there are, stale ones included. */
  readonly count: number;
  /** Bytes that they take. */
  readonly sizeBytes: number;
  readonly slabs: readonly SharedArrayBuffer[];
  /** Words in use of each. */
  readonly usedWords: readonly number[];
};

/** Called for each record. Key and value are views: used within the call. */
export type VisitRecord = (table: Table, key: Uint8Array, value: Uint8Array | undefined) => void;

/** Records being written. */
export class Records {
  readonly #slabs: Slab[] = [];
  readonly #usedWords: number[] = [];
  readonly #free: Slab[] = [];
  #usedBytes = 0;
  #count = 0;

  /** Bytes that the records take. */
  get sizeBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Appends a record; both buffers are borrowed.
   * @param value undefined for a deletion
   * @returns its address
   */
  add(table: Table, key: Uint8Array, value: Uint8Array | undefined): number {
    const valueBytes = value === undefined ? 0 : value.length;
    const recordWords = wordsOf(key.length, valueBytes);
    const slot = this.#slabFor(recordWords);
    const word = this.#usedWords[slot]!;
    this.#usedWords[slot] = word + recordWords;
    this.#usedBytes += recordWords * WORD_BYTES;
    this.#count += 1;
    const { words, bytes } = this.#slabs[slot]!;
    words[word] = table;
    words[word + KEY_BYTES_WORD] = key.length;
    words[word + VALUE_BYTES_WORD] = value === undefined ? DELETED : valueBytes;
    const start = word * WORD_BYTES + KEY_OFFSET;
    copyInto(bytes, start, key);
    if (value !== undefined) copyInto(bytes, start + key.length, value);
    return (slot << SLAB_SHIFT) | word;
  }

  /** A later record has the same key. */
  markStale(address: number): void {
    this.#slabOf(address).words[address & WORD_MASK]! |= STALE;
  }

  /** The key of a record. */
  keyAt(address: number): Buffer {
    return copyOf(this.#slabOf(address).bytes, keyStart(address), this.keyBytesAt(address));
  }

  /** The value of a record; undefined for a deletion. */
  valueAt(address: number): Buffer | undefined {
    const { words, bytes } = this.#slabOf(address);
    const word = address & WORD_MASK;
    const valueBytes = words[word + VALUE_BYTES_WORD]!;
    if (valueBytes === DELETED) return undefined;
    return copyOf(bytes, keyStart(address) + words[word + KEY_BYTES_WORD]!, valueBytes);
  }

  isDeletion(address: number): boolean {
    const { words } = this.#slabOf(address);
    return words[(address & WORD_MASK) + VALUE_BYTES_WORD] === DELETED;
  }

  /** Whether a record has this key. */
  hasKey(address: number, key: Uint8Array): boolean {
    const { words, bytes } = this.#slabOf(address);
    if (words[(address & WORD_MASK) + KEY_BYTES_WORD] !== key.length) return false;
    const start = keyStart(address);
    for (let at = 0; at < key.length; at += 1) if (bytes[start + at] !== key[at]) return false;
    return true;
  }

  /** Orders the key of a record and another key: negative when it comes first. */
  compareKey(address: number, key: Uint8Array): number {
    const { bytes } = this.#slabOf(address);
    const start = keyStart(address);
    return compareBytes(bytes, start, this.keyBytesAt(address), key, 0, key.length);
  }

  /** Orders the keys of two records. */
  compareKeys(address: number, other: number): number {
    const { bytes } = this.#slabOf(address);
    const start = keyStart(address);
    const { bytes: otherBytes } = this.#slabOf(other);
    const size = this.keyBytesAt(address);
    return compareBytes(bytes, start, size, otherBytes, keyStart(other), this.keyBytesAt(other));
  }

  /** How many bytes the keys of two records have in common at their start. */
  commonBytes(address: number, other: number): number {
    const { bytes } = this.#slabOf(address);
    const start = keyStart(address);
    const { bytes: otherBytes } = this.#slabOf(other);
    const otherStart = keyStart(other);
    const most = Math.min(this.keyBytesAt(address), this.keyBytesAt(other));
    let common = 0;
    while (common < most && bytes[start + common] === otherBytes[otherStart + common]) common += 1;
    return common;
  }

  /** Four bytes of a record's key, which has them, as a number: it is ordered as they are. */
  keyWordAt(address: number, offset: number): number {
    return this.#slabOf(address).bytes.readUInt32BE(keyStart(address) + offset);
  }

  keyBytesAt(address: number): number {
    return this.#slabOf(address).words[(address & WORD_MASK) + KEY_BYTES_WORD]!;
  }

  /** The records for another thread, which only reads them. Nothing is added meanwhile. */
  share(): SharedRecords {
    const slabs = this.#slabs.map(({ words }) => words.buffer as SharedArrayBuffer);
    const { sizeBytes } = this;
    return { count: this.#count, sizeBytes, slabs, usedWords: [...this.#usedWords] };
  }

  /** Forgets all records and keeps their memory. */
  clear(): void {
    for (const slab of this.#slabs) {
      const isShared = slab.bytes.length === SLAB_BYTES;
      if (isShared && this.#free.length < FREE_SLABS_MAX) this.#free.push(slab);
    }
    this.#slabs.length = 0;
    this.#usedWords.length = 0;
    this.#usedBytes = 0;
    this.#count = 0;
  }

  #slabOf(address: number): Slab {
    return this.#slabs[address >>> SLAB_SHIFT]!;
  }

  /** The slot of a slab with room for a record. */
  #slabFor(recordWords: number): number {
    const last = this.#slabs.length - 1;
    const room = last < 0 ? 0 : this.#slabs[last]!.words.length - this.#usedWords[last]!;
    if (recordWords <= room) return last;
    const isLarge = recordWords > SHARED_WORDS_MAX;
    assert(last + 1 < 2 ** (31 - SLAB_SHIFT), 'addresses have 31 bits', last);
    this.#slabs.push(
      isLarge ? createSlab(recordWords) : (this.#free.pop() ?? createSlab(SLAB_WORDS)),
    );
    this.#usedWords.push(0);
    return last + 1;
  }
}

/** Where the key of a record starts in its slab. */
function keyStart(address: number): number {
  return (address & WORD_MASK) * WORD_BYTES + KEY_OFFSET;
}

/** Visits the newest record of each key, in the order they were written. */
export function visitRecords({ slabs, usedWords }: SharedRecords, visit: VisitRecord): void {
  for (const [slot, slab] of slabs.entries()) {
    const words = new Int32Array(slab);
    const end = usedWords[slot]!;
    for (let word = 0; word < end; ) {
      const head = words[word]!;
      const keyBytes = words[word + KEY_BYTES_WORD]!;
      const valueBytes = words[word + VALUE_BYTES_WORD]!;
      if ((head & STALE) === 0) {
        const start = word * WORD_BYTES + KEY_OFFSET;
        const key = new Uint8Array(slab, start, keyBytes);
        const isDeletion = valueBytes === DELETED;
        const value = isDeletion ? undefined : new Uint8Array(slab, start + keyBytes, valueBytes);
        visit((head & TABLE_MASK) as Table, key, value);
      }
      word += wordsOf(keyBytes, Math.max(0, valueBytes));
    }
  }
}

/** The hash of a key: FNV-1a, 32 bits. */
export function hashKey(key: Uint8Array): number {
  let hash = 0x811c_9dc5 | 0;
  for (let at = 0; at < key.length; at += 1) {
    hash = Math.imul(hash ^ key[at]!, 0x0100_0193);
  }
  // The low bits, which choose a place, depend on all others.
  return hash ^ (hash >>> 15);
}

function createSlab(words: number): Slab {
  const memory = new SharedArrayBuffer(words * WORD_BYTES);
  return { words: new Int32Array(memory), bytes: Buffer.from(memory) };
}

function wordsOf(keyBytes: number, valueBytes: number): number {
  return KEY_WORD + ((keyBytes + valueBytes + WORD_BYTES - 1) >>> 2);
}

function copyInto(bytes: Buffer, start: number, from: Uint8Array): void {
  if (from.length > LOOP_BYTES_MAX) bytes.set(from, start);
  else for (let at = 0; at < from.length; at += 1) bytes[start + at] = from[at]!;
}

function copyOf(bytes: Buffer, start: number, sizeBytes: number): Buffer {
  const copy = Buffer.allocUnsafe(sizeBytes);
  bytes.copy(copy, 0, start, start + sizeBytes);
  return copy;
}

function compareBytes(
  a: Uint8Array,
  aStart: number,
  aBytes: number,
  b: Uint8Array,
  bStart: number,
  bBytes: number,
): number {
  const common = Math.min(aBytes, bBytes);
  for (let at = 0; at < common; at += 1) {
    const order = a[aStart + at]! - b[bStart + at]!;
    if (order !== 0) return order;
  }
  return aBytes - bBytes;
}
