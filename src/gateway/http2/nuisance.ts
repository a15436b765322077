/**
 * Counts what a client sends that does no work, and pings; who sends floods of it is cut.
 *
 * Pings are judged as gRPC's Go server judges them: more than two that come too early, with nothing
 * sent to the client in between, are too many.
 */

import type { Clock } from '../../clock.ts';
import {
  ConnectionError,
  H2Error,
  NUISANCE_FRAMES_MAX,
  NUISANCE_WINDOW_MS,
  RESETS_MAX,
} from './frames.ts';

/**
 * Least milliseconds between pings while requests are under way (etcd --grpc-keepalive-min-time).
 */
const PING_INTERVAL_MIN_MS = 5_000;

/** The same while none are. */
const IDLE_PING_INTERVAL_MIN_MS = 2 * 60 * 60 * 1_000;

/** Pings too early that are let pass. */
const PING_STRIKES_MAX = 2;

/** What one connection has sent. */
export class Nuisance {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #frameCount = 0;
  #resetCount = 0;
  #pingMs = Number.NEGATIVE_INFINITY;
  #pingStrikes = 0;
  #hasSentData = false;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** A frame that does no work. @throws ConnectionError */
  count(): void {
    this.#frameCount += 1;
    if (this.#frameCount > NUISANCE_FRAMES_MAX) this.#judge('too many frames');
  }

  /** A reset. @throws ConnectionError */
  countReset(): void {
    this.#resetCount += 1;
    if (this.#resetCount > RESETS_MAX) this.#judge('too many resets');
  }

  /** A ping. @throws ConnectionError */
  countPing(hasStreams: boolean): void {
    this.count();
    const nowMs = this.#clock.nowMs();
    const elapsedMs = nowMs - this.#pingMs;
    this.#pingMs = nowMs;
    if (this.#hasSentData) {
      this.#hasSentData = false;
      this.#pingStrikes = 0;
      return;
    }
    const leastMs = hasStreams ? PING_INTERVAL_MIN_MS : IDLE_PING_INTERVAL_MIN_MS;
    if (elapsedMs < leastMs) this.#pingStrikes += 1;
    if (this.#pingStrikes <= PING_STRIKES_MAX) return;
    throw new ConnectionError(H2Error.EnhanceYourCalm, 'too_many_pings');
  }

  /** Something was sent to the client that it asked for. */
  dataSent(): void {
    this.#hasSentData = true;
  }

  /** So many since the window began: too many, unless that was long ago. */
  #judge(text: string): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sinceMs < NUISANCE_WINDOW_MS) {
      throw new ConnectionError(H2Error.EnhanceYourCalm, text);
    }
    this.#sinceMs = nowMs;
    this.#frameCount = 0;
    this.#resetCount = 0;
  }
}
