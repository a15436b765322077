/**
 * The key-value store of one member: what the node loop opens, feeds with committed entries and reads from.
 *
 * Writes are applied in log order, by one caller, synchronously; a refusal is a return value (an ErrorCode), which
 * is part of the replicated result. After the effects of each entry, in the same turn of the event loop, the
 * caller says which entry it was (setApplied), so that state and position reach the disk together.
 *
 * Not durable by itself: the log is. `durableApplied` says up to where the store has reached the disk; a
 * restart replays the log from there, and the log may be cut only behind it.
 */

import type {
  AppliedPosition,
  CompactRequest,
  CompactResult,
  DeleteRangeRequest,
  DeleteRangeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  StoreHome,
  StoreSize,
} from '../../include/kvstore.ts';
import type { LogIndex } from '../../include/node.ts';
import type { ErrorCode } from '../../include/rpc.ts';

/** A snapshot being read out. Writes go on meanwhile; it pins space in the store's file until closed. */
export type SnapshotReader = {
  /** The entry the snapshot stands for. */
  readonly applied: AppliedPosition;
  /** The next at most SNAPSHOT_CHUNK_BYTES bytes, given away; undefined when all is read. Takes about 1 ms. */
  readonly next: () => Buffer | undefined;
  /** Releases the view, read to its end or not. */
  readonly close: () => void;
};

/** A snapshot being received, beside the store that goes on serving. */
export type SnapshotWriter = {
  /** Takes the next chunk, of any size, and owns it. Resolves when the next one may come. Rejects on damage. */
  readonly write: (chunk: Buffer) => Promise<void>;
  /** Checks that it arrived whole, makes it durable and says what it stands for. Store.install then swaps it in. */
  readonly finish: () => Promise<AppliedPosition>;
  /** Gives up: throws away what came. */
  readonly abort: () => Promise<void>;
};

/** The store. Everything but the promises is synchronous; see the file's header for the order of calls. */
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
  /** Ends the effects of an entry (none too: an empty entry, a configuration). Indexes ascend by one. */
  readonly setApplied: (position: AppliedPosition) => void;
  /** The last entry applied. */
  readonly applied: () => AppliedPosition;
  /** The last entry whose effects a completed flush covers. */
  readonly durableApplied: () => LogIndex;
  /** The current revision; 1 for an empty store. */
  readonly revision: () => number;
  /** The oldest revision that can be read; NEVER_COMPACTED if no compaction was applied. */
  readonly compactRevision: () => number;
  /** Removes some of what is compacted, a few milliseconds at most. Returns whether more is left. */
  readonly compactStep: () => boolean;
  /** The compaction that is completely removed from the tables; compactRevision() when none is under way. */
  readonly compactedPhysically: () => number;
  /**
   * Starts a flush when FLUSH_BYTES or FLUSH_MS say so and none is in flight. Call it after each batch and each
   * tick. The promise of the flush begun, undefined when none was. A rejection is fatal.
   * @param nowMs monotonic milliseconds
   */
  readonly flushIfDue: (nowMs: number) => Promise<void> | undefined;
  /** Makes everything applied so far durable. A rejection is fatal. */
  readonly flush: () => Promise<void>;
  /** Bytes applied and not yet given to a flush: at UNFLUSHED_BYTES_MAX the caller pauses applying. */
  readonly unflushedBytes: () => number;
  /** Flushes, then opens a view of the whole store to be sent to another member. */
  readonly exportSnapshot: () => Promise<SnapshotReader>;
  /** Starts receiving a snapshot; the one before is given up. */
  readonly importSnapshot: () => Promise<SnapshotWriter>;
  /** Swaps in the snapshot that was finished. Until it resolves the store must not be used. */
  readonly installSnapshot: () => Promise<void>;
  readonly size: () => StoreSize;
  /** A checksum of the logical content, the same on all members at the same position. Visits everything. */
  readonly hash: () => number;
  /** Flushes and closes. */
  readonly close: () => Promise<void>;
};

/** Opens the store of a home (createLmdbHome, createMemoryHome), empty the first time. */
export async function openStore(_home: StoreHome): Promise<Store> {
  throw new Error('the store is not there yet');
}
