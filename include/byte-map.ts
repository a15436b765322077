/**
 * The ordered byte map: the narrow contract that the store stands on. Part of include/kvstore.ts,
 * which exports it.
 */

/** Sizes of the store's file. */
export type StoreSize = {
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
};

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
  /** lease -> what was granted. */
  Leases: 4,
  /** lease, key -> nothing: the keys that hang on a lease. */
  LeaseKeys: 5,
  /**
   * session -> its time; session, block of writes -> the answers it remembers. Written at each
   * flush.
   */
  Sessions: 6,
} as const;
/** One of the values of Table. */
export type Table = (typeof Table)[keyof typeof Table];

/** How many tables there are. */
export const TABLE_COUNT = 7;

/**
 * Called once per pair in key order; return false to stop. The buffers may be kept, never written
 * to.
 */
export type VisitPair = (key: Buffer, value: Buffer) => boolean;

/** The number of pairs up to a key. */
export type PartCount = { readonly count: number; readonly rest: Buffer | undefined };

/** Bounds of a scan: from <= key < to, in byte order. `to` undefined: to the end. */
export type ScanBounds = {
  readonly from: Buffer;
  readonly to: Buffer | undefined;
  readonly reverse: boolean;
  /**
   * Whether values may be lent: one holds while no more than 3/4 of LENT_BYTES are lent after it.
   * Whoever visits very many and keeps none makes no garbage then.
   */
  readonly lends?: boolean;
};

/** Bytes of the room that values are lent in; one above a quarter of it has its own. */
export const LENT_BYTES: number = 1024 * 1024;

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
  /** Both buffers are borrowed. */
  readonly put: (table: Table, key: Buffer, value: Buffer) => void;
  /** Removes a key, present or not. The buffer is borrowed. */
  readonly delete: (table: Table, key: Buffer) => void;
  /**
   * Visits pairs in order. `visit` must not write.
   * @param visitDeleted called in its place for each key that was deleted and is on disk still;
   *   they cost as much as pairs. Returns false to stop
   */
  readonly scan: (
    table: Table,
    bounds: ScanBounds,
    visit: VisitPair,
    visitDeleted?: (key: Buffer) => boolean,
  ) => void;
  /** Pairs in bounds, without visiting values. */
  readonly count: (table: Table, bounds: ScanBounds) => number;
  /**
   * Counts pairs in bounds upwards, not more than about `countMax`: 30,000 take 1 or 2 ms.
   * @returns their number, and the first key not looked at; undefined when all were
   */
  readonly countSome: (table: Table, bounds: ScanBounds, countMax: number) => PartCount;
  /**
   * Reads the first `countMax` pairs in bounds from the disk into memory, in another thread: a scan
   * need not wait for the disk then.
   * @returns the first key behind them; undefined when there is none in bounds
   */
  readonly readAhead: (
    table: Table,
    bounds: ScanBounds,
    countMax: number,
  ) => Promise<Buffer | undefined>;
  /** Bytes of memory taken by what is written and not yet given to a flush. */
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
  /**
   * Visits from a key on until `visit` returns false: called again from where it stopped. A value
   * is lent until `visit` returns.
   */
  readonly scan: (table: Table, bounds: ScanBounds, visit: VisitPair) => void;
  readonly close: () => void;
};
