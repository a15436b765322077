/**
 * The key-value store: what a replicated state machine is asked and answers.
 *
 * The data model is etcd v3's: a flat, ordered, binary key space. Every write transaction makes one
 * revision; every revision stays readable until it is compacted. The store knows nothing of Raft or
 * sockets: it applies requests in the order it is given them, deterministically, and answers reads.
 */

import type { ErrorCode } from './errors.ts';
import type { Configuration, LogIndex, Term } from './node.ts';

/** A key and its value as of some revision (etcd mvccpb.KeyValue). */
export type KeyValue = {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Revision of the put that created the key (after its last deletion). */
  readonly createRevision: number;
  /** Revision of the last put. */
  readonly modRevision: number;
  /** 1 at creation, one more each put. */
  readonly version: number;
  /** The lease the key hangs on; 0n for none. */
  readonly lease: bigint;
};

/** An empty `rangeEnd`: the single key. */
export const NO_RANGE_END: Buffer = Buffer.alloc(0);

/** `rangeEnd` of one zero byte: every key from `key` on. */
export const FROM_KEY: Buffer = Buffer.from([0]);

/** Order of a range's answer (etcd RangeRequest.sort_order). */
export const SortOrder = { None: 0, Ascend: 1, Descend: 2 } as const;
/** One of the values of SortOrder. */
export type SortOrder = (typeof SortOrder)[keyof typeof SortOrder];

/** What a range is sorted by (etcd RangeRequest.sort_target). */
export const SortTarget = { Key: 0, Version: 1, Create: 2, Mod: 3, Value: 4 } as const;
/** One of the values of SortTarget. */
export type SortTarget = (typeof SortTarget)[keyof typeof SortTarget];

/**
 * A read of one key, a range or a prefix (etcd RangeRequest).
 * Keys k with key <= k < rangeEnd; see NO_RANGE_END and FROM_KEY.
 */
export type RangeRequest = {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  /** Most pairs answered; 0 or less for all. Applied after filters and sorting. */
  readonly limit: number;
  /** The revision to read at; 0 or less for the newest. */
  readonly revision: number;
  readonly sortOrder: SortOrder;
  readonly sortTarget: SortTarget;
  /** Answer from this member's state at once, maybe stale. */
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Inclusive bounds on the pairs answered; 0 for none. `count` ignores them. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
};

/** The answer to a range. */
export type RangeResult = {
  /** The store's revision when it was read, not the one asked for. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  /** The limit cut the (filtered) answer. */
  readonly more: boolean;
  /** Keys in the range at that revision, whatever limit and filters. */
  readonly count: number;
};

/** A write of one key (etcd PutRequest). */
export type PutRequest = {
  readonly key: Buffer;
  readonly value: Buffer;
  /** The lease to hang the key on; 0n for none. */
  readonly lease: bigint;
  /** Answer with the pair as it was before. */
  readonly prevKv: boolean;
  /** Keep the current value; the key must exist. */
  readonly ignoreValue: boolean;
  /** Keep the current lease; the key must exist. */
  readonly ignoreLease: boolean;
};

/** The answer to a put. */
export type PutResult = {
  readonly revision: number;
  readonly prevKv: KeyValue | undefined;
};

/** A deletion of one key, a range or a prefix, in one revision (etcd DeleteRangeRequest). */
export type DeleteRangeRequest = {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly prevKv: boolean;
};

/** The answer to a deletion. */
export type DeleteRangeResult = {
  /** The revision made, or the current one when nothing matched. */
  readonly revision: number;
  readonly deleted: number;
  /** In key order, when asked for. */
  readonly prevKvs: readonly KeyValue[];
};

/** Makes all revisions below `revision` unreadable (etcd CompactionRequest). */
export type CompactRequest = {
  readonly revision: number;
  /** Answer only once this member has removed the data. */
  readonly physical: boolean;
};

/** The answer to a compaction. */
export type CompactResult = { readonly revision: number };

/** Where the state stands in the log: stored with the state, so that they cannot disagree. */
export type AppliedPosition = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
};

/** Sizes of the store's file. */
export type StoreSize = {
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
};

/** `revision` of a store that was never compacted: not even revision 0 is refused. */
export const NEVER_COMPACTED = -1;

/**
 * The store's disk failed, or what it holds cannot be used. Fatal to the node: the message names
 * the path and the remedy.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** The file or directory concerned. */
  readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** Most bytes of a key. Longer than any key in use; bound by what a B+tree page holds. */
export const KEY_BYTES_MAX = 1_900;

/** Most bytes of a replicated request, key and value included (etcd --max-request-bytes). */
export const REQUEST_BYTES_MAX = 1_572_864;

/**
 * Unflushed bytes at which a flush is due: some 20,000 writes of 256 bytes, which hold up the event
 * loop for about 5 ms. Larger flushes write fewer bytes a key (docs/STORAGE.md has the figures).
 */
export const FLUSH_BYTES = 8 * 1024 * 1024;

/**
 * Unflushed bytes at which the owner stops applying until the flush in flight is done: the disk is
 * slower than the log. The flush after that holds up the event loop for about 10 ms.
 */
export const UNFLUSHED_BYTES_MAX = 2 * FLUSH_BYTES;

/** Milliseconds after which unflushed writes are flushed, however few. */
export const FLUSH_MS = 500;

/** Most revisions one step of a compaction visits: a step stays below a few milliseconds. */
export const COMPACT_STEP_REVISIONS_MAX = 500;

/** Bytes of revisions after which a step of a compaction stops early: values may be large. */
export const COMPACT_STEP_BYTES_MAX = 1024 * 1024;

/** Most bytes of one chunk of a snapshot stream. */
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024;

/** The tables of the ordered byte map that the store is built on. */
export const Table = {
  /** One record: applied position, revisions, progress of a compaction, format version. */
  Meta: 0,
  /** Live keys: key -> where its newest revision is. */
  Keys: 1,
  /** revision, sub -> what happened: the only place a value is kept. */
  Revisions: 2,
  /** Deleted keys not yet compacted: the record that Keys had, its newest revision the deletion. */
  Tombstones: 3,
} as const;
/** One of the values of Table. */
export type Table = (typeof Table)[keyof typeof Table];

/** How many tables there are. */
export const TABLE_COUNT = 4;

/**
 * Called once per pair in key order; return false to stop. The buffers may be kept, never written
 * to.
 */
export type VisitPair = (key: Buffer, value: Buffer) => boolean;

/** Bounds of a scan: from <= key < to, in byte order. `to` undefined: to the end. */
export type ScanBounds = {
  readonly from: Buffer;
  readonly to: Buffer | undefined;
  readonly reverse: boolean;
};

/**
 * An ordered map from bytes to bytes, the ground the store stands on. LMDB implements it in
 * production; a map in memory that can lose what was not flushed implements it for the simulator.
 *
 * Writes are visible to reads at once. All writes between two flushes become durable together or
 * not at all; a crash loses at most what came after the last completed flush.
 */
export type ByteMap = {
  /** The value of a key; undefined when absent. The buffer may be kept, never written to. */
  readonly get: (table: Table, key: Buffer) => Buffer | undefined;
  /** Takes ownership of both buffers. */
  readonly put: (table: Table, key: Buffer, value: Buffer) => void;
  /** Removes a key, present or not. Takes ownership of the buffer. */
  readonly delete: (table: Table, key: Buffer) => void;
  /** Visits pairs in order. `visit` must not write. */
  readonly scan: (table: Table, bounds: ScanBounds, visit: VisitPair) => void;
  /** Pairs in bounds, without visiting values. */
  readonly count: (table: Table, bounds: ScanBounds) => number;
  /** Bytes written and not yet given to a flush, with what each pair costs beyond its own bytes. */
  readonly unflushedBytes: () => number;
  /**
   * Makes everything written before the call durable, atomically. A call during a flush waits for
   * it first. A rejection is fatal: what the disk holds is the last flush that resolved, or the
   * failed one.
   */
  readonly flush: () => Promise<void>;
  /** Flushes, then opens a view that no later write changes; close it soon, it pins space. */
  readonly snapshot: () => Promise<ByteMapSnapshot>;
  readonly size: () => StoreSize;
  /**
   * Waits for a flush in flight; does not flush what came after it. Every snapshot must be closed.
   */
  readonly close: () => Promise<void>;
};

/**
 * Where the map of one store lives: a data directory, or a disk in memory for the simulator. Beside
 * the map it keeps room for one more, into which a snapshot is received while the first one serves.
 */
export type StoreHome = {
  /** Where it is, for messages. */
  readonly path: string;
  /** Opens the map, empty the first time, after clearing what an interrupted import left. */
  readonly open: () => Promise<ByteMap>;
  /** Makes an empty map for a snapshot; an earlier one is thrown away. */
  readonly createIncoming: () => Promise<ByteMap>;
  /** Throws the incoming map away. It must be closed. */
  readonly discardIncoming: () => Promise<void>;
  /** Puts the incoming map in place of the other, atomically and durably. Both must be closed. */
  readonly installIncoming: () => Promise<void>;
};

/** A view of a ByteMap as of one moment. */
export type ByteMapSnapshot = {
  readonly get: (table: Table, key: Buffer) => Buffer | undefined;
  /** Visits from a key on until `visit` returns false: called again from where it stopped. */
  readonly scan: (table: Table, bounds: ScanBounds, visit: VisitPair) => void;
  readonly close: () => void;
};

/**
 * A snapshot being read out. Writes go on meanwhile; it pins space in the store's file until
 * closed.
 */
export type SnapshotReader = {
  /** The entry the snapshot stands for. */
  readonly applied: AppliedPosition;
  /**
   * The next at most SNAPSHOT_CHUNK_BYTES bytes, given away; undefined when all is read. Takes
   * about 1 ms.
   */
  readonly next: () => Buffer | undefined;
  /** Releases the view, read to its end or not. */
  readonly close: () => void;
};

/** A snapshot being received, beside the store that goes on serving. */
export type SnapshotWriter = {
  /**
   * Takes the next chunk, of any size, and owns it. Resolves when the next one may come. Rejects on
   * damage.
   */
  readonly write: (chunk: Buffer) => Promise<void>;
  /**
   * Checks that it arrived whole, makes it durable and says what it stands for.
   * Store.installSnapshot then swaps it in.
   */
  readonly finish: () => Promise<AppliedPosition>;
  /** Gives up: throws away what came. */
  readonly abort: () => Promise<void>;
};

/**
 * The store of one member: fed with committed entries, and read from. Everything but the promises
 * is synchronous.
 *
 * Writes are applied in log order, by one caller; a refusal is a return value, which is part of the
 * replicated result. After the effects of each entry, in the same turn of the event loop, the
 * caller says which entry it was (setApplied), so that state and position reach the disk together.
 *
 * Not durable by itself: the log is. A restart replays the log from durableApplied(), and the log
 * may be cut only behind it.
 */
export type Store = {
  /** Applies a put that passed checkRequest. */
  readonly put: (request: PutRequest) => PutResult | ErrorCode;
  /** Applies a deletion that passed checkRequest: all keys in one revision. */
  readonly deleteRange: (request: DeleteRangeRequest) => DeleteRangeResult | ErrorCode;
  /** Applies a compaction: older revisions are refused from now on; compactStep removes them. */
  readonly compact: (request: CompactRequest) => CompactResult | ErrorCode;
  /**
   * Reads. The buffers answered may be kept, never written to.
   * @param bytesMax most bytes of keys and values; a larger answer is refused with ReplyTooLarge
   */
  readonly range: (request: RangeRequest, bytesMax?: number) => RangeResult | ErrorCode;
  /**
   * Ends the effects of an entry (none too: an empty entry, a configuration). Indexes ascend by
   * one.
   */
  readonly setApplied: (position: AppliedPosition) => void;
  /** The last entry applied. */
  readonly applied: () => AppliedPosition;
  /** The last entry whose effects a completed flush covers. */
  readonly durableApplied: () => LogIndex;
  /** The current revision; 1 for an empty store. */
  readonly revision: () => number;
  /** The oldest revision that can be read; NEVER_COMPACTED if no compaction was applied. */
  readonly compactRevision: () => number;
  /**
   * Removes some of what is compacted, a few milliseconds at most. Returns whether more is left.
   */
  readonly compactStep: () => boolean;
  /**
   * The compaction that is completely removed from the tables; compactRevision() when none is under
   * way.
   */
  readonly compactedPhysically: () => number;
  /**
   * Starts a flush when FLUSH_BYTES or FLUSH_MS say so and none is in flight. Call it after each
   * batch and each tick. The promise of the flush begun, undefined when none was. A rejection is
   * fatal.
   * @param nowMs monotonic milliseconds
   */
  readonly flushIfDue: (nowMs: number) => Promise<void> | undefined;
  /** Makes everything applied so far durable. A rejection is fatal. */
  readonly flush: () => Promise<void>;
  /**
   * Bytes applied and not yet given to a flush: at UNFLUSHED_BYTES_MAX the caller pauses applying.
   */
  readonly unflushedBytes: () => number;
  /** Flushes, then opens a view of the whole store to be sent to another member. */
  readonly exportSnapshot: () => Promise<SnapshotReader>;
  /** Starts receiving a snapshot; the one before is given up. */
  readonly importSnapshot: () => Promise<SnapshotWriter>;
  /** Swaps in the snapshot that was finished. Until it resolves the store must not be used. */
  readonly installSnapshot: () => Promise<void>;
  readonly size: () => StoreSize;
  /**
   * A checksum of the logical content, the same on all members at the same position. Visits
   * everything.
   */
  readonly hash: () => number;
  /** Flushes and closes. */
  readonly close: () => Promise<void>;
};
