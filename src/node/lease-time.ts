/**
 * The time of one lease or session, as a leader counts it, in monotonic milliseconds.
 *
 * Invariant: an alarm never rings after the deadline, nor after the next checkpoint.
 */

import { LEASE_CHECKPOINT_SECONDS, type Lease, type Session } from '../../include/kvstore.ts';
import type { LogIndex } from '../../include/node.ts';
import { type Alarm, NO_SLOT } from './alarm-heap.ts';

/** A lease's time. */
export type LeaseTime = Alarm & {
  readonly kind: 'lease';
  readonly id: bigint;
  readonly grantIndex: LogIndex;
  readonly ttlSeconds: number;
  deadlineMs: number;
  /** When what is left is to be told to the others; infinite when it is too little for that. */
  checkpointMs: number;
  /** The log says, or may come to say, that less than the full time is left. */
  isCheckpointed: boolean;
  /** Its end is proposed. */
  isExpiring: boolean;
};

/** A session's time. */
export type SessionTime = Alarm & {
  readonly kind: 'session';
  readonly id: number;
  readonly ttlSeconds: number;
  deadlineMs: number;
  /** The last use when the deadline was set. */
  lastIndex: LogIndex;
  /** Its end is proposed. */
  isExpiring: boolean;
};

/** Either. */
export type Times = LeaseTime | SessionTime;

/** Starts to count a lease: its full time, or what the last checkpoint left. */
export function startLease(lease: Lease, nowMs: number): LeaseTime {
  const { id, grantIndex, ttlSeconds, remainingSeconds } = lease;
  const isCheckpointed = remainingSeconds > 0;
  const leftSeconds = isCheckpointed ? remainingSeconds : ttlSeconds;
  const deadlineMs = nowMs + leftSeconds * 1_000;
  const checkpointMs = checkpointAfter(nowMs, leftSeconds);
  return {
    kind: 'lease',
    id,
    grantIndex,
    ttlSeconds,
    deadlineMs,
    checkpointMs,
    isCheckpointed,
    isExpiring: false,
    ringMs: Math.min(deadlineMs, checkpointMs),
    slot: NO_SLOT,
  };
}

/** Starts to count a session. */
export function startSession(
  { session: id, ttlSeconds, lastIndex }: Session,
  nowMs: number,
): SessionTime {
  const deadlineMs = nowMs + ttlSeconds * 1_000;
  return {
    kind: 'session',
    id,
    ttlSeconds,
    deadlineMs,
    lastIndex,
    isExpiring: false,
    ringMs: deadlineMs,
    slot: NO_SLOT,
  };
}

/**
 * When what is left of a lease is told next. Short leases are not worth it: a new leader gives them
 * their full time.
 */
export function checkpointAfter(nowMs: number, leftSeconds: number): number {
  if (leftSeconds <= LEASE_CHECKPOINT_SECONDS) return Number.POSITIVE_INFINITY;
  return nowMs + LEASE_CHECKPOINT_SECONDS * 1_000;
}

/** When the alarm must ring at the latest. */
export function nextRing(time: Times): number {
  return time.kind === 'lease' ? Math.min(time.deadlineMs, time.checkpointMs) : time.deadlineMs;
}
