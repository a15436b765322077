/**
 * Watches: every change of a key or range, in order, from any revision that is not compacted (etcd
 * v3 Watch). Part of include/kvstore.ts, which exports it.
 *
 * All watches of one client connection form a stream. A watch is *in sync* when it has been told
 * all up to the newest revision applied here; it is then told of each batch of entries as it is
 * applied. One that starts in the past, or whose client does not read, *lags*: it is told from the
 * store's history, in steps, until it is in sync again. So a slow client costs neither memory nor
 * anybody else's time.
 *
 * Guarantees (etcd's): events come in the order of revisions, and within one in the order of the
 * transaction's operations; all events of a revision that match come together; none is left out
 * and none comes twice.
 */

import type { ErrorCode } from './errors.ts';
import type { KeyValue } from './key-values.ts';

/** What happened to a key (etcd Event.EventType). */
export const EventKind = { Put: 0, Delete: 1 } as const;
/** One of the values of EventKind. */
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** One change of one key (etcd Event). */
export type WatchEvent = {
  readonly kind: EventKind;
  /** The pair as it is now; of a deletion only key and modRevision, the rest is empty. */
  readonly kv: KeyValue;
  /**
   * The pair as it was before, if asked for; undefined for a creation, and when the revision before
   * this one is compacted.
   */
  readonly prevKv: KeyValue | undefined;
};

/** Asks for a watch (etcd WatchCreateRequest). */
export type WatchRequest = {
  /** Empty: the key of one zero byte, the smallest there is. */
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  /** The first revision to tell of, maybe a future one; 0 for what comes after the current one. */
  readonly startRevision: number;
  readonly prevKv: boolean;
  /** Leave out puts. */
  readonly noPut: boolean;
  /** Leave out deletions. */
  readonly noDelete: boolean;
  /** Tell the current revision now and then while nothing happens. */
  readonly progressNotify: boolean;
};

/** Events for a watch. The same object may be given to many: encode it once. */
export type WatchBatch = {
  /**
   * The store's revision: all events of the watch up to the last one's revision have been told,
   * this batch included (unless isFragment).
   */
  readonly revision: number;
  readonly events: readonly WatchEvent[];
  /**
   * The last revision in it is not whole: the rest follows in the next batch of the watch, which
   * has no events when it turns out that there is no rest.
   */
  readonly isFragment: boolean;
};

/** Whom a stream of watches tells. Nothing here may throw or call back into the hub. */
export type WatchSink = {
  /** Whether so much waits to be read that no more should come: the hub goes on after `drained`. */
  readonly isFull: () => boolean;
  readonly events: (watchId: number, batch: WatchBatch) => void;
  /** All events up to `revision` have been told. */
  readonly progress: (watchId: number, revision: number) => void;
  /**
   * The watch has ended, by no wish of the client: Compacted, or what `endAll` was given.
   * @param compactRevision the oldest revision that can be watched from; 0 unless it is Compacted
   */
  readonly cancelled: (watchId: number, code: ErrorCode, compactRevision: number) => void;
};

/** The watches of one connection. */
export type WatchStream = {
  /**
   * Starts a watch. Events come later, never from within this call.
   * @param watchId chosen by the client, unique in the stream
   * @returns why it is refused (KeyTooLong, WatchExists, WatchRangeEmpty, TooManyWatches), or 0
   */
  readonly create: (watchId: number, request: WatchRequest) => ErrorCode | 0;
  /** Ends a watch; returns whether there was one. */
  readonly cancel: (watchId: number) => boolean;
  /**
   * Calls back once every watch of the stream that can be is in sync, maybe at once: all events up
   * to `revision` have then been told. A watch that starts in the future does not hold it up.
   */
  readonly whenInSync: (callback: (revision: number) => void) => void;
  /** The sink has room again. */
  readonly drained: () => void;
  /** How many watches it has. */
  readonly count: () => number;
  /** Ends all of them, without a word. */
  readonly close: () => void;
};

/** How many watches a member has. */
export type WatchCounts = {
  readonly streams: number;
  readonly watches: number;
  /** Those that have not been told all that was applied. */
  readonly lagging: number;
};

/** All watches of one member. */
export type WatchHub = {
  readonly open: (sink: WatchSink) => WatchStream;
  /** Tells what was applied since the last call: after each batch. */
  readonly notify: () => void;
  /**
   * Goes on with the watches that lag, a millisecond or two.
   * @returns whether there is more to do at once
   */
  readonly catchUp: () => boolean;
  /**
   * Tells the current revision to those who asked for progress and were told nothing since. Where
   * they are many, catchUp goes on with it.
   */
  readonly tellProgress: () => void;
  /**
   * Ends watches, some a call: what the store holds must not be told to anybody.
   * @returns whether there are more
   */
  readonly endAll: (code: ErrorCode) => boolean;
  /** How many there are now. */
  readonly counts: () => WatchCounts;
  /** The store was replaced by a snapshot: what was told stays told, the rest is looked up. */
  readonly storeReplaced: () => void;
};

/** Most watches of one connection; further ones are refused with TooManyWatches. */
export const STREAM_WATCHES_MAX = 1_000_000;

/** Most events of one batch, unless a single revision has more. */
export const WATCH_BATCH_EVENTS_MAX = 1_000;

/**
 * Bytes of keys and values at which a batch ends. A revision with more is cut into fragments, which
 * the client puts together.
 */
export const WATCH_BATCH_BYTES = 512 * 1024;

/** Most revisions of history that one step of catching up visits. */
export const CATCH_UP_STEP_REVISIONS_MAX = 1_000;

/** Bytes of revisions after which such a step stops early: values may be large. */
export const CATCH_UP_STEP_BYTES_MAX = 1024 * 1024;

/**
 * How many places of history are read from at once for watches of ranges that lag. Another one
 * joins the nearest behind it, or waits.
 */
export const CATCH_UP_COHORTS_MAX = 8;

/** Bytes of events waiting for a client at which its watches are held back. */
export const WATCH_QUEUED_BYTES_MAX = 4 * 1024 * 1024;

/** Milliseconds between two notes of progress of a quiet watch (etcd: 10 minutes). */
export const WATCH_PROGRESS_MS = 600_000;
