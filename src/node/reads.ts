/**
 * Linearizable reads (Raft thesis 6.4): each waits for a read index, then for the store to reach
 * it. What concerns a lease's time counts as one: only who has just been confirmed as leader may
 * say how long a lease lives.
 *
 * Reads that arrive while a round is under way share the next one, so that a node has at most one
 * round in flight and its cost is spread over all who came meanwhile.
 *
 *   gathering --readIndex--> asked --grant--> granted, in order of index --applied--> answered
 */

import { type LogIndex, MEMBER_TIMEOUT_MS, type ReadGrant, type Term } from '../../include/node.ts';
import type { FrameType, Request } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import { Ring } from '../ring.ts';
import type { Asker } from './asker.ts';

/** What is answered from the state, after a read index or at once. */
export type ReadRequest = Extract<
  Request,
  {
    readonly type:
      | typeof FrameType.Range
      | typeof FrameType.Txn
      | typeof FrameType.LeaseKeepAlive
      | typeof FrameType.LeaseTimeToLive
      | typeof FrameType.AlarmList
      | typeof FrameType.MemberList;
  }
>;

/** One waiting read. */
export type Read = {
  readonly asker: Asker;
  readonly id: number;
  readonly request: ReadRequest;
  /** The member's term when it was asked: what concerns a lease is answered in that term only. */
  readonly term: Term;
  /** When it was taken, on the member's clock; it is given up MEMBER_TIMEOUT_MS later. */
  readonly receivedMs: number;
};

/** How far a read has come, by when it got there. */
export type ReadStage = { readonly askedMs?: number; readonly grantedMs?: number };

/** Reads that share a read index. */
export type Round = Required<ReadStage> & {
  readonly index: LogIndex;
  readonly reads: readonly Read[];
};

/** The waiting reads of a member. */
export class Reads {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #gathering: Read[] = [];
  #asked: Read[] = [];
  #round = 0;
  #isAsked = false;
  #askedMs = 0;
  readonly #granted = new Ring<Round>();
  #count = 0;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** How many wait, in whatever state. */
  get count(): number {
    return this.#count;
  }

  /** Adds a read; it goes out with the next round. */
  add(read: Read): void {
    this.#count += 1;
    this.#gathering.push(read);
  }

  /** Whether reads wait for a round and none is under way. */
  get isRoundDue(): boolean {
    return !this.#isAsked && this.#gathering.length > 0;
  }

  /** Begins a round when one is due; returns its number, or 0 for none. */
  beginRound(): number {
    if (!this.isRoundDue) return 0;
    this.#round += 1;
    this.#isAsked = true;
    this.#askedMs = this.#clock.nowMs();
    this.#asked = this.#gathering;
    this.#gathering = [];
    return this.#round;
  }

  /** A round has its index. Grants of rounds given up since are ignored. */
  grant(grant: ReadGrant): void {
    if (!this.#isAsked || grant.id !== this.#round) return;
    this.#granted.push({
      index: grant.index,
      askedMs: this.#askedMs,
      grantedMs: this.#clock.nowMs(),
      reads: this.#asked,
    });
    this.#endRound();
  }

  /** A round will not be answered: its reads go into the next one. */
  refuse(round: number): void {
    if (!this.#isAsked || round !== this.#round) return;
    this.#gathering = this.#asked.concat(this.#gathering);
    this.#endRound();
  }

  /** Takes out the reads that no round was begun for. */
  takeGathering(): readonly Read[] {
    const taken = this.#gathering;
    this.#gathering = [];
    this.#count -= taken.length;
    return taken;
  }

  /** Reads that the store has caught up with, oldest first; undefined when none is ready. */
  takeReady(applied: LogIndex): Round | undefined {
    const oldest = this.#granted.peek();
    if (oldest === undefined || oldest.index > applied) return undefined;
    this.#granted.shift();
    this.#count -= oldest.reads.length;
    return oldest;
  }

  /** Takes out the reads whose time is up. @param onExpired is told how far each has come */
  expire(nowMs: number, onExpired: (read: Read, stage: ReadStage) => void): void {
    const giveUpAt =
      (stage: ReadStage) =>
      (read: Read): void => {
        this.#count -= 1;
        onExpired(read, stage);
      };
    this.#gathering = sift(this.#gathering, nowMs, giveUpAt({}));
    this.#asked = sift(this.#asked, nowMs, giveUpAt({ askedMs: this.#askedMs }));
    for (let count = this.#granted.count; count > 0; count -= 1) {
      const granted = this.#granted.shift();
      assert(granted !== undefined, 'a counted element is there');
      const reads = sift(granted.reads, nowMs, giveUpAt(granted));
      if (reads.length > 0) this.#granted.push({ ...granted, reads });
    }
    // A round nobody waits for any more is given up: its grant may have been lost on the way.
    if (this.#isAsked && this.#asked.length === 0) this.#endRound();
  }

  #endRound(): void {
    this.#asked = [];
    this.#isAsked = false;
  }
}

function sift(reads: readonly Read[], nowMs: number, onExpired: (read: Read) => void): Read[] {
  const kept: Read[] = [];
  for (const read of reads) {
    if (nowMs - read.receivedMs < MEMBER_TIMEOUT_MS) kept.push(read);
    else onExpired(read);
  }
  return kept;
}
