/**
 * Lines that have been read, for whoever waits for the next one. A wait that is given up takes no
 * line with it.
 */

import { Ring } from '../ring.ts';

/** How the source of lines is told to wait; a source that cannot does nothing. */
export type LineFlow = { readonly pause: () => void; readonly resume: () => void };

type Waiter = (line: string | undefined) => void;

/** Lines in order, one consumer a line. */
export class LineQueue {
  readonly #lines: Ring<string> = new Ring();
  #waiters: Waiter[] = [];
  #hasEnded = false;
  readonly #flow: LineFlow;

  /** @param flow paused while nobody waits for a line */
  constructor(flow: LineFlow) {
    this.#flow = flow;
  }

  /** Adds a line. */
  push(line: string): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#lines.push(line);
    else waiter(line);
    if (this.#waiters.length === 0) this.#flow.pause();
  }

  /** There are no more lines. */
  end(): void {
    this.#hasEnded = true;
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }

  /**
   * Takes the next line; undefined behind the last.
   *
   * @throws the reason of `signal` when that aborts first
   */
  next(signal?: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const line = this.#lines.shift();
      if (line !== undefined || this.#hasEnded) return resolve(line);

      const giveUp = (): void => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = (found) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(found);
      };
      signal?.addEventListener('abort', giveUp);
      this.#waiters.push(waiter);
      this.#flow.resume();
    });
  }
}
