/**
 * A write buffer over the durable layer: the writes since the last flush, the newest of each key,
 * deletions included. One overlay becomes one transaction of the layer below.
 *
 * The pairs are records in slabs (records.ts); a table knows where the newest one of each key is.
 * It finds keys by their hash, and makes order only when a scan asks (sorted-entries.ts). The
 * Revisions table is written in ascending order but for the deletions of a compaction, so its
 * writes go to the end of an array, which costs a fifth of a hash table and is in order already:
 *
 *   tail:   (7,0) (8,0) (8,1) (9,0)     puts above all before, found by binary search on numbers
 *   hashed: (2,0) (5,0)                 the rest
 *
 * An entry is a key that was written, numbered in the order of first writes.
 *
 * Invariant: a key in both is newer in the tail, since a write looks there first.
 */

import type { ScanBounds, Table } from '../../include/kvstore.ts';
import { TABLE_COUNT, Table as Tables } from '../../include/kvstore.ts';
import { EntryIndex } from './entry-index.ts';
import type { PairCursor } from './pair-cursor.ts';
import { hashKey, Records, type SharedRecords } from './records.ts';
import type { EntryOrder } from './sort-entries.ts';
import { type EntryWalk, NO_ENTRY, SortedEntries } from './sorted-entries.ts';

/** Length of the keys that the tail takes: main revision u64, sub revision u32. */
const TAIL_KEY_BYTES = 12;

/** Entries whose addresses a table has room for at least. */
const ENTRIES_MIN = 128;

/** A cursor over an overlay's entries. */
export type EntryPairCursor = PairCursor & {
  readonly isDeletion: boolean;
  /** Whether the layer below holds the key, as was noted in this epoch; undefined: nobody did. */
  readonly isBelow: (epoch: number) => boolean | undefined;
  readonly noteBelow: (epoch: number, isBelow: boolean) => void;
};

/** One table of an overlay. */
export class OverlayTable {
  readonly #table: Table;
  readonly #records: Records;
  readonly #hasTail: boolean;
  /** Where the newest record of each entry is. */
  #addresses = new Int32Array(0);
  #count = 0;
  /** Finds those that are not in the tail. */
  readonly #index: EntryIndex;
  /** Of each entry, in which epoch somebody noted whether the layer below holds it. */
  #belowNotes = new Int32Array(0);
  readonly #order: EntryOrder;
  readonly #sorted: SortedEntries;
  /** The tail's entries, and the main revisions of their keys. */
  #tail = new Int32Array(0);
  #tailMains = new Float64Array(0);
  #tailCount = 0;

  /** @param records where the overlay's records are */
  constructor(table: Table, records: Records) {
    this.#table = table;
    this.#records = records;
    // Its keys are revisions, mostly put in ascending order.
    this.#hasTail = table === Tables.Revisions;
    const addressOf = (entry: number): number => this.#addresses[entry]!;
    this.#order = {
      compare: (entry, other) => records.compareKeys(addressOf(entry), addressOf(other)),
      compareKey: (entry, key) => records.compareKey(addressOf(entry), key),
      commonBytes: (entry, other) => records.commonBytes(addressOf(entry), addressOf(other)),
      wordAt: (entry, offset) => records.keyWordAt(addressOf(entry), offset),
      keyBytes: (entry) => records.keyBytesAt(addressOf(entry)),
    };
    this.#sorted = new SortedEntries(this.#order, (entry) => this.keyOf(entry));
    this.#index = new EntryIndex((entry, key) => records.hasKey(addressOf(entry), key));
  }

  /** How many keys were written. */
  get count(): number {
    return this.#count;
  }

  /** The entry of a key; NO_ENTRY when it was not written. */
  find(key: Buffer): number {
    if (this.#tailCount > 0) {
      const entry = this.#findInTail(key);
      if (entry !== NO_ENTRY) return entry;
    }
    return this.#index.count === 0 ? NO_ENTRY : this.#index.find(key, hashKey(key));
  }

  /** The key of an entry. */
  keyOf(entry: number): Buffer {
    return this.#records.keyAt(this.#addresses[entry]!);
  }

  /** What was written to an entry last; undefined for a deletion. */
  valueOf(entry: number): Buffer | undefined {
    return this.#records.valueAt(this.#addresses[entry]!);
  }

  isDeletion(entry: number): boolean {
    return this.#records.isDeletion(this.#addresses[entry]!);
  }

  /** Writes a pair, or with an undefined value a deletion. Both buffers are borrowed. */
  write(key: Buffer, value: Buffer | undefined): void {
    if (this.#hasTail && key.length === TAIL_KEY_BYTES && this.#writeTail(key, value)) return;
    const hash = hashKey(key);
    const entry = this.#index.find(key, hash);
    if (entry !== NO_ENTRY) {
      this.#rewrite(entry, key, value);
      return;
    }
    const added = this.#addEntry(this.#records.add(this.#table, key, value));
    this.#index.add(added, hash);
    this.#sorted.add(added);
  }

  /** Cursors that together cover the entries in bounds, the newest layer first. */
  pushCursors(bounds: ScanBounds, cursors: EntryPairCursor[]): void {
    if (this.#tailCount > 0) {
      const tail = this.#tail.subarray(0, this.#tailCount);
      cursors.push(new OverlayCursor(this, new TailWalk(tail, this.#order, bounds)));
    }
    if (this.#index.count > 0) cursors.push(new OverlayCursor(this, this.#sorted.walk(bounds)));
  }

  isBelow(entry: number, epoch: number): boolean | undefined {
    const note = this.#belowNotes[entry] ?? 0;
    return note >> 1 === epoch + 1 ? (note & 1) === 1 : undefined;
  }

  noteBelow(entry: number, epoch: number, isBelow: boolean): void {
    if (this.#belowNotes.length < this.#addresses.length) {
      this.#belowNotes = grown(this.#belowNotes, this.#addresses.length);
    }
    this.#belowNotes[entry] = ((epoch + 1) << 1) | (isBelow ? 1 : 0);
  }

  /** Forgets all entries and keeps their memory. */
  clear(): void {
    this.#index.clear();
    if (this.#belowNotes.length > 0) this.#belowNotes.fill(0);
    this.#count = 0;
    this.#sorted.clear();
    this.#tailCount = 0;
  }

  #addEntry(address: number): number {
    const entry = this.#count;
    if (entry === this.#addresses.length) {
      this.#addresses = grown(this.#addresses, Math.max(ENTRIES_MIN, 2 * entry));
    }
    this.#addresses[entry] = address;
    this.#count += 1;
    return entry;
  }

  #rewrite(entry: number, key: Buffer, value: Buffer | undefined): void {
    this.#records.markStale(this.#addresses[entry]!);
    this.#addresses[entry] = this.#records.add(this.#table, key, value);
  }

  /** Writes a key that is in the tail, or a pair that belongs at its end. */
  #writeTail(key: Buffer, value: Buffer | undefined): boolean {
    const main = readMain(key);
    const last = this.#tailCount - 1;
    if (last >= 0) {
      const lastMain = this.#tailMains[last]!;
      const isBehind =
        main > lastMain ||
        (main === lastMain && this.#order.compareKey(this.#tail[last]!, key) < 0);
      if (!isBehind) {
        const entry = this.#findInTail(key);
        if (entry !== NO_ENTRY) this.#rewrite(entry, key, value);
        return entry !== NO_ENTRY;
      }
    }
    if (value === undefined || main > Number.MAX_SAFE_INTEGER) return false;
    this.#addToTail(this.#addEntry(this.#records.add(this.#table, key, value)), main);
    return true;
  }

  #addToTail(entry: number, main: number): void {
    const slot = this.#tailCount;
    if (slot === this.#tail.length) {
      const length = Math.max(ENTRIES_MIN, 2 * slot);
      this.#tail = grown(this.#tail, length);
      const mains = new Float64Array(length);
      mains.set(this.#tailMains);
      this.#tailMains = mains;
    }
    this.#tail[slot] = entry;
    this.#tailMains[slot] = main;
    this.#tailCount += 1;
  }

  #findInTail(key: Buffer): number {
    if (key.length !== TAIL_KEY_BYTES) return NO_ENTRY;
    const mains = this.#tailMains;
    const main = readMain(key);
    if (main < mains[0]! || main > mains[this.#tailCount - 1]!) return NO_ENTRY;
    let low = 0;
    let high = this.#tailCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = mains[middle]!;
      if (
        found < main ||
        (found === main && this.#order.compareKey(this.#tail[middle]!, key) < 0)
      ) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (mains[low] !== main) return NO_ENTRY;
    const entry = this.#tail[low]!;
    return this.#order.compareKey(entry, key) === 0 ? entry : NO_ENTRY;
  }
}

function readMain(key: Buffer): number {
  return key.readUInt32BE(0) * 0x1_0000_0000 + key.readUInt32BE(4);
}

function grown(numbers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(numbers);
  return larger;
}

/** Walks over the tail of a table, either way. */
class TailWalk {
  entry: number = NO_ENTRY;
  readonly #tail: Int32Array;
  readonly #step: number;
  #slot: number;
  /** The first slot that is out of bounds. */
  readonly #endSlot: number;

  constructor(tail: Int32Array, order: EntryOrder, bounds: ScanBounds) {
    this.#tail = tail;
    const from = slotOf(tail, order, bounds.from);
    const to = bounds.to === undefined ? tail.length : slotOf(tail, order, bounds.to);
    this.#step = bounds.reverse ? -1 : 1;
    this.#slot = bounds.reverse ? to - 1 : from;
    this.#endSlot = bounds.reverse ? Math.min(from, to) - 1 : Math.max(from, to);
    this.#settle();
  }

  advance(): void {
    this.#slot += this.#step;
    this.#settle();
  }

  #settle(): void {
    this.entry = this.#slot === this.#endSlot ? NO_ENTRY : this.#tail[this.#slot]!;
  }
}

/** The slot of the first entry at or behind a key. */
function slotOf(tail: Int32Array, order: EntryOrder, key: Buffer): number {
  let low = 0;
  let high = tail.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order.compareKey(tail[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The pairs of a walk over a table's entries. */
class OverlayCursor implements EntryPairCursor {
  key: Buffer | undefined;
  readonly #table: OverlayTable;
  readonly #walk: EntryWalk | TailWalk;

  constructor(table: OverlayTable, walk: EntryWalk | TailWalk) {
    this.#table = table;
    this.#walk = walk;
    this.#settle();
  }

  get value(): Buffer | undefined {
    return this.#table.valueOf(this.#walk.entry);
  }

  get isDeletion(): boolean {
    return this.#table.isDeletion(this.#walk.entry);
  }

  advance(): void {
    this.#walk.advance();
    this.#settle();
  }

  close(): void {}

  isBelow(epoch: number): boolean | undefined {
    return this.#table.isBelow(this.#walk.entry, epoch);
  }

  noteBelow(epoch: number, isBelow: boolean): void {
    this.#table.noteBelow(this.#walk.entry, epoch, isBelow);
  }

  #settle(): void {
    const { entry } = this.#walk;
    this.key = entry === NO_ENTRY ? undefined : this.#table.keyOf(entry);
  }
}

/** The writes since a flush, all tables. */
export class Overlay {
  readonly #records = new Records();
  readonly tables: readonly OverlayTable[] = Array.from(
    { length: TABLE_COUNT },
    (_, table) => new OverlayTable(table as Table, this.#records),
  );

  get isEmpty(): boolean {
    return this.sizeBytes === 0;
  }

  /** Bytes of memory that the pairs take. */
  get sizeBytes(): number {
    return this.#records.sizeBytes;
  }

  /** Writes a pair, or with an undefined value a deletion. Both buffers are borrowed. */
  write(table: Table, key: Buffer, value: Buffer | undefined): void {
    this.tables[table]!.write(key, value);
  }

  /** All pairs and deletions, for whoever makes them durable. */
  share(): SharedRecords {
    return this.#records.share();
  }

  /** Forgets everything and keeps the memory for what is written next. */
  clear(): void {
    for (const table of this.tables) table.clear();
    this.#records.clear();
  }
}
