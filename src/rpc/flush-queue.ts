/**
 * Gathers what one turn of the event loop has to say: connections with unsent frames wait here and
 * are written once each, when the turn ends or when the owner of the loop says so.
 */

import type { Clock, Timer } from '../clock.ts';
import { SegmentPool } from './segment-pool.ts';

/** Something with frames to send. */
export type Flushable = { readonly flush: () => void };

/**
 * Connections to be flushed at the end of this turn. One a thread, shared by all its connections.
 */
export class FlushQueue {
  /** The buffers that the connections of this thread write into. */
  readonly pool: SegmentPool = new SegmentPool();

  readonly #clock: Pick<Clock, 'soon'>;
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled: Timer | undefined;

  constructor(clock: Pick<Clock, 'soon'>) {
    this.#clock = clock;
  }

  /** Adds a connection that began to have unsent frames; it is flushed in this turn. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    this.#scheduled ??= this.#clock.soon(this.#onTurn);
  }

  /** Writes what waits, now. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    // Left behind, it would cost the event loop a turn with nothing to do.
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
    this.#waiting = this.#spare;
    this.#spare = waiting;
    for (let slot = 0; slot < waiting.length; slot += 1) waiting[slot]!.flush();
    waiting.length = 0;
  }

  readonly #onTurn = (): void => {
    this.#scheduled = undefined;
    this.flush();
  };
}
