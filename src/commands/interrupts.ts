/**
 * How a command that runs until it is told to end is told: by Ctrl-C in a shell, by a signal to the
 * process otherwise.
 */

import { ReportedFailure } from './command-error.ts';

/** Exit code of what Ctrl-C has ended (128 + SIGINT), as a shell reports it. */
export const EXIT_INTERRUPTED = 130;

/** What a command knows of interrupts. */
type Interruptible = { readonly interrupts?: Interrupts };

/** Where interrupts come from. */
export type Interrupts = {
  /** Calls `told` at each interrupt; returns how to stop that. */
  readonly listen: (told: () => void) => () => void;
};

/** Interrupts that somebody raises. */
export type RaisedInterrupts = Interrupts & {
  /** Interrupts whoever listens; returns whether somebody does. */
  readonly raise: () => boolean;
};

const NEVER: AbortSignal = new AbortController().signal;

const PROCESS_INTERRUPTS: Interrupts = {
  listen: (told) => {
    process.on('SIGINT', told).on('SIGTERM', told);
    return () => process.off('SIGINT', told).off('SIGTERM', told);
  },
};

/** Ctrl-C of a terminal reaches a process started there as well, which then decides. */
const PROCESS_TERMINATIONS: Interrupts = {
  listen: (told) => {
    const ignore = (): void => {};
    process.on('SIGINT', ignore).on('SIGTERM', told);
    return () => process.off('SIGINT', ignore).off('SIGTERM', told);
  },
};

/** Makes interrupts that somebody raises. */
export function createInterrupts(): RaisedInterrupts {
  const listeners = new Set<() => void>();
  return {
    listen: (told) => {
      listeners.add(told);
      return () => listeners.delete(told);
    },
    raise: () => {
      const isHeard = listeners.size > 0;
      for (const told of [...listeners]) told();
      return isHeard;
    },
  };
}

/**
 * Runs what has nothing to put in order at its end: as a process of its own, a signal simply ends
 * it, as it ends etcdctl; in a shell, `signal` aborts.
 */
export function untilInterrupted<T>(
  context: Interruptible,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { interrupts } = context;
  return interrupts === undefined ? run(NEVER) : runInterruptible(interrupts, run);
}

/**
 * Runs what must put something in order at its end: `signal` aborts at the first interrupt. A
 * second one ends the process.
 */
export function releasingWhenInterrupted<T>(
  context: Interruptible,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return runInterruptible(context.interrupts ?? PROCESS_INTERRUPTS, run);
}

/**
 * Runs what has started a process of the user's: `signal` aborts when that one has to be ended. In
 * a shell that is any interrupt; else SIGTERM, since Ctrl-C reaches it by itself.
 */
export function whileChildRuns<T>(
  context: Interruptible,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return runInterruptible(context.interrupts ?? PROCESS_TERMINATIONS, run);
}

async function runInterruptible<T>(
  interrupts: Interrupts,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = interrupts.listen(() => {
    stop();
    controller.abort(new ReportedFailure(EXIT_INTERRUPTED));
  });
  try {
    return await run(controller.signal);
  } finally {
    stop();
  }
}

/** Resolves when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
