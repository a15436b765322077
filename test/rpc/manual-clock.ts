/** For tests: time that moves only when the test says so. Turns of the event loop are real. */

import type { Clock, Timer } from '../../src/clock.ts';

type Alarm = { dueMs: number; readonly periodMs: number | undefined; readonly run: () => void };

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  readonly #alarms: Set<Alarm> = new Set();

  readonly nowMs = (): number => this.#nowMs;
  readonly wallMs = (): number => this.#nowMs;
  readonly soon = (run: () => void): Timer => {
    const immediate = setImmediate(run);
    return { cancel: () => clearImmediate(immediate) };
  };
  readonly after = (delayMs: number, run: () => void): Timer => this.#add(delayMs, undefined, run);
  readonly every = (periodMs: number, run: () => void): Timer => this.#add(periodMs, periodMs, run);

  /** Timers that are set. */
  get alarmCount(): number {
    return this.#alarms.size;
  }

  /** When the next one-off timer falls due; infinite when none is set. */
  get nextOnceMs(): number {
    const once = [...this.#alarms].filter(({ periodMs }) => periodMs === undefined);
    return Math.min(...once.map(({ dueMs }) => dueMs));
  }

  /** Lets time pass; runs what falls due, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#alarms].filter(({ dueMs }) => dueMs <= untilMs);
      const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#nowMs = next.dueMs;
      if (next.periodMs === undefined) this.#alarms.delete(next);
      else next.dueMs += next.periodMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  #add(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    const alarm = { dueMs: this.#nowMs + delayMs, periodMs, run };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }
}
