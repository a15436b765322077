/**
 * Sorts many entries by their keys, several times faster than by comparing them in pairs: four
 * bytes of each key at a time become a number, and numbers are sorted by the runtime in one go.
 * What all keys begin with is passed over; entries that four bytes leave equal are sorted by the
 * next four, a few by comparing.
 *
 *   app/users/0017 app/users/0009 app/users/0012       all begin with app/users/00
 *             17             09             12         sorted as numbers
 */

import { assert } from '../assert.ts';

/** How entries are ordered: by their keys, bytewise. */
export type EntryOrder = {
  /** Negative when the first one's key comes first. */
  readonly compare: (entry: number, other: number) => number;
  /** Negative when the entry's key comes first. */
  readonly compareKey: (entry: number, key: Buffer) => number;
  /** How many bytes two keys have in common at their start. */
  readonly commonBytes: (entry: number, other: number) => number;
  /** Four bytes of a key, which has them, from an offset on, as a number. */
  readonly wordAt: (entry: number, offset: number) => number;
  /** Bytes of a key. */
  readonly keyBytes: (entry: number) => number;
};

/** Entries that are compared in pairs. */
const PAIRWISE_MAX = 16;

/** Entries sorted in one go: word and slot are one number of 53 bits. */
const ENTRIES_MAX = 2 ** 21;

const WORD_BYTES = 4;

/** Sorts entries with keys that differ from each other. */
export function sortEntries(entries: readonly number[], order: EntryOrder): Int32Array {
  assert(entries.length <= ENTRIES_MAX, 'entries are too many to sort', entries.length);
  const sorted = Int32Array.from(entries);
  let common = Number.POSITIVE_INFINITY;
  for (let slot = 1; slot < sorted.length && common > 0; slot += 1) {
    common = Math.min(common, order.commonBytes(sorted[0]!, sorted[slot]!));
  }
  sortFrom(sorted, order, common);
  return sorted;
}

/** Sorts entries, in their place, whose keys are equal before an offset. */
function sortFrom(entries: Int32Array, order: EntryOrder, offset: number): void {
  const { length } = entries;
  if (length <= PAIRWISE_MAX) {
    insert(entries, order);
    return;
  }
  // What is behind a key's end is not a byte of it.
  if (entries.some((entry) => order.keyBytes(entry) < offset + WORD_BYTES)) {
    entries.sort(order.compare);
    return;
  }
  const numbers = new Float64Array(length);
  for (let slot = 0; slot < length; slot += 1) {
    numbers[slot] = order.wordAt(entries[slot]!, offset) * ENTRIES_MAX + slot;
  }
  numbers.sort();
  const before = entries.slice();
  let start = 0;
  let startWord = -1;
  for (let slot = 0; slot < length; slot += 1) {
    const number = numbers[slot]!;
    const word = Math.floor(number / ENTRIES_MAX);
    entries[slot] = before[number - word * ENTRIES_MAX]!;
    if (word === startWord) continue;
    if (slot - start > 1) sortFrom(entries.subarray(start, slot), order, offset + WORD_BYTES);
    start = slot;
    startWord = word;
  }
  if (length - start > 1) sortFrom(entries.subarray(start), order, offset + WORD_BYTES);
}

/** Sorts a few entries. */
function insert(entries: Int32Array, order: EntryOrder): void {
  for (let slot = 1; slot < entries.length; slot += 1) {
    const entry = entries[slot]!;
    let to = slot;
    for (; to > 0 && order.compare(entries[to - 1]!, entry) > 0; to -= 1) {
      entries[to] = entries[to - 1]!;
    }
    entries[to] = entry;
  }
}
