/**
 * Reads that take several turns of the event loop.
 *
 * Such a read is a generator that yields wherever it has done enough for a turn. Before it goes on,
 * anything may have been applied, compacted, or replaced by a snapshot: so it reads as of one
 * revision throughout, and whatever it reads the state for comes from `pace.state()` anew.
 */

import type { StoreState } from './store-state.ts';

/** Bytes of values that cost as much as visiting a key. */
const VISIT_BYTES = 2_048;

/** A read under way, and what it comes to. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How a read goes on. */
export type Pace = {
  /** The store's state as of now. */
  readonly state: () => StoreState;
  /** Visits of keys left in this turn. */
  visitsLeft: number;
};

/**
 * Begins a read that takes turns.
 * @returns what it comes to if that is known in this turn
 */
export function beginSteps<T>(
  state: () => StoreState,
  read: (pace: Pace) => Steps<T>,
): T | { readonly step: () => T | undefined } {
  const steps = read({ state, visitsLeft: state().limits.readVisitsMax });
  const first = steps.next();
  if (first.done === true) return first.value;
  return {
    step: () => {
      const { done, value } = steps.next();
      return done === true ? value : undefined;
    },
  };
}

/** Does all of a read in one turn. */
export function runAll<T>(state: StoreState, read: (pace: Pace) => Steps<T>): T {
  const steps = read({ state: () => state, visitsLeft: Number.POSITIVE_INFINITY });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Ends the turn if it has done enough. */
export function* takeTurns(pace: Pace): Steps<void> {
  if (pace.visitsLeft > 0) return;
  yield;
  pace.visitsLeft = pace.state().limits.readVisitsMax;
}

/** Counts bytes that were read. */
export function spendBytes(pace: Pace, sizeBytes: number): void {
  pace.visitsLeft -= sizeBytes / VISIT_BYTES;
}
