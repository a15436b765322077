/**
 * The key-value store: what a replicated state machine is asked and answers.
 *
 * The data model is etcd v3's: a flat, ordered, binary key space. Every write transaction makes one
 * revision; every revision stays readable until it is compacted. The store knows nothing of Raft or
 * sockets: it applies requests in the order it is given them, deterministically, and answers reads.
 */

import type { Alarm, AlarmRequest, AlarmResult } from './alarms.ts';
import type { StoreSize } from './byte-map.ts';
import type { Deletions, DeletionUnderWay } from './deletion.ts';
import type { ErrorCode } from './errors.ts';
import type {
  CompactRequest,
  CompactResult,
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnRequest,
  TxnResult,
} from './key-values.ts';
import type {
  ExpireRequest,
  Lease,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseGrantResult,
  LeaseRevokeRequest,
  LeaseRevokeResult,
} from './lease.ts';
import type { Configuration, LogIndex, Term } from './raft.ts';
import type { Session, SessionMark, SessionOpenRequest, SessionOpenResult } from './session.ts';
import type { WatchHub } from './watch.ts';

export * from './alarms.ts';
export * from './byte-map.ts';
export * from './deletion.ts';
export * from './key-values.ts';
export * from './lease.ts';
export * from './session.ts';
export * from './watch.ts';

/** Where the state stands in the log: stored with the state, so that they cannot disagree. */
export type AppliedPosition = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
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
 * Unflushed bytes at which a flush is due: some 40,000 writes of 256 bytes. Larger flushes write
 * fewer bytes a key (docs/STORAGE.md has the figures), but the first scan has more to look at.
 */
export const FLUSH_BYTES = 16 * 1024 * 1024;

/**
 * Unflushed bytes at which the owner stops applying until the flush in flight is done: the disk is
 * slower than the log.
 */
export const UNFLUSHED_BYTES_MAX = 2 * FLUSH_BYTES;

/** Milliseconds after which unflushed writes are flushed, however few. */
export const FLUSH_MS = 500;

/** Most revisions one step of a compaction visits: a step takes 1 or 2 ms. */
export const COMPACT_STEP_REVISIONS_MAX = 250;

/**
 * Bytes of revisions after which a step of a compaction stops early: values may be large, and are
 * read from the disk where memory does not have them.
 */
export const COMPACT_STEP_BYTES_MAX = 256 * 1024;

/** Most bytes of one chunk of a snapshot stream. */
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024;

/**
 * A snapshot being read out. Writes go on meanwhile; it pins space in the store's file until
 * closed.
 */
export type SnapshotReader = {
  /** The entry the snapshot stands for. */
  readonly applied: AppliedPosition;
  /** The store's revision as of it. */
  readonly revision: number;
  /**
   * The next at most SNAPSHOT_CHUNK_BYTES bytes, given away; undefined when all is read. Takes
   * about 1 ms.
   */
  readonly next: () => Buffer | undefined;
  /** Releases the view, read to its end or not. */
  readonly close: () => void;
};

/** What a snapshot holds. */
export type SnapshotFacts = {
  /** The entry it stands for. */
  readonly applied: AppliedPosition;
  readonly revision: number;
  /** The oldest revision that can be read; NEVER_COMPACTED if none was compacted. */
  readonly compactRevision: number;
  readonly keyCount: number;
  /** CRC-32 of keys, revisions, deletions and leases, in order. */
  readonly hash: number;
};

/** What a store made from a snapshot has otherwise than that. */
export type SnapshotChanges = {
  readonly configuration: Configuration;
  /** How many revisions its own is above the snapshot's. */
  readonly bumpRevision: number;
  /** Whether all revisions up to its own are compacted, so that watches of older ones end. */
  readonly marksCompacted: boolean;
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

/** What applying a write came to. */
export type WriteResult =
  | PutResult
  | DeleteRangeResult
  | DeletionUnderWay
  | CompactResult
  | TxnResult
  | LeaseGrantResult
  | LeaseRevokeResult
  | SessionOpenResult
  | AlarmResult;

/** A checksum of the history of keys (etcd HashKV). */
export type HashResult = {
  /** All revisions up to this one are in it. */
  readonly revision: number;
  /** What was compacted; NEVER_COMPACTED if nothing was. */
  readonly compactRevision: number;
  /** 32 bits. */
  readonly hash: number;
};

/**
 * A read of which more is left than one turn of the event loop should do. It goes on as of the
 * revision that it began with, whatever is applied meanwhile.
 */
export type Reading<T> = {
  /**
   * Does some more, a few milliseconds at most. Undefined: call it again; Compacted when the
   * revision was compacted meanwhile.
   */
  readonly step: () => T | ErrorCode | undefined;
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
  readonly deleteRange: (
    request: DeleteRangeRequest,
  ) => DeleteRangeResult | DeletionUnderWay | ErrorCode;
  /** Applies a compaction: older revisions are refused from now on; compactStep removes them. */
  readonly compact: (request: CompactRequest) => CompactResult | ErrorCode;
  /** Applies a transaction that passed checkRequest, whole or not at all, in one revision. */
  readonly txn: (request: TxnRequest) => TxnResult | ErrorCode;
  /** Applies a grant; its id is not 0n. */
  readonly leaseGrant: (request: LeaseGrantRequest) => LeaseGrantResult | ErrorCode;
  /** Applies a revocation: all keys of the lease in one revision. */
  readonly leaseRevoke: (request: LeaseRevokeRequest) => LeaseRevokeResult | ErrorCode;
  /** Applies a checkpoint; leases that are gone are passed over. */
  readonly leaseCheckpoint: (request: LeaseCheckpointRequest) => void;
  /** Applies what all members speak; a lower version than is there does nothing. */
  readonly raiseClusterVersion: (version: number) => void;
  /** The version that all members speak. */
  readonly clusterVersion: () => number;
  /** Applies an expiry. */
  readonly expire: (request: ExpireRequest) => void;
  /**
   * Raises or disarms an alarm. MemberNotFound when one is to be raised for who is no member.
   */
  readonly setAlarm: (request: AlarmRequest) => AlarmResult | ErrorCode;
  /** Opens a session, whose id is the index of the entry being applied. */
  readonly sessionOpen: (request: SessionOpenRequest) => SessionOpenResult | ErrorCode;
  /**
   * Applies a write of a session, unless it was applied before: then its first answer is returned.
   * A refusal is an answer like any other.
   */
  readonly once: (
    mark: SessionMark,
    apply: () => WriteResult | ErrorCode,
  ) => WriteResult | ErrorCode;
  /**
   * Reads, at once. The buffers answered may be kept, never written to.
   * @param bytesMax most bytes of keys and values; a larger answer is refused with ReplyTooLarge
   */
  readonly range: (request: RangeRequest, bytesMax?: number) => RangeResult | ErrorCode;
  /** Reads: a transaction that has only range operations, nested ones included. */
  readonly readTxn: (request: TxnRequest, bytesMax?: number) => TxnResult | ErrorCode;
  /** The same as range, for one turn of the event loop: the rest is up to the caller. */
  readonly beginRange: (
    request: RangeRequest,
    bytesMax?: number,
  ) => RangeResult | ErrorCode | Reading<RangeResult>;
  /** The same as readTxn, in the same way. */
  readonly beginReadTxn: (
    request: TxnRequest,
    bytesMax?: number,
  ) => TxnResult | ErrorCode | Reading<TxnResult>;
  /**
   * Hashes the history of keys up to a revision, 0 for the current one: the same on all members
   * that have compacted alike.
   */
  readonly beginHash: (revision: number) => HashResult | ErrorCode | Reading<HashResult>;
  /** The alarms that are raised: by member, then by kind. */
  readonly alarms: () => readonly Alarm[];
  /** The lease of an id; undefined when there is none. */
  readonly lease: (id: bigint) => Lease | undefined;
  /**
   * Visits leases by their ids as unsigned numbers: from `from` on, the first when left out, until
   * `visit` returns false. A thousand take 1 or 2 ms.
   */
  readonly visitLeases: (visit: (lease: Lease) => unknown, from?: bigint) => void;
  /** How many keys hang on a lease, counted up to about `countMax`. */
  readonly countLeaseKeys: (id: bigint, countMax: number) => number;
  /** The keys that hang on a lease, in key order. */
  readonly leaseKeys: (id: bigint) => readonly Buffer[];
  /** The session of an id; undefined when there is none. */
  readonly session: (id: number) => Session | undefined;
  /** Visits every session, in no promised order. */
  readonly visitSessions: (visit: (session: Session) => void) => void;
  /** The deletions of many keys that are being carried out. */
  readonly deletions: Deletions;
  /** The watches of this store's changes. */
  readonly watches: WatchHub;
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
   * Reads what compactStep looks at next from the disk into memory, in another thread. Undefined
   * when it is there, or when nothing is to be removed now.
   */
  readonly readAhead: () => Promise<void> | undefined;
  /**
   * Removes some of what is compacted, a few milliseconds at most. Returns whether more is left;
   * while a deletion is under way nothing is removed, and the answer is no.
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
  /** How many keys there are now. */
  readonly keyCount: () => number;
  /**
   * A checksum of the logical content, the same on all members at the same position. Visits
   * everything, and ends the deletions under way.
   */
  readonly hash: () => number;
  /** Flushes and closes. */
  readonly close: () => Promise<void>;
};
