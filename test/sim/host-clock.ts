/**
 * The time of a host: it runs a little fast or slow, and may leap. A process reads it through a
 * clock of its own, which dies with it.
 */

import type { Clock, Timer } from '../../src/clock.ts';
import { EventKind, type Process } from './host.ts';
import type { World } from './world.ts';

/** Milliseconds that a turn of the event loop takes. */
const TURN_MS = 0.02;

/** What wall clocks show when the world begins; for people only. */
const WALL_START_MS = Date.UTC(2024, 0, 1);

/** The time of a host. */
export class HostTime {
  readonly #world: World;
  /** Milliseconds of the host in one of the world. */
  #rate: number;
  /** What the host showed at a moment of the world. */
  #baseMs: number;
  #sinceMs = 0;

  constructor(world: World, startMs: number, rate: number) {
    this.#world = world;
    this.#baseMs = startMs;
    this.#rate = rate;
  }

  get nowMs(): number {
    return this.#baseMs + (this.#world.nowMs - this.#sinceMs) * this.#rate;
  }

  /** From now on it runs so fast. */
  setRate(rate: number): void {
    this.#baseMs = this.nowMs;
    this.#sinceMs = this.#world.nowMs;
    this.#rate = rate;
  }

  /** It shows so much more at once. */
  leap(byMs: number): void {
    this.#baseMs += byMs;
  }

  /** The clock of a process on this host. */
  clockOf(process: Process): Clock {
    const world = this.#world;
    const after = (delayMs: number, run: () => void): Timer =>
      world.after(process, delayMs / this.#rate, EventKind.Timer, run);
    return {
      nowMs: () => this.nowMs,
      wallMs: () => WALL_START_MS + this.nowMs,
      soon: (run) => world.after(process, TURN_MS, EventKind.Turn, run),
      after,
      every: (periodMs, run) => {
        let timer = after(periodMs, ring);
        return { cancel: () => timer.cancel() };

        function ring(): void {
          timer = after(periodMs, ring);
          run();
        }
      },
    };
  }
}
