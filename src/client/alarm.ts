/**
 * One timer for all requests of a client: it is set to the earliest moment at which any is due, and
 * only moved when an earlier one comes. Keeps the process alive while set: someone waits for an
 * answer.
 */

import type { Clock } from '../clock.ts';

/** Milliseconds between two rings at least: what is due close together is handled together. */
const GRAIN_MS = 2;

/** A timer that rings at the earliest moment asked for. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (nowMs: number) => void;
  #timer: NodeJS.Timeout | undefined = undefined;
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
    clearTimeout(this.#timer);
    const delayMs = Math.max(GRAIN_MS, Math.ceil(atMs - this.#clock.nowMs()));
    this.#timer = setTimeout(this.#onTimer, delayMs);
  }

  /** Rings no more, until asked again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  readonly #onTimer = (): void => {
    this.stop();
    this.#ring(this.#clock.nowMs());
  };
}
