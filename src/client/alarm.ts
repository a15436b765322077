/**
 * One timer for all requests of a client: it is set to the earliest moment at which any is due, and
 * only moved when an earlier one comes. Keeps the process alive while set: someone waits for an
 * answer.
 */

import type { Clock, Timer } from '../clock.ts';

/** Milliseconds between two rings at least: what is due close together is handled together. */
const GRAIN_MS = 2;

/** The longest a timer of the machine can wait. */
const FOREVER_MS = 2 ** 31 - 1;

/** A timer that rings at the earliest moment asked for. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (nowMs: number) => void;
  #timer: Timer | undefined = undefined;
  /** Does nothing but keep the process alive, which timers of a clock do not. */
  #hold: NodeJS.Timeout | undefined = undefined;
  #atMs = Number.POSITIVE_INFINITY;

  /** @param ring called when the moment has come; asks for the next one */
  constructor(clock: Clock, ring: (nowMs: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /**
   * Asks to be rung at a moment of the clock. Later than the moment set already: nothing changes.
   */
  ringAt(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.#atMs = atMs;
    this.#timer?.cancel();
    const delayMs = Math.max(GRAIN_MS, Math.ceil(atMs - this.#clock.nowMs()));
    this.#timer = this.#clock.after(delayMs, this.#onTimer);
    this.#hold ??= setInterval(() => {}, FOREVER_MS);
  }

  /** Rings no more, until asked again. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    clearInterval(this.#hold);
    this.#hold = undefined;
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  readonly #onTimer = (): void => {
    this.stop();
    this.#ring(this.#clock.nowMs());
  };
}
