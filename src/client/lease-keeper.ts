/**
 * Renews the leases that this client holds, each at a third of its time.
 *
 * One timer serves them all: moments are rounded down to RENEW_GRAIN_MS, so that leases that fall
 * due close together are renewed together.
 *
 * A lease counts as held for its time after the last renewal that came through was *asked for*: the
 * leader counted it from later on. A renewal may take until then, and is sent to whatever node can
 * serve it meanwhile.
 */

import type { HeldLease } from '../../include/client.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  type LeaseKeepAliveReply,
  type Reply,
} from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import { Alarm } from './alarm.ts';
import { pickKeepAlive } from './ask.ts';
import type { LinkCall } from './link.ts';
import type { Router } from './router.ts';

/** Milliseconds that moments of renewal are rounded to. */
const RENEW_GRAIN_MS = 100;

/** Renewals in the time of a lease (etcd: 3). */
export const RENEWALS_IN_TTL = 3;

/** A lease that is renewed. */
class KeptLease implements HeldLease {
  readonly id: bigint;
  readonly ttlSeconds: number;
  /** The time it has from a renewal on. */
  ttlMs: number;
  /** When the last renewal that came through was asked for. */
  renewedMs: number;
  /** When the next one is due. */
  dueMs = 0;
  /** The renewal under way. */
  call: LinkCall | undefined = undefined;

  readonly #keeper: LeaseKeeper;
  #abort: AbortController | undefined = undefined;
  #cause: KvorumError | undefined = undefined;
  readonly #listeners: ((reply: LeaseKeepAliveReply) => void)[] = [];

  constructor(keeper: LeaseKeeper, id: bigint, ttlSeconds: number, renewedMs: number) {
    this.#keeper = keeper;
    this.id = id;
    this.ttlSeconds = ttlSeconds;
    this.ttlMs = ttlSeconds * 1_000;
    this.renewedMs = renewedMs;
  }

  /** Made when first asked for: most leases are held without anybody listening. */
  get lost(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#cause !== undefined) this.#abort.abort(this.#cause);
    }
    return this.#abort.signal;
  }

  onRenewed(told: (reply: LeaseKeepAliveReply) => void): void {
    this.#listeners.push(told);
  }

  tellRenewed(reply: LeaseKeepAliveReply): void {
    for (const told of this.#listeners) told(reply);
  }

  tellLost(cause: KvorumError): void {
    this.#cause = cause;
    this.#abort?.abort(cause);
  }

  stop(): void {
    this.#keeper.drop(this);
  }

  async release(): Promise<void> {
    this.#keeper.drop(this);
    await this.#keeper.revoke(this.id);
  }
}

/** Renews the leases of a client. */
export class LeaseKeeper {
  readonly #router: Router;
  readonly #clock: Clock;
  readonly #revoke: (id: bigint) => Promise<unknown>;
  readonly #alarm: Alarm;
  readonly #kept: Set<KeptLease> = new Set();

  /** @param revoke ends a lease in the cluster */
  constructor(router: Router, clock: Clock, revoke: (id: bigint) => Promise<unknown>) {
    this.#router = router;
    this.#clock = clock;
    this.#revoke = revoke;
    this.#alarm = new Alarm(clock, (nowMs) => this.#ring(nowMs));
  }

  /**
   * Keeps a lease from now on.
   *
   * @param renewedMs when the request that granted or renewed it was made
   */
  keep(id: bigint, ttlSeconds: number, renewedMs: number): HeldLease {
    const lease = new KeptLease(this, id, ttlSeconds, renewedMs);
    this.#kept.add(lease);
    this.#schedule(lease, renewedMs);
    return lease;
  }

  /** Renews a lease no more. */
  drop(lease: KeptLease): void {
    this.#kept.delete(lease);
    if (lease.call !== undefined) this.#router.cancel(lease.call);
    lease.call = undefined;
    if (this.#kept.size === 0) this.#alarm.stop();
  }

  /** Ends a lease in the cluster; one that is gone has ended. */
  async revoke(id: bigint): Promise<void> {
    try {
      await this.#revoke(id);
    } catch (error) {
      if (!(error instanceof KvorumError) || error.code !== ErrorCode.LeaseNotFound) throw error;
    }
  }

  /** Renews nothing any more: all leases are lost. */
  close(): void {
    const why = 'the client was closed: nobody renews the lease';
    for (const lease of [...this.#kept]) this.#lose(lease, new KvorumError(ErrorCode.Stopped, why));
  }

  /** Sets the next renewal a third of the time behind a moment. */
  #schedule(lease: KeptLease, fromMs: number): void {
    const dueMs = fromMs + lease.ttlMs / RENEWALS_IN_TTL;
    lease.dueMs = Math.floor(dueMs / RENEW_GRAIN_MS) * RENEW_GRAIN_MS;
    this.#alarm.ringAt(lease.dueMs);
  }

  #ring(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lease of this.#kept) {
      if (lease.call === undefined && lease.dueMs <= nowMs) this.#renew(lease, nowMs);
      if (lease.call === undefined) nextMs = Math.min(nextMs, lease.dueMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#alarm.ringAt(nextMs);
  }

  #renew(lease: KeptLease, nowMs: number): void {
    const leftMs = lease.renewedMs + lease.ttlMs - nowMs;
    lease.call = this.#router.start(
      { type: FrameType.LeaseKeepAlive, body: { id: lease.id } },
      undefined,
      Math.max(leftMs, 1),
      (reply) => this.#onRenewed(lease, reply, nowMs),
      (error) => this.#onFailed(lease, error),
    );
  }

  #onRenewed(lease: KeptLease, reply: Reply, askedMs: number): void {
    lease.call = undefined;
    const renewal = pickKeepAlive(reply);
    if (renewal.ttlSeconds <= 0) {
      this.#lose(lease, new KvorumError(ErrorCode.LeaseNotFound));
      return;
    }
    lease.ttlMs = renewal.ttlSeconds * 1_000;
    lease.renewedMs = askedMs;
    this.#schedule(lease, askedMs);
    lease.tellRenewed(renewal);
  }

  #onFailed(lease: KeptLease, error: KvorumError): void {
    lease.call = undefined;
    const nowMs = this.#clock.nowMs();
    const isOver = error.code === ErrorCode.Stopped || error.code === ErrorCode.LeaseNotFound;
    if (isOver || nowMs >= lease.renewedMs + lease.ttlMs) {
      this.#lose(lease, error);
      return;
    }
    // Refused at once: asked again soon, for as long as it has time.
    lease.dueMs = nowMs + RENEW_GRAIN_MS;
    this.#alarm.ringAt(lease.dueMs);
  }

  #lose(lease: KeptLease, cause: KvorumError): void {
    this.drop(lease);
    lease.tellLost(cause);
  }
}
