/**
 * Reads ahead of a compaction's sweep. It looks at revisions that nobody may have asked for in a
 * long time: in a store larger than memory each page of them comes from the disk, and the event
 * loop would wait for it.
 */

import { Table } from '../../include/kvstore.ts';
import { sweepBounds } from './compaction.ts';
import type { StoreState } from './store-state.ts';

/** Revisions read at a time: fewer than a step visits at most, so that it ends where they do. */
const READ_REVISIONS = 200;

/** How far revisions are in memory. */
export class ReadAhead {
  /** Of which state; a snapshot brings another one. */
  #state: StoreState | undefined;
  /** The key up to which its revisions were read. */
  #to: Buffer | undefined;

  /** Reads what the next step looks at. Undefined when it was read. */
  run(state: StoreState): Promise<void> | undefined {
    if (this.#readTo(state) !== undefined) return undefined;
    const bounds = sweepBounds(state);
    const reading = state.map.readAhead(Table.Revisions, bounds, READ_REVISIONS);
    return reading.then((behind) => {
      this.#state = state;
      this.#to = behind ?? bounds.to;
    });
  }

  /** Where a step ends that waits for no disk; that of the sweep if nothing was read for it. */
  endOf(state: StoreState): Buffer {
    return this.#readTo(state) ?? sweepBounds(state).to;
  }

  /** How far what the sweep has before it was read; undefined when none of it was. */
  #readTo(state: StoreState): Buffer | undefined {
    if (this.#state !== state || this.#to === undefined) return undefined;
    return sweepBounds(state).from.compare(this.#to) < 0 ? this.#to : undefined;
  }
}
