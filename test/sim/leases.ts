/**
 * Leases of clients. Each key of a lease must live as long as the lease was promised to, by the
 * clock that ran fastest, and must go some time after.
 */

import { KvorumError } from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';
import type { Truth } from './truth.ts';
import { must } from './violation.ts';
import type { WatchOwner } from './watches.ts';

/** Who holds leases. */
export type LeaseOwner = WatchOwner & { readonly pause: (delayMs: number) => Promise<void> };

type Held = {
  readonly owner: LeaseOwner;
  readonly key: string;
  readonly ttlMs: number;
  /** What each node's clock showed when the last renewal that came through was asked for. */
  renewedMs: readonly number[];
  /** Nobody asks for renewals any more: when, in the world's time. */
  stoppedMs: number;
  /** It was told to end. */
  isRevoked: boolean;
};

/** All leases of all clients. */
export class Leases {
  readonly #truth: Truth;
  readonly #random: Random;
  readonly #clocksMs: () => readonly number[];
  readonly #nowMs: () => number;
  readonly #held: Held[] = [];
  #keyCount = 0;

  constructor(
    truth: Truth,
    random: Random,
    clocksMs: () => readonly number[],
    nowMs: () => number,
  ) {
    this.#truth = truth;
    this.#random = random;
    this.#clocksMs = clocksMs;
    this.#nowMs = nowMs;
  }

  /** How many leases had a key. */
  get count(): number {
    return this.#held.length;
  }

  /** Asks for a lease, renews it for a while, lets it run out or revokes it; again and again. */
  async hold(owner: LeaseOwner): Promise<void> {
    while (!owner.isDone()) {
      this.#keyCount += 1;
      try {
        await this.#holdOne(owner, `l/${owner.name}.${this.#keyCount}`);
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
      }
      await owner.pause(this.#random.below(500));
    }
  }

  /** Holds every end of a key of a lease against what was promised. */
  check(): void {
    for (const held of this.#held) {
      const ended = this.#truth.findDeletion(held.key);
      if (ended === undefined || held.isRevoked) continue;
      const livedMs = Math.max(...ended.clocksMs.map((atMs, node) => atMs - held.renewedMs[node]!));
      must(livedMs >= held.ttlMs, 'no lease ends early', () => {
        return `${held.key} of ${held.ttlMs} ms ended after ${livedMs} ms`;
      });
    }
  }

  /** A lease that should be over for so long and is not; undefined when there is none. */
  findOverdue(lateMs: number): string | undefined {
    for (const held of this.#held) {
      const stoppedMs = Math.min(held.stoppedMs, held.owner.diedMs());
      const isOver = this.#nowMs() >= stoppedMs + held.ttlMs + lateMs;
      const isThere = this.#truth.pairAt(held.key, this.#truth.last) !== undefined;
      if (isOver && isThere) return `${held.key} of ${held.ttlMs} ms is still there`;
    }
    return undefined;
  }

  async #holdOne(owner: LeaseOwner, key: string): Promise<void> {
    const { below } = this.#random;
    const { client } = owner;
    let askedMs = this.#clocksMs();
    const { id, ttlSeconds } = await client.grantLease(1 + below(3));
    const held: Held = {
      owner,
      key,
      ttlMs: ttlSeconds * 1_000,
      renewedMs: askedMs,
      stoppedMs: Number.POSITIVE_INFINITY,
      isRevoked: false,
    };
    try {
      await client.put(key, key, { lease: id });
      this.#held.push(held);
      for (let renewals = below(6); renewals > 0 && !owner.isDone(); renewals -= 1) {
        await owner.pause(below(held.ttlMs));
        askedMs = this.#clocksMs();
        const renewal = await client.keepAliveLease(id);
        if (renewal.ttlSeconds === 0) return;
        const isWhole = renewal.ttlSeconds === ttlSeconds;
        must(isWhole, 'a renewal gives the whole time', () => `${key}: ${renewal.ttlSeconds}`);
        held.renewedMs = askedMs;
      }
      if (below(4) > 0) return;
      held.isRevoked = true;
      await client.revokeLease(id);
    } finally {
      held.stoppedMs = this.#nowMs();
    }
  }
}
