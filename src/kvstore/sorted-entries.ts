/**
 * The entries of one overlay table in key order, made as late as possible and no more of it than a
 * scan walks over: most entries are never scanned before they are flushed, and a scan after very
 * many writes must not sort them all at once.
 *
 *   pieces:  [ e c a d ] [ f g ] [ k m n ] [ z x ]    each covers the keys from its start up to the
 *              unsorted    sorted   sorted  unsorted  next one's; any may be empty
 *   pending: [ b y ]                                  not in their pieces yet
 *
 * A walk sorts the piece that it comes to. A large one is cut in two first, where the walk starts
 * or at some key in the middle, until what the walk meets first is small: for n entries that costs
 * 2 n comparisons, not n log n. What lies before the start of a walk stays unsorted: whatever is
 * removed from its front, step by step, never has what it wrote sorted.
 */

import type { ScanBounds } from '../../include/kvstore.ts';
import { type EntryOrder, sortEntries } from './sort-entries.ts';

/** Entries that are sorted at once; a larger piece is cut first. */
export const SORTED_AT_ONCE_MAX = 1_024;

/** Entries of a sorted piece: to insert one moves little. */
const PIECE_ENTRIES_MAX = 256;

/** Pending entries that are inserted where they belong; more are sorted with their piece. */
const INSERTED_MAX = 64;

/** How many times fewer pending entries than others are worth finding their pieces. */
const PLACED_RATIO = 4;

/** Entries that there is room for at least. */
const ADDED_MIN = 128;

/** Entries among which one in the middle is looked for. */
const SAMPLES = 9;

/** No entry: behind the last one. */
export const NO_ENTRY = -1;

/** Entries with keys from `start` on. */
type Piece = { start: Buffer; entries: number[]; isSorted: boolean };

const FIRST_KEY: Buffer = Buffer.alloc(0);

/** The entries of a table, sorted on demand. An entry is its number in the table. */
export class SortedEntries {
  readonly #order: EntryOrder;
  readonly #keyOf: (entry: number) => Buffer;
  #pieces: Piece[] = [];
  /** All entries in the order they came; those from `placedCount` on are pending. */
  #added = new Int32Array(0);
  #addedCount = 0;
  #placedCount = 0;

  /** @param keyOf the key of an entry, which may be kept */
  constructor(order: EntryOrder, keyOf: (entry: number) => Buffer) {
    this.#order = order;
    this.#keyOf = keyOf;
    this.clear();
  }

  /** Takes an entry whose key is not here yet. */
  add(entry: number): void {
    if (this.#addedCount === this.#added.length) {
      const added = new Int32Array(Math.max(ADDED_MIN, 2 * this.#added.length));
      added.set(this.#added);
      this.#added = added;
    }
    this.#added[this.#addedCount] = entry;
    this.#addedCount += 1;
  }

  /** A walk over the entries in bounds. Valid until the next add. */
  walk(bounds: ScanBounds): EntryWalk {
    this.#placePending();
    return new EntryWalk(this, this.#order, bounds);
  }

  /** Forgets all entries and keeps the memory of those to come. */
  clear(): void {
    this.#pieces = [{ start: FIRST_KEY, entries: [], isSorted: true }];
    this.#addedCount = 0;
    this.#placedCount = 0;
  }

  /** The piece where a walk starts: the one that covers a key, or the last one. Sorted. */
  pieceAt(key: Buffer | undefined, isReverse: boolean): Piece {
    if (key === undefined) return this.#sortedFrom(this.#pieces.length - 1, isReverse);
    let slot = this.#slotOf(key);
    const piece = this.#pieces[slot]!;
    if (!piece.isSorted) {
      if (!piece.start.equals(key)) slot = this.#joinBefore(this.#cut(slot, key));
      if (isReverse && slot > 0) slot -= 1;
    }
    return this.#sortedFrom(slot, isReverse);
  }

  /** The piece behind another one on a walk, sorted; undefined if it is beyond the walk's end. */
  pieceBehind(piece: Piece, end: Buffer | undefined, isReverse: boolean): Piece | undefined {
    const slot = this.#pieces.indexOf(piece) + (isReverse ? -1 : 1);
    const next = this.#pieces[slot];
    if (next === undefined) return undefined;
    if (end !== undefined) {
      const isBeyond = isReverse ? piece.start.compare(end) <= 0 : next.start.compare(end) >= 0;
      if (isBeyond) return undefined;
    }
    return this.#sortedFrom(slot, isReverse);
  }

  #placePending(): void {
    const pending = this.#added.subarray(this.#placedCount, this.#addedCount);
    if (pending.length === 0) return;
    this.#placedCount = this.#addedCount;
    const isInserted = pending.length <= INSERTED_MAX;
    if (
      !isInserted &&
      this.#pieces.length > 2 &&
      pending.length * PLACED_RATIO > this.#addedCount
    ) {
      // Finding the piece of each would cost more than to cut one large piece again.
      const entries = Array.from(this.#added.subarray(0, this.#addedCount));
      this.#pieces = [{ start: FIRST_KEY, entries, isSorted: false }];
      return;
    }
    for (const entry of pending) this.#place(entry, isInserted);
  }

  #place(entry: number, isInserted: boolean): void {
    const piece = this.#pieces[this.#slotOfEntry(entry)]!;
    const { entries } = piece;
    if (!piece.isSorted || !isInserted || entries.length >= PIECE_ENTRIES_MAX) {
      piece.isSorted = entries.length === 0;
      entries.push(entry);
      return;
    }
    entries.splice(
      entrySlot(entries, (other) => this.#order.compare(other, entry)),
      0,
      entry,
    );
  }

  /** Sorts the part of a piece that a walk meets first. */
  #sortedFrom(first: number, isReverse: boolean): Piece {
    for (let slot = first; ; ) {
      const piece = this.#pieces[slot]!;
      if (piece.isSorted) return piece;
      if (piece.entries.length <= SORTED_AT_ONCE_MAX) {
        slot = this.#sort(slot, isReverse);
      } else {
        const above = this.#cut(slot, this.#middleKey(piece.entries));
        slot = isReverse ? above : above - 1;
      }
    }
  }

  /** Sorts a piece, which becomes several. Returns the slot of the first, or the last. */
  #sort(slot: number, isReverse: boolean): number {
    const { start, entries } = this.#pieces[slot]!;
    const sorted = Array.from(sortEntries(entries, this.#order));
    const pieces: Piece[] = [];
    for (let from = 0; from < sorted.length; from += PIECE_ENTRIES_MAX / 2) {
      const part = sorted.slice(from, from + PIECE_ENTRIES_MAX / 2);
      const partStart = from === 0 ? start : this.#keyOf(part[0]!);
      pieces.push({ start: partStart, entries: part, isSorted: true });
    }
    this.#pieces.splice(slot, 1, ...pieces);
    return isReverse ? slot + pieces.length - 1 : slot;
  }

  /** Cuts a piece in two at a key. Returns the slot of the one that starts there. */
  #cut(slot: number, key: Buffer): number {
    const { start, entries } = this.#pieces[slot]!;
    const below: number[] = [];
    const above: number[] = [];
    for (const entry of entries) {
      if (this.#order.compareKey(entry, key) < 0) below.push(entry);
      else above.push(entry);
    }
    const lower = { start, entries: below, isSorted: below.length <= 1 };
    const upper = { start: Buffer.from(key), entries: above, isSorted: above.length <= 1 };
    this.#pieces.splice(slot, 1, lower, upper);
    return slot + 1;
  }

  /**
   * Joins the two pieces before a slot if neither is sorted, so that the steps of a removal do not
   * leave a piece each. Returns the slot of the piece that was there.
   */
  #joinBefore(slot: number): number {
    const left = this.#pieces[slot - 2];
    const right = this.#pieces[slot - 1];
    if (left === undefined || left.isSorted || right === undefined || right.isSorted) return slot;
    for (const entry of right.entries) left.entries.push(entry);
    this.#pieces.splice(slot - 1, 1);
    return slot - 1;
  }

  /** A key with about as many entries below as above. Not the lowest, if there are others. */
  #middleKey(entries: readonly number[]): Buffer {
    const samples: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      samples.push(entries[Math.floor((sample * (entries.length - 1)) / (SAMPLES - 1))]!);
    }
    samples.sort(this.#order.compare);
    return this.#keyOf(samples[SAMPLES >> 1]!);
  }

  /** The slot of the piece that covers a key. */
  #slotOf(key: Buffer): number {
    return pieceBefore(this.#pieces, (start) => start.compare(key));
  }

  #slotOfEntry(entry: number): number {
    return pieceBefore(this.#pieces, (start) => -this.#order.compareKey(entry, start));
  }
}

/** Says where something lies from the place sought: negative before it. */
type Place<T> = (of: T) => number;

/** The slot of the last piece that starts at or before a place. The first one always does. */
function pieceBefore(pieces: readonly Piece[], place: Place<Buffer>): number {
  let low = 1;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (place(pieces[middle]!.start) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The slot of the first entry at or behind a place. */
function entrySlot(entries: readonly number[], place: Place<number>): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (place(entries[middle]!) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Walks over entries in order, either way. */
export class EntryWalk {
  /** Where it stands; NO_ENTRY behind the last. */
  entry: number = NO_ENTRY;
  readonly #sorted: SortedEntries;
  readonly #order: EntryOrder;
  readonly #isReverse: boolean;
  /** The far bound: exclusive upwards, inclusive downwards. */
  readonly #end: Buffer | undefined;
  #piece: Piece;
  #slot: number;

  constructor(sorted: SortedEntries, order: EntryOrder, bounds: ScanBounds) {
    this.#sorted = sorted;
    this.#order = order;
    this.#isReverse = bounds.reverse;
    this.#end = bounds.reverse ? bounds.from : bounds.to;
    const begin = bounds.reverse ? bounds.to : bounds.from;
    this.#piece = sorted.pieceAt(begin, bounds.reverse);
    const { entries } = this.#piece;
    this.#slot =
      begin === undefined
        ? entries.length
        : entrySlot(entries, (entry) => order.compareKey(entry, begin));
    if (bounds.reverse) this.#slot -= 1;
    this.#settle();
  }

  advance(): void {
    this.#slot += this.#isReverse ? -1 : 1;
    this.#settle();
  }

  /** Goes over the edge of a piece, then shows the entry there unless it is out of bounds. */
  #settle(): void {
    let entry = this.#piece.entries[this.#slot];
    while (entry === undefined) {
      const next = this.#sorted.pieceBehind(this.#piece, this.#end, this.#isReverse);
      if (next === undefined) break;
      this.#piece = next;
      this.#slot = this.#isReverse ? next.entries.length - 1 : 0;
      entry = next.entries[this.#slot];
    }
    this.entry = entry === undefined || this.#isOutside(entry) ? NO_ENTRY : entry;
  }

  #isOutside(entry: number): boolean {
    if (this.#end === undefined) return false;
    const order = this.#order.compareKey(entry, this.#end);
    return this.#isReverse ? order < 0 : order >= 0;
  }
}
