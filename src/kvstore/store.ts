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

import {
  type AppliedPosition,
  type ByteMap,
  type ByteMapSnapshot,
  type CompactRequest,
  type CompactResult,
  type DeleteRangeRequest,
  type DeleteRangeResult,
  FLUSH_BYTES,
  FLUSH_MS,
  type PutRequest,
  type PutResult,
  type RangeRequest,
  type RangeResult,
  type StoreHome,
  type StoreSize,
} from '../../include/kvstore.ts';
import type { LogIndex } from '../../include/node.ts';
import type { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { compact, compactStep, isSwept, sweptRevision } from './compaction.ts';
import { hashState } from './hash.ts';
import { range } from './range.ts';
import { SnapshotImport } from './snapshot-import.ts';
import { SnapshotStream } from './snapshot-stream.ts';
import { appliedOf, loadState, type StoreState, saveState } from './store-state.ts';
import { beginWrite, deleteRange, finishWrite, put } from './write-transaction.ts';

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
export async function openStore(home: StoreHome): Promise<Store> {
  const store = new OpenStore(home, loadState(await home.open()));
  return {
    put: (request) => store.put(request),
    deleteRange: (request) => store.deleteRange(request),
    compact: (request) => store.compact(request),
    range: (request, bytesMax) => range(store.state, request, bytesMax ?? Number.POSITIVE_INFINITY),
    setApplied: (position) => store.setApplied(position),
    applied: () => store.state.applied,
    durableApplied: () => store.durableIndex,
    revision: () => store.state.revision,
    compactRevision: () => store.state.compactRevision,
    compactStep: () => store.compactStep(),
    compactedPhysically: () => sweptRevision(store.state),
    flushIfDue: (nowMs) => store.flushIfDue(nowMs),
    flush: () => store.flush(),
    unflushedBytes: () => store.state.map.unflushedBytes(),
    exportSnapshot: () => store.exportSnapshot(),
    importSnapshot: () => store.importSnapshot(),
    installSnapshot: () => store.installSnapshot(),
    size: () => store.state.map.size(),
    hash: () => hashState(store.state),
    close: () => store.close(),
  };
}

class OpenStore {
  state: StoreState;
  durableIndex: LogIndex;
  readonly #home: StoreHome;
  /** The flush in flight; a failed one stays for good. */
  #flushing: Promise<void> | undefined;
  /** When flushIfDue first saw something to flush; undefined when there was nothing. */
  #dirtySinceMs: number | undefined;
  /** Whether a step of a compaction wrote something that no applied entry stands for. */
  #hasSwept = false;
  readonly #exports = new Set<SnapshotStream>();
  /** The map of a snapshot being received, or received and waiting to be installed. */
  #incoming: ByteMap | undefined;
  #isIncomingComplete = false;

  constructor(home: StoreHome, state: StoreState) {
    this.#home = home;
    this.state = state;
    this.durableIndex = state.applied.index;
  }

  put(request: PutRequest): PutResult | ErrorCode {
    const write = beginWrite(this.state);
    const result = put(write, request);
    const revision = finishWrite(write);
    return typeof result === 'number' ? result : { revision, prevKv: result.prevKv };
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const write = beginWrite(this.state);
    const { deleted, prevKvs } = deleteRange(write, request);
    return { revision: finishWrite(write), deleted, prevKvs };
  }

  compact(request: CompactRequest): CompactResult | ErrorCode {
    this.state.hasOpenEffects = true;
    return compact(this.state, request);
  }

  setApplied(position: AppliedPosition): void {
    const { index } = this.state.applied;
    assert(position.index === index + 1, 'entries are applied one by one', position.index, index);
    this.state.applied = position;
    this.state.hasOpenEffects = false;
  }

  compactStep(): boolean {
    if (isSwept(this.state)) return false;
    this.#hasSwept = true;
    return compactStep(this.state);
  }

  flushIfDue(nowMs: number): Promise<void> | undefined {
    if (this.#flushing !== undefined || !this.#isDirty()) return undefined;
    this.#dirtySinceMs ??= nowMs;
    const isDue =
      this.state.map.unflushedBytes() >= FLUSH_BYTES || nowMs - this.#dirtySinceMs >= FLUSH_MS;
    return isDue ? this.flush() : undefined;
  }

  flush(): Promise<void> {
    if (this.#flushing !== undefined) return this.#flushing.then(() => this.flush());
    if (!this.#isDirty()) return Promise.resolve();
    return this.#beginFlush(() => this.state.map.flush());
  }

  async exportSnapshot(): Promise<SnapshotReader> {
    while (this.#flushing !== undefined) await this.#flushing;
    const views: ByteMapSnapshot[] = [];
    await this.#beginFlush(async () => {
      views.push(await this.state.map.snapshot());
    });
    const view = views[0]!;
    const stream = new SnapshotStream(view);
    this.#exports.add(stream);
    return {
      applied: appliedOf(view),
      next: () => stream.next(),
      close: () => {
        stream.close();
        this.#exports.delete(stream);
      },
    };
  }

  async importSnapshot(): Promise<SnapshotWriter> {
    await this.#dropIncoming();
    const map = await this.#home.createIncoming();
    this.#incoming = map;
    const stream = new SnapshotImport(map);
    return {
      write: (chunk) => stream.write(chunk),
      finish: async () => {
        const applied = await stream.finish();
        assert(this.#incoming === map, 'one snapshot is received at a time');
        this.#isIncomingComplete = true;
        return applied;
      },
      abort: async () => {
        if (this.#incoming === map) await this.#dropIncoming();
      },
    };
  }

  async installSnapshot(): Promise<void> {
    const incoming = this.#incoming;
    assert(incoming !== undefined, 'a snapshot was received before it is installed');
    assert(this.#isIncomingComplete, 'a snapshot is complete before it is installed');
    this.#incoming = undefined;
    this.#isIncomingComplete = false;
    await this.#flushing;
    this.#closeExports();
    await incoming.close();
    await this.state.map.close();
    await this.#home.installIncoming();
    this.state = loadState(await this.#home.open());
    this.durableIndex = this.state.applied.index;
    this.#dirtySinceMs = undefined;
    this.#hasSwept = false;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.#closeExports();
      await this.#incoming?.close();
      await this.state.map.close();
    }
  }

  /** The position must become durable too: the log is cut behind it. */
  #isDirty(): boolean {
    const { map, applied } = this.state;
    return applied.index !== this.durableIndex || this.#hasSwept || map.unflushedBytes() > 0;
  }

  /** Saves the state beside its effects and starts what flushes them, in one turn of the event loop. */
  #beginFlush(run: () => Promise<void>): Promise<void> {
    const { index } = this.state.applied;
    saveState(this.state);
    this.#dirtySinceMs = undefined;
    this.#hasSwept = false;
    this.#flushing = run().then(() => {
      this.durableIndex = index;
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  #closeExports(): void {
    for (const stream of this.#exports) stream.close();
    this.#exports.clear();
  }

  async #dropIncoming(): Promise<void> {
    const incoming = this.#incoming;
    if (incoming === undefined) return;
    this.#incoming = undefined;
    this.#isIncomingComplete = false;
    await incoming.close();
    await this.#home.discardIncoming();
  }
}
