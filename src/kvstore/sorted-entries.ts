/**
 * The entries of one overlay table in key order, built as late as possible: entries gather unsorted
 * and enter the order when a scan first needs it. Most are never scanned before they are flushed.
 *
 *   chunks:  [ a b c ] [ f g ] [ k m n ]     each sorted, none empty, at most CHUNK_ENTRIES_MAX
 *   pending: [ e z ]                         not in order yet
 */

import type { ScanBounds } from '../../include/kvstore.ts';
import { type EntryOrder, sortEntries } from './sort-entries.ts';

/** Entries of a chunk before it is cut in two: a splice then moves little. */
const CHUNK_ENTRIES_MAX = 256;

/** How many times fewer pending than sorted entries are worth sorting in one by one. */
const INSERT_RATIO = 8;

/** No entry: behind the last one. */
export const NO_ENTRY = -1;

/** The entries of a table, sorted on demand. An entry is its number in the table. */
export class SortedEntries {
  readonly #order: EntryOrder;
  #chunks: number[][] = [];
  #sortedCount = 0;
  #pending: number[] = [];

  constructor(order: EntryOrder) {
    this.#order = order;
  }

  /** Takes an entry whose key is not here yet. */
  add(entry: number): void {
    this.#pending.push(entry);
  }

  /** A walk over the entries in bounds. Valid until the next add. */
  walk(bounds: ScanBounds): EntryWalk {
    this.#sortPending();
    return new EntryWalk(this.#chunks, this.#order, bounds);
  }

  /** Forgets all entries. */
  clear(): void {
    this.#chunks = [];
    this.#sortedCount = 0;
    this.#pending = [];
  }

  #sortPending(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    if (pending.length * INSERT_RATIO < this.#sortedCount) {
      for (const entry of pending) this.#insert(entry);
    } else {
      const all = merge(this.#chunks.flat(), sortEntries(pending, this.#order), this.#order);
      this.#chunks = [];
      const step = CHUNK_ENTRIES_MAX / 2;
      for (let slot = 0; slot < all.length; slot += step) {
        this.#chunks.push(all.slice(slot, slot + step));
      }
    }
    this.#sortedCount += pending.length;
  }

  #insert(entry: number): void {
    const place = (other: number): number => this.#order.compare(other, entry);
    const chunkSlot = Math.max(0, chunkAfter(this.#chunks, place) - 1);
    const chunk = this.#chunks[chunkSlot]!;
    chunk.splice(entrySlot(chunk, place), 0, entry);
    if (chunk.length <= CHUNK_ENTRIES_MAX) return;
    this.#chunks.splice(chunkSlot + 1, 0, chunk.splice(CHUNK_ENTRIES_MAX / 2));
  }
}

/** Merges two sorted runs. */
function merge(run: readonly number[], other: Int32Array, order: EntryOrder): number[] {
  const merged: number[] = [];
  let slot = 0;
  for (const entry of other) {
    for (; slot < run.length && order.compare(run[slot]!, entry) < 0; slot += 1) {
      merged.push(run[slot]!);
    }
    merged.push(entry);
  }
  for (; slot < run.length; slot += 1) merged.push(run[slot]!);
  return merged;
}

/** Says where an entry lies from the place sought: negative before it. */
type Place = (entry: number) => number;

/** The slot of the first chunk that starts behind a place. */
function chunkAfter(chunks: readonly number[][], place: Place): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (place(chunks[middle]![0]!) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The slot of the first entry at or behind a place. */
function entrySlot(chunk: readonly number[], place: Place): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (place(chunk[middle]!) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Walks over chunks of entries, either way. */
export class EntryWalk {
  /** Where it stands; NO_ENTRY behind the last. */
  entry: number = NO_ENTRY;
  readonly #chunks: readonly number[][];
  readonly #order: EntryOrder;
  readonly #isReverse: boolean;
  /** The far bound: exclusive upwards, inclusive downwards. */
  readonly #end: Buffer | undefined;
  #chunkSlot = 0;
  #slot = 0;

  constructor(chunks: readonly number[][], order: EntryOrder, bounds: ScanBounds) {
    this.#chunks = chunks;
    this.#order = order;
    this.#isReverse = bounds.reverse;
    this.#end = bounds.reverse ? bounds.from : bounds.to;
    if (!bounds.reverse) {
      this.#seek(bounds.from);
    } else if (bounds.to !== undefined) {
      this.#seek(bounds.to);
      this.#slot -= 1;
    } else {
      this.#chunkSlot = chunks.length - 1;
      this.#slot = (chunks[this.#chunkSlot]?.length ?? 0) - 1;
    }
    this.#settle();
  }

  advance(): void {
    this.#slot += this.#isReverse ? -1 : 1;
    this.#settle();
  }

  #seek(key: Buffer): void {
    const place = (entry: number): number => this.#order.compareKey(entry, key);
    this.#chunkSlot = Math.max(0, chunkAfter(this.#chunks, place) - 1);
    this.#slot = entrySlot(this.#chunks[this.#chunkSlot] ?? [], place);
  }

  /** Steps over the edge of a chunk, then shows the entry there unless it is out of bounds. */
  #settle(): void {
    let chunk = this.#chunks[this.#chunkSlot];
    if (chunk !== undefined && this.#slot >= chunk.length) {
      this.#chunkSlot += 1;
      this.#slot = 0;
      chunk = this.#chunks[this.#chunkSlot];
    } else if (this.#slot < 0) {
      this.#chunkSlot -= 1;
      chunk = this.#chunks[this.#chunkSlot];
      this.#slot = (chunk?.length ?? 0) - 1;
    }
    const entry = chunk?.[this.#slot] ?? NO_ENTRY;
    this.entry = entry === NO_ENTRY || this.#isOutside(entry) ? NO_ENTRY : entry;
  }

  #isOutside(entry: number): boolean {
    if (this.#end === undefined) return false;
    const order = this.#order.compareKey(entry, this.#end);
    return this.#isReverse ? order < 0 : order >= 0;
  }
}
