/**
 * The entries of one overlay table in key order, built as late as possible: entries gather unsorted
 * and enter the order when a scan first needs it. Most are never scanned before they are flushed.
 *
 *   chunks:  [ a b c ] [ f g ] [ k m n ]     each sorted, none empty, at most CHUNK_ENTRIES_MAX
 *   long pending: [ e z ]                         not in order yet
 *
 * Entries are ordered by `text`, the key as a latin-1 string, whose order is the bytes' order.
 */

import type { ScanBounds } from '../../include/kvstore.ts';
import type { PairCursor } from './pair-cursor.ts';

/** One key of an overlay. */
export type OverlayEntry = {
  readonly key: Buffer;
  /** The key as latin-1; empty in the ordered tail of a table, where numbers order the entries. */
  readonly text: string;
  /** Undefined: deleted. */
  value: Buffer | undefined;
  /** Whether the layer below the overlays holds the key, as of `belowEpoch`. */
  isBelow: boolean;
  belowEpoch: number;
};

/** Entries of a chunk before it is cut in two: a splice then moves little. */
const CHUNK_ENTRIES_MAX = 256;

/** How many times fewer pending than sorted entries are worth sorting in one by one. */
const INSERT_RATIO = 8;

/** The entries of a table, sorted on demand. */
export class SortedEntries {
  #chunks: OverlayEntry[][] = [];
  #sortedCount = 0;
  #pending: OverlayEntry[] = [];

  /** Takes an entry whose key is not here yet. */
  add(entry: OverlayEntry): void {
    this.#pending.push(entry);
  }

  /** A cursor over the entries in bounds. Valid until the next add. */
  cursor(bounds: ScanBounds): PairCursor & { readonly entry: OverlayEntry | undefined } {
    this.#sortPending();
    return new EntryCursor(this.#chunks, bounds);
  }

  #sortPending(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    if (pending.length * INSERT_RATIO < this.#sortedCount) {
      for (const entry of pending) this.#insert(entry);
    } else {
      // The sorted part is one run, which the sort recognises.
      const all = this.#chunks.flat().concat(pending).sort(compareEntries);
      this.#chunks = [];
      const step = CHUNK_ENTRIES_MAX / 2;
      for (let slot = 0; slot < all.length; slot += step) {
        this.#chunks.push(all.slice(slot, slot + step));
      }
    }
    this.#sortedCount += pending.length;
  }

  #insert(entry: OverlayEntry): void {
    const chunkSlot = Math.max(0, chunkAfter(this.#chunks, entry.text) - 1);
    const chunk = this.#chunks[chunkSlot]!;
    chunk.splice(entrySlot(chunk, entry.text), 0, entry);
    if (chunk.length <= CHUNK_ENTRIES_MAX) return;
    this.#chunks.splice(chunkSlot + 1, 0, chunk.splice(CHUNK_ENTRIES_MAX / 2));
  }
}

function compareEntries(a: OverlayEntry, b: OverlayEntry): number {
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

/** The slot of the first chunk that starts behind `text`. */
function chunkAfter(chunks: readonly OverlayEntry[][], text: string): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunks[middle]![0]!.text <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The slot of the first entry at or behind `text`. */
function entrySlot(chunk: readonly OverlayEntry[], text: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunk[middle]!.text < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Walks over chunks of entries, either way. */
class EntryCursor implements PairCursor {
  key: Buffer | undefined;
  value: Buffer | undefined;
  entry: OverlayEntry | undefined;
  readonly #chunks: readonly OverlayEntry[][];
  readonly #isReverse: boolean;
  /** The far bound as text: exclusive upwards, inclusive downwards. */
  readonly #end: string | undefined;
  #chunkSlot = 0;
  #slot = 0;

  constructor(chunks: readonly OverlayEntry[][], bounds: ScanBounds) {
    this.#chunks = chunks;
    this.#isReverse = bounds.reverse;
    const from = bounds.from.toString('latin1');
    const to = bounds.to?.toString('latin1');
    this.#end = bounds.reverse ? from : to;
    if (!bounds.reverse) {
      this.#seek(from);
    } else if (to !== undefined) {
      this.#seek(to);
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

  close(): void {}

  #seek(text: string): void {
    this.#chunkSlot = Math.max(0, chunkAfter(this.#chunks, text) - 1);
    this.#slot = entrySlot(this.#chunks[this.#chunkSlot] ?? [], text);
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
    const entry = chunk?.[this.#slot];
    this.entry = entry === undefined || this.#isOutside(entry.text) ? undefined : entry;
    this.key = this.entry?.key;
    this.value = this.entry?.value;
  }

  #isOutside(text: string): boolean {
    if (this.#end === undefined) return false;
    return this.#isReverse ? text < this.#end : text >= this.#end;
  }
}
