/**
 * Reads of which more is left than one turn of the event loop should do: the oldest goes on in
 * every other turn, the others one after the other in the rest, so that a long one holds up no
 * short one.
 *
 * A step gathers a megabyte or two. What is gathered for all but the oldest is bounded by
 * YOUNG_STEPS_MAX: beyond, only the oldest goes on.
 */

import type { Reading } from '../../include/kvstore.ts';
import { READINGS_MAX } from '../../include/node.ts';
import { ErrorCode } from '../../include/rpc.ts';

/** Steps done for reads that are not the oldest, at which they wait for it. */
const YOUNG_STEPS_MAX = 64;

/** A read under way. */
type Waiting = {
  /** Goes on; returns whether it has ended. */
  readonly step: () => boolean;
  steps: number;
};

/** The reads of a member that take several turns. */
export class Readings {
  readonly #waiting: Waiting[] = [];
  #isOldestsTurn = true;
  #youngSlot = 0;

  /** How many are under way. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Takes what was begun; `onEnd` is told what it comes to, at once if that is known. */
  add<T extends object>(
    begun: T | ErrorCode | Reading<T>,
    onEnd: (result: T | ErrorCode) => void,
  ): void {
    if (!isReading(begun)) return onEnd(begun);
    if (this.#waiting.length >= READINGS_MAX) return onEnd(ErrorCode.TooManyRequests);
    this.addSteps(() => {
      const result = begun.step();
      if (result !== undefined) onEnd(result);
      return result !== undefined;
    });
  }

  /** Takes something else that goes on by steps: the writing of a large reply. */
  addSteps(step: () => boolean): void {
    this.#waiting.push({ step, steps: 0 });
  }

  /** Goes on with one of them. */
  step(): void {
    const slot = this.#pick();
    const waiting = this.#waiting[slot];
    if (waiting === undefined) return;
    waiting.steps += 1;
    if (!waiting.step()) return;
    this.#waiting.splice(slot, 1);
    if (slot > 0) this.#youngSlot = slot - 1;
  }

  #pick(): number {
    const youngCount = this.#waiting.length - 1;
    this.#isOldestsTurn = !this.#isOldestsTurn;
    if (this.#isOldestsTurn || youngCount <= 0) return 0;
    let youngSteps = 0;
    for (const { steps } of this.#waiting) youngSteps += steps;
    if (youngSteps - this.#waiting[0]!.steps >= YOUNG_STEPS_MAX) return 0;
    this.#youngSlot = (this.#youngSlot % youngCount) + 1;
    return this.#youngSlot;
  }
}

function isReading<T extends object>(begun: T | ErrorCode | Reading<T>): begun is Reading<T> {
  return typeof begun === 'object' && 'step' in begun;
}
