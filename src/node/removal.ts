/**
 * Removes what is deleted or compacted beside what the member serves, throttled, step by step, each
 * in a turn of the event loop of its own, as long as there is something.
 *
 *   step --> more to delete: rest, next step
 *        --> more to compact: is it in memory? rest, next step
 *                             else read ahead in another thread, then the next step
 */

import { FLUSH_BYTES } from '../../include/kvstore.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Throttle } from './throttle.ts';

/** Milliseconds of rest for each that a step took, while others are served. */
const REST_FACTOR = 1;

/** What a member lends. */
export type RemovalOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly throttle: Throttle;
  /** Whether the store may be used now. */
  readonly isOpen: () => boolean;
  /** Goes on with a deletion; returns whether more is left. */
  readonly deleteStep: () => boolean;
  /** Goes on with a compaction; returns whether more is left. */
  readonly compactStep: () => boolean;
  /** A step was taken. */
  readonly onStep: () => void;
  readonly onFatal: (cause: unknown) => void;
};

/** The removal of one member. */
export class Removal {
  readonly #options: RemovalOptions;
  #isStepDue = false;
  #isReadingAhead = false;
  /** What the last step took. */
  #tookMs = 0;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /**
   * Sees to it that there will be a step, if there is something to remove. Call it in each pump:
   * removing must not outrun the flush that applying waits for, and goes on behind it.
   */
  run(): void {
    const { store, clock, throttle, isOpen, deleteStep, onStep } = this.#options;
    if (this.#isStepDue || !isOpen() || !this.#hasWork()) return;
    if (store.unflushedBytes() >= FLUSH_BYTES) return;
    this.#isStepDue = true;
    throttle.after(this.#tookMs, REST_FACTOR, () => {
      this.#isStepDue = false;
      if (!isOpen()) return;
      const startMs = clock.nowMs();
      const hasMore = deleteStep() || this.#compact();
      this.#tookMs = clock.nowMs() - startMs;
      onStep();
      if (hasMore) this.run();
    });
  }

  #hasWork(): boolean {
    const { store } = this.#options;
    if (store.deletions.count() > 0) return true;
    return !this.#isReadingAhead && store.compactedPhysically() < store.compactRevision();
  }

  #compact(): boolean {
    const { store, compactStep, onFatal } = this.#options;
    if (this.#isReadingAhead) return false;
    const reading = store.readAhead();
    if (reading === undefined) return compactStep();
    this.#isReadingAhead = true;
    reading.then(() => {
      this.#isReadingAhead = false;
      this.run();
    }, onFatal);
    return false;
  }
}
