/**
 * Counts what was refused, by cause, and says so in the log: the first of a cause at once, further
 * ones as a count, once a period. A port that strangers reach must not fill a disk with lines.
 *
 * Limit: causes are error codes, so there are at most as many counters as codes.
 */

import type { Log } from '../../include/log.ts';
import { ERRORS, type KvorumError } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';

/** Milliseconds between two log lines of one cause. */
export const REFUSALS_LOG_MS = 10_000;

type Cause = { loggedMs: number; count: number };

/** Counts refusals and logs them once a cause and period. */
export class Refusals {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #causes: Map<number, Cause> = new Map();
  /** All of them. */
  count = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts one refusal. `remote` and the error's text are those of the last one in the log. */
  add(error: KvorumError, remote: string): void {
    const nowMs = this.#clock.nowMs();
    const cause = this.#causes.get(error.code) ?? { loggedMs: Number.NEGATIVE_INFINITY, count: 0 };
    this.#causes.set(error.code, cause);
    cause.count += 1;
    this.count += 1;
    if (nowMs - cause.loggedMs < REFUSALS_LOG_MS) return;

    this.#log.warn('connection refused', {
      cause: ERRORS.get(error.code)?.name ?? error.code,
      remote,
      reason: error.message,
      count: cause.count,
    });
    cause.loggedMs = nowMs;
    cause.count = 0;
  }
}
