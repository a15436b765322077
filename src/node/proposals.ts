/**
 * Writes that wait for their entry to be applied.
 *
 * A proposal is known by the index and term its leader gave it. When that index is applied with the
 * same term the write took effect; with another term it was overwritten and never will. In between
 * nobody knows, also after leadership was lost: it waits until its fate is known or its time is up.
 *
 * Invariant: indexes ascend from the head of the ring. A leader that lost and regained leadership
 * may propose at an index that an older proposal waits for; the older one then lost, and is settled
 * first.
 */

import { type LogIndex, MEMBER_TIMEOUT_MS, type Term } from '../../include/node.ts';
import type { LoggedCommand } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { Ring } from '../ring.ts';
import type { Asker } from './asker.ts';

/** One waiting write. */
export type Proposal = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly asker: Asker;
  readonly id: number;
  /** The entry's data, decoded: what was checked before is not decoded again. */
  readonly command: LoggedCommand;
  /** When it was taken, on the member's clock; it is given up MEMBER_TIMEOUT_MS later. */
  readonly receivedMs: number;
};

/** What became of a proposal without being applied. */
export type SettleProposal = (proposal: Proposal) => void;

/** The waiting writes of a member, in the order of the log. */
export class Proposals {
  readonly #waiting = new Ring<Proposal>();

  /** How many wait. */
  get count(): number {
    return this.#waiting.count;
  }

  /** When the oldest was taken; infinite when none waits. */
  get oldestMs(): number {
    return this.#waiting.peek()?.receivedMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Adds a write just given to the log.
   *
   * @param onLost called for older proposals at or behind its index: a new leader's log replaced
   * them
   */
  add(proposal: Proposal, onLost: SettleProposal): void {
    let newest = this.#waiting.peekLast();
    if (newest !== undefined && newest.index >= proposal.index) {
      const kept: Proposal[] = [];
      for (let old = this.#waiting.shift(); old !== undefined; old = this.#waiting.shift()) {
        if (old.index < proposal.index) kept.push(old);
        else onLost(old);
      }
      for (const old of kept) this.#waiting.push(old);
      newest = kept.at(-1);
    }
    assert(newest === undefined || newest.index < proposal.index, 'proposals ascend');
    this.#waiting.push(proposal);
  }

  /**
   * Takes out the proposal that an applied entry settles.
   *
   * @param onLost called for each whose entry was overwritten by another leader's
   * @returns the asker of this very entry; undefined when it was proposed elsewhere
   */
  take(index: LogIndex, term: Term, onLost: SettleProposal): Proposal | undefined {
    for (;;) {
      const oldest = this.#waiting.peek();
      if (oldest === undefined || oldest.index > index) return undefined;
      this.#waiting.shift();
      if (oldest.index === index && oldest.term === term) return oldest;
      onLost(oldest);
    }
  }

  /** Takes out those whose time is up. Times ascend as proposals do. */
  expire(nowMs: number, onExpired: SettleProposal): void {
    for (;;) {
      const oldest = this.#waiting.peek();
      if (oldest === undefined || nowMs - oldest.receivedMs < MEMBER_TIMEOUT_MS) return;
      this.#waiting.shift();
      onExpired(oldest);
    }
  }

  /** Takes out all, when the member stops. */
  drain(onDrained: SettleProposal): void {
    for (let old = this.#waiting.shift(); old !== undefined; old = this.#waiting.shift()) {
      onDrained(old);
    }
  }
}
