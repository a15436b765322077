/**
 * Finds the entries of a table by the hashes of their keys.
 *
 * A hash table that doubles holds up whoever adds the entry that makes it double. So it consists of
 * many small ones, shards, each of which doubles by itself, at a moment of its own: the highest
 * bits of a hash name its shard, the lowest its place there, or the next free one.
 */

import { NO_ENTRY } from './sorted-entries.ts';

/** How many shards there are: of a quarter of a million entries one has a thousand. */
export const SHARDS = 256;

/** The bits of a hash above these name its shard. */
const SHARD_SHIFT = 24;

/** Numbers of a place: the key's hash, and its entry + 1; 0 of a free one. */
const PLACE_NUMBERS = 2;

/** Places of a shard at least, once it has an entry; a power of two. */
const PLACES_MIN = 16;

/** A shard without entries: one place, which stays free. */
const NO_PLACES = new Int32Array(PLACE_NUMBERS);

/** The index of one table. */
export class EntryIndex {
  readonly #hasKey: (entry: number, key: Buffer) => boolean;
  readonly #shards: Int32Array[] = Array.from({ length: SHARDS }, () => NO_PLACES);
  readonly #counts = new Int32Array(SHARDS);
  /** How many entries it has. */
  count = 0;

  /** @param hasKey whether an entry has this key */
  constructor(hasKey: (entry: number, key: Buffer) => boolean) {
    this.#hasKey = hasKey;
  }

  /** The entry of a key, given its hash; NO_ENTRY when it is not here. */
  find(key: Buffer, hash: number): number {
    const places = this.#shards[hash >>> SHARD_SHIFT]!;
    const mask = places.length - PLACE_NUMBERS;
    for (let place = (hash << 1) & mask; ; place = (place + PLACE_NUMBERS) & mask) {
      const entry = places[place + 1]! - 1;
      if (entry === NO_ENTRY) return NO_ENTRY;
      if (places[place] === hash && this.#hasKey(entry, key)) return entry;
    }
  }

  /** Takes an entry whose key is not here yet. */
  add(entry: number, hash: number): void {
    const shard = hash >>> SHARD_SHIFT;
    this.#counts[shard]! += 1;
    this.count += 1;
    let places = this.#shards[shard]!;
    // Half of the places stay free.
    if (this.#counts[shard]! * 2 * PLACE_NUMBERS > places.length) {
      places = doubled(places);
      this.#shards[shard] = places;
    }
    takePlace(places, entry, hash);
  }

  /** Forgets all entries and keeps their memory. */
  clear(): void {
    if (this.count === 0) return;
    this.count = 0;
    for (let shard = 0; shard < SHARDS; shard += 1) {
      if (this.#counts[shard] !== 0) this.#shards[shard]!.fill(0);
    }
    this.#counts.fill(0);
  }
}

function doubled(places: Int32Array): Int32Array {
  const larger = new Int32Array(Math.max(PLACES_MIN * PLACE_NUMBERS, 2 * places.length));
  for (let from = 0; from < places.length; from += PLACE_NUMBERS) {
    const entry = places[from + 1]! - 1;
    if (entry !== NO_ENTRY) takePlace(larger, entry, places[from]!);
  }
  return larger;
}

function takePlace(places: Int32Array, entry: number, hash: number): void {
  const mask = places.length - PLACE_NUMBERS;
  let place = (hash << 1) & mask;
  while (places[place + 1] !== 0) place = (place + PLACE_NUMBERS) & mask;
  places[place] = hash;
  places[place + 1] = entry + 1;
}
