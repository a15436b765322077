/** Logging, injected: modules report events, src/commands decides where the lines go. */

/** How much is logged: a level and all behind it. Their places are their numbers on the wire. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** One of LOG_LEVELS. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values that belong to an event, with units in their names. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes one event: a constant message that can be searched for, and fields that vary. State
 * transitions are info, what an operator should look at is warn, nothing is logged per request.
 */
export type LogEvent = (event: string, fields?: LogFields) => void;

/** Where a module's events go. */
export type Log = {
  readonly debug: LogEvent;
  readonly info: LogEvent;
  readonly warn: LogEvent;
  readonly error: LogEvent;
};

const drop = (): void => {};

/** A log that keeps nothing. */
export const NO_LOG: Log = Object.freeze({ debug: drop, info: drop, warn: drop, error: drop });
