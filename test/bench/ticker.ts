/** An interval that knows by how much it came late: then the machine stood still. */

/** Ticks until it is stopped. */
export class Ticker {
  /** Milliseconds of the longest delay of a tick. */
  stillMs = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(periodMs: number, tick: () => void = () => undefined) {
    let lastMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.stillMs = Math.max(this.stillMs, nowMs - lastMs - periodMs);
      lastMs = nowMs;
      tick();
    }, periodMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
