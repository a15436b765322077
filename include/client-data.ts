/**
 * What a client of a cluster can ask beyond single keys: transactions, watches, leases, pages. Part
 * of include/client.ts, which exports it.
 */

import { ERRORS, ErrorCode, KvorumError } from './errors.ts';
import type { KeyValue, SortOrder, SortTarget, WatchEvent } from './kvstore.ts';
import type { LeaseKeepAliveReply, TxnReply } from './rpc.ts';

/** A key or value: text is taken as UTF-8. Bytes are borrowed until the promise settles. */
export type Bytes = string | Uint8Array;

/** What every request may say. */
export type CallOptions = {
  /** Milliseconds until this request fails; the client's when left out. Infinity: never. */
  readonly timeoutMs?: number;
};

/** Which keys are meant besides `key`; at most one of the three. None: that single key. */
export type KeySpan = {
  /** All keys k with key <= k < rangeEnd. */
  readonly rangeEnd?: Bytes;
  /** All keys that start with `key`; every key when it is empty. */
  readonly prefix?: boolean;
  /** All keys from `key` on; every key when it is empty. */
  readonly fromKey?: boolean;
};

/** How to put (etcd PutRequest). */
export type PutOptions = CallOptions & {
  /** The lease to hang the key on. */
  readonly lease?: bigint;
  /** Answer with the pair as it was before. */
  readonly prevKv?: boolean;
  /** Keep the value: `value` must be empty, the key must exist. */
  readonly ignoreValue?: boolean;
  /** Keep the lease; the key must exist. */
  readonly ignoreLease?: boolean;
};

/** How to read one key. */
export type GetOptions = CallOptions & {
  /** The revision to read at; the newest when left out. */
  readonly revision?: number;
  /** Answer from the state of the node asked, maybe stale, without asking its leader. */
  readonly serializable?: boolean;
};

/** How to read a range (etcd RangeRequest). */
export type RangeOptions = GetOptions &
  KeySpan & {
    /** Most pairs answered; 0 for all. */
    readonly limit?: number;
    readonly sortOrder?: SortOrder;
    readonly sortTarget?: SortTarget;
    /** Leave the values out. */
    readonly keysOnly?: boolean;
    /** Answer only how many there are. */
    readonly countOnly?: boolean;
    readonly minModRevision?: number;
    readonly maxModRevision?: number;
    readonly minCreateRevision?: number;
    readonly maxCreateRevision?: number;
    /** Bytes of keys and values after which the answer is cut as if by a limit; 0 for none. */
    readonly pageBytes?: number;
    /** Leave `count` at 0: counting a wide range costs more than a page of it. */
    readonly uncounted?: boolean;
  };

/** How to read a range page by page. */
export type PageOptions = Omit<
  RangeOptions,
  'countOnly' | 'limit' | 'pageBytes' | 'sortOrder' | 'sortTarget' | 'uncounted'
> & {
  /** Most pairs of all pages; 0 for all. */
  readonly limit?: number;
};

/** Bytes of keys and values after which a page ends. */
export const PAGE_BYTES = 256 * 1024;

/** Some pairs of a range, in key order; all pages are of the same revision. */
export type Page = {
  /** The revision that all pages show. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
};

/** How to delete (etcd DeleteRangeRequest). */
export type DeleteOptions = CallOptions &
  KeySpan & {
    /** Answer with the pairs as they were before. */
    readonly prevKv?: boolean;
  };

// ---- transactions ----

/** How what is found relates to the operand. */
export type CompareOperator = '=' | '!=' | '<' | '>';

/**
 * A condition of a transaction. Exactly one operand. An absent key has version, revisions and lease
 * 0, and no value: comparing its value is false, also with `!=`.
 */
export type Condition = KeySpan & {
  readonly key: Bytes;
  /** `=` when left out. */
  readonly operator?: CompareOperator;
  readonly version?: number;
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly value?: Bytes;
  readonly lease?: bigint;
};

/** An operation of a transaction. */
export type Operation =
  | ({ readonly put: Bytes; readonly value?: Bytes } & Omit<PutOptions, 'timeoutMs'>)
  | ({ readonly get: Bytes } & Omit<RangeOptions, 'timeoutMs'>)
  | ({ readonly delete: Bytes } & Omit<DeleteOptions, 'timeoutMs'>)
  | { readonly txn: Transaction };

/**
 * A transaction: if every condition of `when` holds, `then` runs, else `otherwise`; in one
 * revision, whole or not at all (etcd Txn).
 */
export type Transaction = {
  readonly when?: readonly Condition[];
  readonly then?: readonly Operation[];
  readonly otherwise?: readonly Operation[];
};

/** What a key is expected to be before it is changed: one of these. */
export type Expected =
  | { readonly modRevision: number }
  | { readonly version: number }
  | { readonly value: Bytes }
  | { readonly absent: true };

/** What a compare-and-swap came to. */
export type SwapReply = {
  readonly succeeded: boolean;
  /** The revision made, or the current one when it did not succeed. */
  readonly revision: number;
  /** When it did not succeed: the key as it is; undefined when it is absent. */
  readonly current: KeyValue | undefined;
};

// ---- watches ----

/** How to watch (etcd WatchCreateRequest). */
export type WatchOptions = KeySpan & {
  /** The first revision to tell of, maybe a future one; what comes after now when left out. */
  readonly startRevision?: number;
  readonly prevKv?: boolean;
  /** Leave out puts. */
  readonly noPut?: boolean;
  /** Leave out deletions. */
  readonly noDelete?: boolean;
  /** Yield a batch without events now and then while nothing happens. */
  readonly progressNotify?: boolean;
  /** The node to watch at, any address; the endpoint in use when left out. */
  readonly endpoint?: string;
};

/** Events of one or more whole revisions, in order; none in a note of progress. */
export type WatchEvents = {
  /** All events of the watch up to this revision have been yielded, these included. */
  readonly revision: number;
  readonly events: readonly WatchEvent[];
};

/**
 * A watch: iterate it. It lives through lost connections and changes of node: it goes on behind the
 * last revision yielded, without a gap or a repeat. It ends with KvorumError Compacted
 * (WatchError) when what comes next is compacted, and quietly after `close`.
 *
 * Batches that are not taken wait up to WATCH_BUFFER_BYTES; beyond, the node is told to stop, and
 * asked again later: nobody else waits.
 */
export type Watcher = AsyncIterable<WatchEvents> & {
  /** The revision from which on it tells; resolves when a node has accepted the watch. */
  readonly created: Promise<number>;
  /**
   * Resolves with a revision up to which all events have been received; later while the watch is
   * held back, so go on taking. With `progressNotify` it is also yielded, in order.
   */
  readonly progress: () => Promise<number>;
  readonly close: () => Promise<void>;
};

/** A watch has ended since what comes next in it is compacted. */
export class WatchError extends KvorumError {
  /** The oldest revision that can be watched from. */
  readonly compactRevision: number;

  constructor(compactRevision: number) {
    const text = ERRORS.get(ErrorCode.Compacted)?.text;
    super(ErrorCode.Compacted, `${text}: ${compactRevision} is the oldest to watch from`);
    this.compactRevision = compactRevision;
  }
}

/** Bytes of events of one watch that wait in the client for its user. */
export const WATCH_BUFFER_BYTES = 8 * 1024 * 1024;

// ---- leases ----

/** How to ask for a lease. */
export type LeaseGrantOptions = CallOptions & {
  /** The id wanted; the node chooses when left out or 0n. */
  readonly id?: bigint;
};

/** How to ask for what is left of a lease. */
export type LeaseTimeToLiveOptions = CallOptions & {
  /** Answer with its keys. */
  readonly keys?: boolean;
};

/** A lease that the client renews at a third of its time, for as long as it can. */
export type HeldLease = {
  readonly id: bigint;
  /** As granted. */
  readonly ttlSeconds: number;
  /**
   * Aborted when the lease is gone, or may be: it expired or was revoked, or no renewal came
   * through for its whole time, counted from when the last one was sent; or the client was closed.
   * Its reason is the cause. Not aborted by `release` and `stop`.
   */
  readonly lost: AbortSignal;
  /** Told of each renewal. */
  readonly onRenewed: (told: (reply: LeaseKeepAliveReply) => void) => void;
  /** Stops renewing and revokes the lease; one that is gone already is as good. */
  readonly release: () => Promise<void>;
  /** Stops renewing; the lease runs out by itself. */
  readonly stop: () => void;
};

// ---- history ----

/** One revision of a key, oldest first. */
export type HistoryEntry = {
  readonly revision: number;
  readonly kind: 'put' | 'delete';
  /** The pair as it was put; undefined of a deletion. */
  readonly kv: KeyValue | undefined;
};

/** The answer to a transaction. */
export type TransactionReply = TxnReply;
