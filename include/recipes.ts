/**
 * Recipes: what programs build from keys, transactions, watches and leases (etcd's concurrency
 * package and contrib/recipes; the layout of keys is etcd's where etcd has the recipe).
 *
 *   import { connect, createElection, createLock, transact } from 'kvorum';
 *
 *   const lock = createLock(client, 'jobs/nightly');
 *   const held = await lock.acquire();
 *   try {
 *     await store.write(rows, { fencingToken: held.token, signal: held.lost });
 *   } finally {
 *     await held.release();
 *   }
 *
 * What is held hangs on a lease: it ends when its holder crashes, or is cut off for the lease's
 * time. So a holder must stop working when `lost` aborts. Since no clock can be trusted for that
 * alone, what it works on should refuse an older token than the highest it has seen (fencing).
 *
 * Waiting ends with the reason of `signal` when that aborts, and whoever waited is no longer in the
 * queue. Everything else fails with KvorumError; besides what the client says:
 * - NotHeld: what is held, or was waited with, is gone: its lease was lost or its key deleted.
 */

import type { Bytes, HeldLease } from './client-data.ts';
import type { KeyValue } from './key-values.ts';

/** Default seconds of the lease that a recipe asks for: how long a crashed holder is waited for. */
export const RECIPE_TTL_SECONDS = 10;

/** On which lease something is held. */
export type HoldOptions = {
  /**
   * The lease to hang on. It stays the caller's, who renews and releases it; several recipes may
   * share it. Left out, each thing held gets a lease of its own, which ends with it.
   */
  readonly lease?: HeldLease;
  /** Seconds of the own lease; RECIPE_TTL_SECONDS when left out. */
  readonly ttlSeconds?: number;
};

/** How to wait. */
export type WaitOptions = {
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
};

// ---- lock ----

/**
 * A lock that one holder has at a time, given in the order of asking. `kvorum lock` and etcd's
 * locks of the same name exclude each other: who holds it has the oldest key below `name/`.
 */
export type Lock = {
  /**
   * Waits for the lock.
   *
   * With a given lease it is re-entrant, as etcd's: all who ask with one lease hold it together,
   * and the first to release it releases it for all. When the request itself fails with an unknown
   * outcome, asking again with that lease takes the same place in the queue.
   */
  readonly acquire: (options?: WaitOptions) => Promise<HeldLock>;
  /** Takes the lock if it is free; undefined when it is held. */
  readonly tryAcquire: () => Promise<HeldLock | undefined>;
};

/** A lock held. */
export type HeldLock = {
  /** The holder's key: `name/lease in hex`. Its createRevision is `token`. */
  readonly key: Buffer;
  /** The fencing token: higher than that of every holder before. */
  readonly token: number;
  /** A revision at which the lock was held. */
  readonly revision: number;
  /** Aborted when the lock is not held any more, or may not be; not by `release`. */
  readonly lost: AbortSignal;
  /** Lets the next one have it. Also after it was lost, and more than once. */
  readonly release: () => Promise<void>;
};

// ---- election ----

/** An election: candidates lead one after the other, in the order of their campaigns. */
export type Election = {
  /**
   * Waits to lead. With a given lease that campaigns or leads already, takes its place and
   * proclaims `value`.
   * @param value what observers are told of this leader
   */
  readonly campaign: (value: Bytes, options?: WaitOptions) => Promise<Leadership>;
  /** The leader's pair, its value what it proclaimed; undefined while nobody leads. */
  readonly leader: () => Promise<KeyValue | undefined>;
  /**
   * The current leader, then each new leader and each new value, for as long as it is iterated. A
   * value or leader that was soon followed by another may be left out. With `signal`, ends quietly
   * when that aborts.
   */
  readonly observe: (options?: WaitOptions) => AsyncIterable<KeyValue>;
};

/** A candidate that leads. */
export type Leadership = {
  /** The leader's key: `name/lease in hex`. */
  readonly key: Buffer;
  /** The fencing token: higher than that of every leader before. */
  readonly token: number;
  /** A revision at which it led. */
  readonly revision: number;
  /** Aborted when it leads no more, or may not; not by `resign`. */
  readonly lost: AbortSignal;
  /** Announces another value. @throws KvorumError NotHeld when it leads no more */
  readonly proclaim: (value: Bytes) => Promise<void>;
  /** Lets the next candidate lead. Also after it was lost, and more than once. */
  readonly resign: () => Promise<void>;
};

// ---- software transactional memory ----

/**
 * What a transaction can rely on (etcd's concurrency package).
 *
 * - SerializableSnapshot: all reads are of one revision, and at the commit nothing that was read or
 *   is written has changed since.
 * - Serializable: all reads are of one revision, and at the commit nothing that was read has
 *   changed.
 * - RepeatableReads: each key reads the same throughout; at the commit nothing that was read has
 *   changed, but while it runs two keys may be seen from different revisions.
 * - ReadCommitted: reads see what is committed; nothing is checked at the commit.
 */
export const Isolation = {
  SerializableSnapshot: 0,
  Serializable: 1,
  RepeatableReads: 2,
  ReadCommitted: 3,
} as const;
/** One of the values of Isolation. */
export type Isolation = (typeof Isolation)[keyof typeof Isolation];

/** How to run a transaction. */
export type TransactOptions = WaitOptions & {
  /** SerializableSnapshot when left out. */
  readonly isolation?: Isolation;
};

/**
 * What a transaction sees: reads come from the cluster, or from its own writes; writes are kept
 * until it commits. At most TXN_OPS_MAX keys read, and as many written.
 */
export type Memory = {
  /** The value of a key; undefined when it is absent. */
  readonly get: (key: Bytes) => Promise<Buffer | undefined>;
  /** The modRevision of a key as it is in the cluster; 0 when it is absent. */
  readonly revision: (key: Bytes) => Promise<number>;
  /** Writes a key at the commit. @param lease the lease to hang it on */
  readonly put: (key: Bytes, value: Bytes, lease?: bigint) => void;
  /** Deletes a key at the commit. */
  readonly delete: (key: Bytes) => void;
};

/** What a transaction came to. */
export type TransactResult<T> = {
  /** What its function returned. */
  readonly result: T;
  /** The revision made, or the one that was read at when nothing was written. */
  readonly revision: number;
  /** How often the function ran: once, and again for each conflict. */
  readonly attemptCount: number;
};

// ---- barriers ----

/** A barrier: who waits, waits for as long as it is up. Its key is the barrier's name. */
export type Barrier = {
  /** Raises it; false when it was up already. Stays up when whoever raised it is gone. */
  readonly raise: () => Promise<boolean>;
  /** Lets all pass; false when it was not up. */
  readonly release: () => Promise<boolean>;
  /** Waits until it is down; at once if it is. */
  readonly wait: (options?: WaitOptions) => Promise<void>;
};

/**
 * A double barrier: a number of parties begin a round together and end it together, again and
 * again. A party that crashes counts as having left when its lease runs out. Keys lie below
 * `name/`.
 */
export type DoubleBarrier = {
  /**
   * Waits until all parties have entered. A party too many waits for the next round. Parties need
   * leases of their own.
   */
  readonly enter: (options?: WaitOptions) => Promise<BarrierRound>;
};

/** A round of a double barrier, entered by all. */
export type BarrierRound = {
  /** Aborted when this party counts as gone, or may. */
  readonly lost: AbortSignal;
  /** Leaves, and waits until all have left. When that is given up, it has left all the same. */
  readonly leave: (options?: WaitOptions) => Promise<void>;
};

// ---- queue ----

/** The least urgent priority of a queue's item. */
export const PRIORITY_MAX = 0xffff;

/** An item of a queue, taken out of it. */
export type QueueItem = {
  readonly value: Buffer;
  /** As given when it was added. */
  readonly priority: number;
  /** Where it was: below `name/`. */
  readonly key: Buffer;
};

/**
 * A queue in the cluster: any number of producers and consumers; each item is taken exactly once,
 * also when requests are repeated. What a consumer took and did not finish is not given again.
 *
 * Items come by priority, and first in, first out among those of the same: an item that was added
 * before another one's adding began comes before it.
 */
export type Queue = {
  /** Adds an item. @param priority 0, the most urgent and the default, to PRIORITY_MAX */
  readonly add: (value: Bytes, priority?: number) => Promise<void>;
  /** Takes the first item; waits for one while there is none. */
  readonly take: (options?: WaitOptions) => Promise<QueueItem>;
  /** Takes the first item; undefined when there is none. */
  readonly tryTake: () => Promise<QueueItem | undefined>;
};

// ---- services ----

/** An instance of a service. */
export type ServiceEndpoint = {
  /** Where it is: `host:port`, or whatever its clients understand. */
  readonly address: string;
  /** What else they should know: anything that JSON can hold; undefined for nothing. */
  readonly metadata?: unknown;
};

/**
 * An instance that others find, for as long as it lives. Its key is `name/address`, its value what
 * etcd's gRPC naming reads: `{"Op":0,"Addr":address,"Metadata":metadata}`.
 */
export type Registration = {
  readonly key: Buffer;
  /** Aborted when it is not found any more, or may not be: register anew. Not by `deregister`. */
  readonly lost: AbortSignal;
  /** Replaces the metadata. @throws KvorumError NotHeld when it is not registered any more */
  readonly update: (metadata: unknown) => Promise<void>;
  /** Takes it out, unless another one has registered the same address since. */
  readonly deregister: () => Promise<void>;
};

/** The instances of a service at one moment, by address. */
export type ServiceEndpoints = ReadonlyMap<string, ServiceEndpoint>;
