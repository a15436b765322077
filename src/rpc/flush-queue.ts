/**
 * Gathers what one turn of the event loop has to say: connections with unsent frames wait here and
 * are written once each, when the turn ends or when the owner of the loop says so.
 */

import { SegmentPool } from './segment-pool.ts';

/** Something with frames to send. */
export type Flushable = { readonly flush: () => void };

/**
 * Connections to be flushed at the end of this turn. One a thread, shared by all its connections.
 */
export class FlushQueue {
  /** The buffers that the connections of this thread write into. */
  readonly pool: SegmentPool = new SegmentPool();

  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  /** Adds a connection that began to have unsent frames; it is flushed in this turn. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    this.#scheduled ??= setImmediate(this.#onImmediate);
  }

  /** Writes what waits, now. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    // An immediate left behind would cost the event loop a turn with nothing to do.
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#waiting = this.#spare;
    this.#spare = waiting;
    for (let slot = 0; slot < waiting.length; slot += 1) waiting[slot]!.flush();
    waiting.length = 0;
  }

  readonly #onImmediate = (): void => {
    this.#scheduled = undefined;
    this.flush();
  };
}
