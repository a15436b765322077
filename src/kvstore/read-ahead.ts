/**
 * Reads ahead of a compaction's sweep. It looks at revisions that nobody may have asked for in a
 * long time: in a store larger than memory each page of them comes from the disk, and the event
 * loop would wait for it.
 */

import { Table } from '../../include/kvstore.ts';
import { type Swept, sweepBounds } from './compaction.ts';
import type { StoreState } from './store-state.ts';

/** Bytes read at a time, about: some of it must be left in memory until the steps come to it. */
const READ_BYTES = 4 * 1024 * 1024;

/** Revisions read at a time, however small or large: to look up 1,000 keys takes a millisecond. */
const READ_REVISIONS_MIN = 16;
const READ_REVISIONS_MAX = 1_000;

/** By how much more the next reading may be: code that has not run yet is slow at first. */
const GROWTH_MAX = 4;

/** How far revisions are in memory. */
export class ReadAhead {
  /** Of which state; a snapshot brings another one. */
  #state: StoreState | undefined;
  /** The key up to which its revisions were read. */
  #to: Buffer | undefined;
  /** Revisions to be read next, as large as those before them were. */
  #revisions = READ_REVISIONS_MIN;

  /** Reads what the next step looks at. Undefined when it was read. */
  run(state: StoreState): Promise<void> | undefined {
    if (this.#readTo(state) !== undefined) return undefined;
    const bounds = sweepBounds(state);
    const reading = state.map.readAhead(Table.Revisions, bounds, this.#revisions);
    return reading.then((behind) => {
      this.#state = state;
      this.#to = behind ?? bounds.to;
    });
  }

  /** Where a step ends that waits for no disk; that of the sweep if nothing was read for it. */
  endOf(state: StoreState): Buffer {
    return this.#readTo(state) ?? sweepBounds(state).to;
  }

  /** Takes what a step looked at. */
  note({ revisions, sizeBytes }: Swept): void {
    if (sizeBytes === 0) return;
    const count = Math.floor((READ_BYTES * revisions) / sizeBytes);
    const most = Math.min(READ_REVISIONS_MAX, GROWTH_MAX * this.#revisions);
    this.#revisions = Math.max(READ_REVISIONS_MIN, Math.min(count, most));
  }

  /** How far what the sweep has before it was read; undefined when none of it was. */
  #readTo(state: StoreState): Buffer | undefined {
    if (this.#state !== state || this.#to === undefined) return undefined;
    return sweepBounds(state).from.compare(this.#to) < 0 ? this.#to : undefined;
  }
}
