/**
 * When a member's log reached each index, batch by batch: written to once a batch, read only for a
 * request that took too long.
 *
 * Invariant: indexes ascend; those that a new leader's log replaces are dropped first.
 * Limit: MILESTONES_MAX batches; older ones are forgotten.
 */

import { type LogIndex, MILESTONES_MAX } from '../../include/node.ts';

/** Times by index, in a ring of two preallocated arrays. */
export class Milestones {
  readonly #indexes = new Float64Array(MILESTONES_MAX);
  readonly #times = new Float64Array(MILESTONES_MAX);
  /** How many were noted and not dropped again; the newest is in the place before this one. */
  #noted = 0;

  /** The log has come to `index`. */
  reach(index: LogIndex, nowMs: number): void {
    while (this.#noted > 0 && this.#indexes[(this.#noted - 1) % MILESTONES_MAX]! >= index) {
      this.#noted -= 1;
    }
    const slot = this.#noted % MILESTONES_MAX;
    this.#indexes[slot] = index;
    this.#times[slot] = nowMs;
    this.#noted += 1;
  }

  /** When the log came to `index` or beyond; undefined when it has not, or that is forgotten. */
  when(index: LogIndex): number | undefined {
    let low = Math.max(0, this.#noted - MILESTONES_MAX);
    let high = this.#noted;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#indexes[middle % MILESTONES_MAX]! >= index) high = middle;
      else low = middle + 1;
    }
    return low === this.#noted ? undefined : this.#times[low % MILESTONES_MAX];
  }
}
