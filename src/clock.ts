/** Time, injected: src/commands makes the real clock, tests and the simulator make their own. */

/** A handle to a timer that can be stopped. */
export type Timer = { readonly cancel: () => void };

/** What the modules know of time. */
export type Clock = {
  /** Monotonic milliseconds from an arbitrary start, with a fraction. */
  readonly nowMs: () => number;
  /** Wall-clock milliseconds since 1970, for people only. */
  readonly wallMs: () => number;
  /** Calls `run` in a turn of the event loop of its own, behind what is under way. */
  readonly soon: (run: () => void) => Timer;
  /** Calls `run` once after `delayMs`. Does not keep the process alive by itself. */
  readonly after: (delayMs: number, run: () => void) => Timer;
  /** Calls `run` every `periodMs` until cancelled. Does not keep the process alive by itself. */
  readonly every: (periodMs: number, run: () => void) => Timer;
};

/** Makes the clock of the machine. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    soon: (run) => {
      const immediate = setImmediate(run);
      return { cancel: () => clearImmediate(immediate) };
    },
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    every: (periodMs, run) => {
      const timer = setInterval(run, periodMs);
      timer.unref();
      return { cancel: () => clearInterval(timer) };
    },
  };
}
