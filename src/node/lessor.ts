/**
 * The time of leases and sessions, counted by the leader alone (etcd's lessor).
 *
 * The store knows what was granted; this knows since when. A leader proposes what has run out
 * (Expire), so that it ends at the same place of the log on every member, and now and then what is
 * left of long leases (LeaseCheckpoint), so that the next leader need not start them anew.
 *
 *   follow(term) --load--> counting --tick: run out--> expiring --applied: settle--> gone
 *                             ^  '--renew--'              |
 *                             '------- still there -------'
 *
 * A new leader loads a slice a tick, and whatever it is asked about at once: time starts with that,
 * so a lease may live a second longer for it.
 *
 * Invariants: only the leader of a term counts, and it starts every time anew at the beginning of
 * its term, so a lease ends late, never early; an alarm never rings after its lease's deadline. A
 * renewal only moves the deadline: the alarm rings in vain and is set again, so that a keep-alive
 * costs a look-up. A session's use is not even noted: when its alarm rings, the store says whether
 * it was used, and its full time starts then.
 *
 * Limits: one Expire a tick of at most EXPIRE_BATCH_MAX with DELETE_AT_ONCE_KEYS_MAX keys in all,
 * EXPIRING_MAX proposed and not yet applied.
 */

import {
  CHECKPOINT_BATCH_MAX,
  DELETE_AT_ONCE_KEYS_MAX,
  EXPIRE_BATCH_MAX,
  type ExpireRequest,
  type Lease,
  type LeaseCheckpoint,
  type Session,
} from '../../include/kvstore.ts';
import type { Term } from '../../include/node.ts';
import { FrameType, type InternalCommand } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import { AlarmHeap } from './alarm-heap.ts';
import {
  checkpointAfter,
  type LeaseTime,
  nextRing,
  type SessionTime,
  startLease,
  startSession,
  type Times,
} from './lease-time.ts';

/** What a lessor follows while its member does not lead. */
export const NO_TERM: Term = 0;

/** Leases and sessions proposed to end and not yet ended, at which no more are proposed. */
export const EXPIRING_MAX = 4 * EXPIRE_BATCH_MAX;

/** Leases and sessions that a new leader starts to count in one tick: a millisecond or two. */
const LOAD_SLICE = 1_000;

/** Milliseconds until a proposal that was not taken is tried again. */
const PROPOSE_AGAIN_MS = 100;

/** What a member lends its lessor. */
export type LessorOptions = {
  readonly store: Pick<
    Store,
    'lease' | 'session' | 'countLeaseKeys' | 'visitLeases' | 'visitSessions'
  >;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Puts a command into the log; returns whether it was taken. */
  readonly propose: (command: InternalCommand) => boolean;
};

/** What a new leader has not come across yet. */
type Unloaded = {
  /** The next lease, by the order of the store. */
  nextLease: bigint;
  areLeasesLeft: boolean;
  readonly sessions: number[];
};

/** What one tick has to propose. */
type Due = {
  readonly expired: Times[];
  readonly checkpointed: LeaseTime[];
};

/** The leases and sessions of a member, with their deadlines. */
export class Lessor {
  readonly #options: LessorOptions;
  readonly #leases: Map<bigint, LeaseTime> = new Map();
  readonly #sessions: Map<number, SessionTime> = new Map();
  readonly #alarms: AlarmHeap<Times> = new AlarmHeap();
  #unloaded: Unloaded | undefined;
  #term: Term = NO_TERM;
  #expiringCount = 0;

  constructor(options: LessorOptions) {
    this.#options = options;
  }

  /** The term in which this member leads and counts; NO_TERM when it does not. */
  get term(): Term {
    return this.#term;
  }

  /** Leases and sessions whose time is counted; a new leader comes across them tick by tick. */
  get count(): number {
    return this.#leases.size + this.#sessions.size;
  }

  /**
   * Says in which term this member leads; NO_TERM when it does not. In a new term everything is
   * counted from its start.
   */
  follow(term: Term): void {
    if (term === this.#term) return;
    this.#term = term;
    this.#leases.clear();
    this.#sessions.clear();
    this.#alarms.clear();
    this.#expiringCount = 0;
    this.#unloaded = undefined;
    if (term === NO_TERM) return;
    const sessions: number[] = [];
    this.#options.store.visitSessions(({ session }) => sessions.push(session));
    this.#unloaded = { nextLease: 0n, areLeasesLeft: true, sessions };
    this.#load(this.#unloaded);
  }

  /** Proposes what has run out. */
  tick(): void {
    if (this.#unloaded !== undefined) this.#load(this.#unloaded);
    const nowMs = this.#options.clock.nowMs();
    const earliest = this.#alarms.peek();
    if (earliest === undefined || earliest.ringMs > nowMs) return;
    const due = this.#takeDue(nowMs);
    if (due.expired.length > 0) this.#proposeExpiry(due.expired, nowMs);
    if (due.checkpointed.length > 0) this.#proposeCheckpoint(due.checkpointed, nowMs);
  }

  /** A grant or a revocation of the lease was applied, maybe not for the first time. */
  leaseChanged(id: bigint): void {
    if (this.#term === NO_TERM) return;
    const lease = this.#options.store.lease(id);
    const known = this.#leases.get(id);
    if (known !== undefined) {
      if (lease?.grantIndex === known.grantIndex) return;
      this.#forget(known);
    }
    if (lease !== undefined) this.#countLease(lease);
  }

  /** An opening of the session was applied, maybe not for the first time. */
  sessionOpened(id: number): void {
    if (this.#term === NO_TERM || this.#sessions.has(id)) return;
    const session = this.#options.store.session(id);
    if (session !== undefined) this.#countSession(session);
  }

  /** An expiry was applied: whatever it names and is still there counts on. */
  settle(request: ExpireRequest): void {
    if (this.#term === NO_TERM) return;
    const { store, clock } = this.#options;
    for (const { id } of request.leases) this.leaseChanged(id);
    for (const { session: id } of request.sessions) {
      const known = this.#sessions.get(id);
      if (known === undefined) continue;
      const session = store.session(id);
      if (session === undefined) this.#forget(known);
      else if (known.isExpiring) this.#restart(known, session, clock.nowMs());
    }
  }

  /**
   * Gives a lease its full time again. The caller knows that this member still leads and has
   * applied all that was committed when it was asked; clears the checkpoint first (see
   * `isCheckpointed`).
   *
   * @returns its seconds; 0 when it is gone, or its end is in the log already
   */
  renew(id: bigint): number {
    const lease = this.#find(id);
    if (lease === undefined || lease.isExpiring) return 0;
    const nowMs = this.#options.clock.nowMs();
    lease.deadlineMs = nowMs + lease.ttlSeconds * 1_000;
    lease.checkpointMs = checkpointAfter(nowMs, lease.ttlSeconds);
    // The alarm may stay: it rings at the old deadline or checkpoint, neither of which is later.
    return lease.ttlSeconds;
  }

  /**
   * Whether a renewal must first be told to the others: they would give the lease less than a
   * client is told here.
   */
  isCheckpointed(id: bigint): boolean {
    const lease = this.#find(id);
    return lease?.isCheckpointed === true && !lease.isExpiring;
  }

  /** The clearing of a lease's checkpoint was proposed: none may follow it until it is applied. */
  clearing(id: bigint): void {
    const lease = this.#leases.get(id);
    assert(lease !== undefined, 'a checkpoint that is cleared is known', id);
    lease.checkpointMs = checkpointAfter(this.#options.clock.nowMs(), lease.ttlSeconds);
  }

  /** It was applied. */
  cleared(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.isCheckpointed = false;
  }

  /** Whole seconds left of a lease; -1 when there is none. */
  secondsLeft(id: bigint): number {
    const lease = this.#find(id);
    if (lease === undefined) return -1;
    return Math.max(0, Math.floor((lease.deadlineMs - this.#options.clock.nowMs()) / 1_000));
  }

  /** A lease; one that is not loaded yet is counted from now on. */
  #find(id: bigint): LeaseTime | undefined {
    const known = this.#leases.get(id);
    if (known !== undefined || this.#unloaded === undefined) return known;
    const lease = this.#options.store.lease(id);
    return lease === undefined ? undefined : this.#countLease(lease);
  }

  /** Starts to count some of what a new leader finds. */
  #load(unloaded: Unloaded): void {
    const { store } = this.#options;
    let left = LOAD_SLICE;
    while (left > 0) {
      const id = unloaded.sessions.pop();
      if (id === undefined) break;
      this.sessionOpened(id);
      left -= 1;
    }
    if (unloaded.areLeasesLeft && left > 0) {
      unloaded.areLeasesLeft = false;
      store.visitLeases((lease) => {
        if (left === 0) {
          unloaded.nextLease = lease.id;
          unloaded.areLeasesLeft = true;
          return false;
        }
        left -= 1;
        if (!this.#leases.has(lease.id)) this.#countLease(lease);
        return true;
      }, unloaded.nextLease);
    }
    if (left > 0) this.#unloaded = undefined;
  }

  #countLease(lease: Lease): LeaseTime {
    const time = startLease(lease, this.#options.clock.nowMs());
    this.#leases.set(time.id, time);
    this.#alarms.add(time);
    return time;
  }

  #countSession(session: Session): void {
    const time = startSession(session, this.#options.clock.nowMs());
    this.#sessions.set(time.id, time);
    this.#alarms.add(time);
  }

  #forget(time: Times): void {
    if (time.isExpiring) this.#expiringCount -= 1;
    this.#alarms.remove(time);
    if (time.kind === 'lease') this.#leases.delete(time.id);
    else this.#sessions.delete(time.id);
  }

  /** A session was used: its time starts anew. */
  #restart(time: SessionTime, session: Session, nowMs: number): void {
    if (time.isExpiring) this.#expiringCount -= 1;
    time.isExpiring = false;
    time.lastIndex = session.lastIndex;
    time.deadlineMs = nowMs + time.ttlSeconds * 1_000;
    this.#setAlarm(time, time.deadlineMs);
  }

  #setAlarm(time: Times, ringMs: number): void {
    this.#alarms.remove(time);
    time.ringMs = ringMs;
    this.#alarms.add(time);
  }

  /** Takes the alarms that ring out of the heap; those that ring in vain are set again. */
  #takeDue(nowMs: number): Due {
    const due: Due = { expired: [], checkpointed: [] };
    const room = Math.min(EXPIRE_BATCH_MAX, EXPIRING_MAX - this.#expiringCount);
    let keysLeft = DELETE_AT_ONCE_KEYS_MAX;
    for (let visited = 0; visited < CHECKPOINT_BATCH_MAX; visited += 1) {
      const time = this.#alarms.peek();
      if (time === undefined || time.ringMs > nowMs) break;
      if (time.kind === 'session' && this.#wasUsed(time, nowMs)) continue;
      if (time.deadlineMs <= nowMs) {
        if (due.expired.length >= room) break;
        if (time.kind === 'lease')
          keysLeft -= this.#options.store.countLeaseKeys(time.id, keysLeft + 1);
        // One of many keys goes alone: it is deleted step by step.
        if (keysLeft < 0 && due.expired.length > 0) break;
        due.expired.push(time);
        this.#alarms.remove(time);
      } else if (time.kind === 'lease' && time.checkpointMs <= nowMs) {
        due.checkpointed.push(time);
        this.#alarms.remove(time);
      } else {
        this.#setAlarm(time, nextRing(time));
      }
    }
    return due;
  }

  #wasUsed(time: SessionTime, nowMs: number): boolean {
    const session = this.#options.store.session(time.id);
    assert(session !== undefined, 'a session ends by an expiry', time.id);
    if (session.lastIndex === time.lastIndex) return false;
    this.#restart(time, session, nowMs);
    return true;
  }

  #proposeExpiry(expired: readonly Times[], nowMs: number): void {
    const leases = [];
    const sessions = [];
    for (const time of expired) {
      if (time.kind === 'lease') leases.push({ id: time.id, grantIndex: time.grantIndex });
      else sessions.push({ session: time.id, lastIndex: time.lastIndex });
    }
    if (this.#options.propose({ type: FrameType.Expire, body: { leases, sessions } })) {
      for (const time of expired) time.isExpiring = true;
      this.#expiringCount += expired.length;
    } else {
      for (const time of expired) this.#setAlarm(time, nowMs + PROPOSE_AGAIN_MS);
    }
  }

  #proposeCheckpoint(due: readonly LeaseTime[], nowMs: number): void {
    const checkpoints: LeaseCheckpoint[] = due.map(({ id, deadlineMs }) => ({
      id,
      remainingSeconds: Math.ceil((deadlineMs - nowMs) / 1_000),
    }));
    const isTaken = this.#options.propose({
      type: FrameType.LeaseCheckpoint,
      body: { checkpoints },
    });
    for (const time of due) {
      if (!isTaken) {
        this.#setAlarm(time, Math.min(time.deadlineMs, nowMs + PROPOSE_AGAIN_MS));
        continue;
      }
      time.isCheckpointed = true;
      time.checkpointMs = checkpointAfter(nowMs, (time.deadlineMs - nowMs) / 1_000);
      this.#setAlarm(time, nextRing(time));
    }
  }
}
