/**
 * Holds back work that goes on step by step beside what a member serves: a backup, the removal of
 * what is deleted or compacted.
 *
 * While others are served it rests after each step, in proportion to what the step took, and so has
 * a fixed part of the event loop. While nobody is, the next step follows in the next turn.
 */

import type { Clock } from '../clock.ts';

/** A member that served nobody for so many milliseconds is idle. */
const IDLE_MS = 10;

/** Says when a step follows the one before. */
export class Throttle {
  readonly #clock: Clock;
  readonly #servedCount: () => number;
  /** The count as it was last seen to change, and when. */
  #seenCount = 0;
  #seenMs = Number.NEGATIVE_INFINITY;

  /** @param servedCount what the member has done for others: another number when it did more */
  constructor(clock: Clock, servedCount: () => number) {
    this.#clock = clock;
    this.#servedCount = servedCount;
  }

  /**
   * Goes on with `next` in another turn.
   *
   * @param tookMs what the step before took
   * @param restFactor milliseconds of rest for each of these
   */
  after(tookMs: number, restFactor: number, next: () => void): void {
    const nowMs = this.#clock.nowMs();
    const count = this.#servedCount();
    if (count !== this.#seenCount) {
      this.#seenCount = count;
      this.#seenMs = nowMs;
    }
    if (nowMs - this.#seenMs >= IDLE_MS) this.#clock.soon(next);
    else this.#clock.after(restFactor * tookMs, next);
  }
}
