/**
 * A write buffer over the durable layer: the writes since the last flush, the newest of each key,
 * deletions included. One overlay becomes one transaction of the layer below.
 *
 * Tables are hashed by key; order is made only when a scan asks (sorted-entries.ts). The Revisions
 * table is written in ascending order but for the deletions of a compaction, so its writes go to
 * the end of an array, which costs a fifth of a hash table and is in order already:
 *
 *   tail:   (7,0) (8,0) (8,1) (9,0)     puts above all before, found by binary search on numbers
 *   hashed: (2,0) (5,0)                 the rest
 *
 * Invariant: a key in both is newer in the tail, since a write looks there first.
 */

import type { ScanBounds, Table } from '../../include/kvstore.ts';
import { TABLE_COUNT, Table as Tables } from '../../include/kvstore.ts';
import type { PairCursor } from './pair-cursor.ts';
import { type OverlayEntry, SortedEntries } from './sorted-entries.ts';

/** Bytes of memory a pair costs beyond its own. */
export const PAIR_OVERHEAD_BYTES = 64;

/**
 * Bytes that a pair counts at least: when it is flushed it holds up the event loop as long as so
 * many of large pairs, 0.2 µs.
 */
const PAIR_BYTES_MIN = 256;

/** Length of the keys that the tail takes: main revision u64, sub revision u32. */
const TAIL_KEY_BYTES = 12;

/** A cursor over an overlay's entries. */
export type EntryPairCursor = PairCursor & { readonly entry: OverlayEntry | undefined };

/** One table of an overlay. */
export class OverlayTable {
  readonly #hasTail: boolean;
  readonly #byText = new Map<string, OverlayEntry>();
  readonly #sorted = new SortedEntries();
  readonly #tail: OverlayEntry[] = [];
  /** The main revisions of the tail's keys. */
  readonly #tailMains: number[] = [];

  /** @param hasTail whether keys are revisions, mostly put in ascending order */
  constructor(hasTail: boolean) {
    this.#hasTail = hasTail;
  }

  /** How many keys were written. */
  get count(): number {
    return this.#byText.size + this.#tail.length;
  }

  /** What was written to a key last; undefined when nothing was. */
  find(key: Buffer): OverlayEntry | undefined {
    if (this.#tail.length > 0) {
      const entry = this.#findInTail(key);
      if (entry !== undefined) return entry;
    }
    return this.#byText.size === 0 ? undefined : this.#byText.get(key.toString('latin1'));
  }

  /**
   * Writes a pair, or with an undefined value a deletion. Owns both buffers.
   * @returns by how much the overlay grew, in bytes
   */
  write(key: Buffer, value: Buffer | undefined): number {
    const valueBytes = value === undefined ? 0 : value.length;
    let known = this.#tail.length > 0 ? this.#findInTail(key) : undefined;
    if (known === undefined && this.#hasTail && value !== undefined && this.#append(key, value)) {
      return key.length + valueBytes + PAIR_OVERHEAD_BYTES;
    }
    let text = '';
    if (known === undefined) {
      text = key.toString('latin1');
      known = this.#byText.get(text);
    }
    if (known !== undefined) {
      const growth = valueBytes - (known.value === undefined ? 0 : known.value.length);
      known.value = value;
      return growth;
    }
    const entry = { key, text, value, isBelow: false, belowEpoch: -1 };
    this.#byText.set(text, entry);
    this.#sorted.add(entry);
    return key.length + valueBytes + PAIR_OVERHEAD_BYTES;
  }

  /** Cursors that together cover the entries in bounds, the newest layer first. */
  pushCursors(bounds: ScanBounds, cursors: EntryPairCursor[]): void {
    if (this.#tail.length > 0) cursors.push(new TailCursor(this.#tail, bounds));
    if (this.#byText.size > 0) cursors.push(this.#sorted.cursor(bounds));
  }

  /** Visits all entries, the older one first of a key that has two. */
  forEach(visit: (entry: OverlayEntry) => void): void {
    for (const entry of this.#byText.values()) visit(entry);
    for (const entry of this.#tail) visit(entry);
  }

  #append(key: Buffer, value: Buffer): boolean {
    if (key.length !== TAIL_KEY_BYTES) return false;
    const main = readMain(key);
    if (main > Number.MAX_SAFE_INTEGER) return false;
    const last = this.#tail.length - 1;
    if (last >= 0) {
      const lastMain = this.#tailMains[last]!;
      if (main < lastMain) return false;
      if (main === lastMain && key.compare(this.#tail[last]!.key) <= 0) return false;
    }
    this.#tail.push({ key, text: '', value, isBelow: false, belowEpoch: -1 });
    this.#tailMains.push(main);
    return true;
  }

  #findInTail(key: Buffer): OverlayEntry | undefined {
    if (key.length !== TAIL_KEY_BYTES) return undefined;
    const mains = this.#tailMains;
    const main = readMain(key);
    const sub = readSub(key);
    if (main < mains[0]! || main > mains[mains.length - 1]!) return undefined;
    let low = 0;
    let high = mains.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = mains[middle]!;
      if (found < main || (found === main && readSub(this.#tail[middle]!.key) < sub)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (mains[low] !== main) return undefined;
    const entry = this.#tail[low]!;
    return readSub(entry.key) === sub ? entry : undefined;
  }
}

function readMain(key: Buffer): number {
  return key.readUInt32BE(0) * 0x1_0000_0000 + key.readUInt32BE(4);
}

function readSub(key: Buffer): number {
  return key.readUInt32BE(8);
}

/** Walks over the tail of a table, either way. */
class TailCursor implements EntryPairCursor {
  key: Buffer | undefined;
  value: Buffer | undefined;
  entry: OverlayEntry | undefined;
  readonly #tail: readonly OverlayEntry[];
  readonly #step: number;
  #slot: number;
  /** The first slot that is out of bounds. */
  readonly #endSlot: number;

  constructor(tail: readonly OverlayEntry[], bounds: ScanBounds) {
    this.#tail = tail;
    const from = slotOf(tail, bounds.from);
    const to = bounds.to === undefined ? tail.length : slotOf(tail, bounds.to);
    this.#step = bounds.reverse ? -1 : 1;
    this.#slot = bounds.reverse ? to - 1 : from;
    this.#endSlot = bounds.reverse ? Math.min(from, to) - 1 : Math.max(from, to);
    this.#settle();
  }

  advance(): void {
    this.#slot += this.#step;
    this.#settle();
  }

  close(): void {}

  #settle(): void {
    this.entry = this.#slot === this.#endSlot ? undefined : this.#tail[this.#slot];
    this.key = this.entry?.key;
    this.value = this.entry?.value;
  }
}

/** The slot of the first entry at or behind a key. */
function slotOf(tail: readonly OverlayEntry[], key: Buffer): number {
  let low = 0;
  let high = tail.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tail[middle]!.key.compare(key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The writes since a flush, all tables. */
export class Overlay {
  readonly tables: readonly OverlayTable[] = Array.from(
    { length: TABLE_COUNT },
    (_, table) => new OverlayTable(table === Tables.Revisions),
  );
  isEmpty = true;
  #pairBytes = 0;
  #pairCount = 0;

  /** Bytes of the pairs, or more where they are many. */
  get sizeBytes(): number {
    return Math.max(this.#pairBytes, this.#pairCount * PAIR_BYTES_MIN);
  }

  /** Writes a pair, or with an undefined value a deletion. Owns both buffers. */
  write(table: Table, key: Buffer, value: Buffer | undefined): void {
    const target = this.tables[table]!;
    this.#pairCount -= target.count;
    this.#pairBytes += target.write(key, value);
    this.#pairCount += target.count;
    this.isEmpty = false;
  }
}
