/**
 * Leases: a time to live that keys hang on (etcd v3 Lease). Part of include/kvstore.ts, which
 * exports it.
 *
 * The store knows no clock: it holds what was granted and which keys hang on it. The leader counts
 * the time, and proposes what has run out (ExpireRequest), so that a lease ends at the same place
 * in the log on every member. A new leader gives every lease its full time again, or what the last
 * checkpoint left of it; so a lease may end late, never early.
 */

import type { LogIndex } from './raft.ts';

/** Most seconds of a lease (etcd MaxLeaseTTL); more is refused with LeaseTtlTooLarge. */
export const LEASE_TTL_SECONDS_MAX = 9_000_000_000;

/** Seconds between checkpoints of what is left of long leases (etcd: 5 minutes). */
export const LEASE_CHECKPOINT_SECONDS = 300;

/** Most leases and sessions that one ExpireRequest ends: a millisecond or two of applying. */
export const EXPIRE_BATCH_MAX = 200;

/** Most leases that one LeaseCheckpointRequest carries (etcd: 1,000). */
export const CHECKPOINT_BATCH_MAX = 1_000;

/** Asks for a lease (etcd LeaseGrantRequest). */
export type LeaseGrantRequest = {
  /** The id wanted; 0n lets the node choose a random positive one before it proposes. */
  readonly id: bigint;
  /** Seconds; raised to the least a node allows (1.5 elections) before it is proposed. */
  readonly ttlSeconds: number;
};

/** The answer to a grant. Granting makes no revision. */
export type LeaseGrantResult = {
  readonly revision: number;
  readonly id: bigint;
  /** As granted. */
  readonly ttlSeconds: number;
};

/** Ends a lease: its keys are deleted in one revision, in key order; none, no revision. */
export type LeaseRevokeRequest = { readonly id: bigint };

/** The answer to a revocation. */
export type LeaseRevokeResult = { readonly revision: number };

/** What is left of one lease. Replaces what an earlier checkpoint said. */
export type LeaseCheckpoint = { readonly id: bigint; readonly remainingSeconds: number };

/** Remembers what is left of leases, for the next leader. Proposed by the leader only. */
export type LeaseCheckpointRequest = { readonly checkpoints: readonly LeaseCheckpoint[] };

/**
 * Ends what has run out. Proposed by the leader only.
 *
 * Leases end as if revoked, each in a revision of its own; one that was granted anew meanwhile
 * (another grantIndex), and a session used meanwhile (another lastIndex), stays.
 */
export type ExpireRequest = {
  readonly leases: readonly { readonly id: bigint; readonly grantIndex: LogIndex }[];
  readonly sessions: readonly { readonly session: number; readonly lastIndex: LogIndex }[];
};

/** What a store holds of a lease. */
export type Lease = {
  readonly id: bigint;
  /** As granted. */
  readonly ttlSeconds: number;
  /** What the last checkpoint left; 0 when there was none since the grant or renewal. */
  readonly remainingSeconds: number;
  /** The entry that granted it. */
  readonly grantIndex: LogIndex;
};
