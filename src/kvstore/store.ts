/**
 * The store as its owner sees it (Store in include/kvstore.ts): requests, flushes, snapshots.
 *
 * Invariant: what a flush makes durable is the state after some applied entry, with that entry's
 * position. So a flush never starts between effects and setApplied, and the state's record is
 * written in the same turn of the event loop in which the map freezes what it flushes.
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
  type SnapshotReader,
  type SnapshotWriter,
  type Store,
  type StoreHome,
} from '../../include/kvstore.ts';
import type { LogIndex } from '../../include/node.ts';
import type { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { compact, compactStep, isSwept, sweptRevision } from './compaction.ts';
import { hashState } from './hash.ts';
import { findLease, leaseKeys, visitLeases } from './lease-table.ts';
import { checkpointLeases, expire, grantLease, revokeLease } from './leases.ts';
import { range } from './range.ts';
import { findSession, once, openSession, visitSessions } from './sessions.ts';
import { SnapshotImport } from './snapshot-import.ts';
import { SnapshotStream } from './snapshot-stream.ts';
import { appliedOf, loadState, type StoreState, saveState, unflushedBytes } from './store-state.ts';
import { readTxn, txn } from './txn.ts';
import { createWatchHub, type StoreWatches } from './watch/hub.ts';
import { beginWrite, deleteRange, finishWrite, put } from './write-transaction.ts';

export type { SnapshotReader, SnapshotWriter, Store } from '../../include/kvstore.ts';

/** Opens the store of a home (createLmdbHome; a disk in memory for tests), empty the first time. */
export async function openStore(home: StoreHome): Promise<Store> {
  const store = new OpenStore(home, loadState(await home.open(), home.path));
  return {
    put: (request) => store.put(request),
    deleteRange: (request) => store.deleteRange(request),
    compact: (request) => store.compact(request),
    txn: (request) => txn(store.state, request),
    leaseGrant: (request) => grantLease(store.state, request),
    leaseRevoke: (request) => revokeLease(store.state, request),
    leaseCheckpoint: (request) => checkpointLeases(store.state, request),
    expire: (request) => expire(store.state, request),
    sessionOpen: (request) => openSession(store.state, request),
    once: (mark, apply) => once(store.state, mark, apply),
    range: (request, bytesMax) => range(store.state, request, bytesMax ?? Number.POSITIVE_INFINITY),
    readTxn: (request, bytesMax) =>
      readTxn(store.state, request, bytesMax ?? Number.POSITIVE_INFINITY),
    lease: (id) => findLease(store.state, id),
    visitLeases: (visit, from) => visitLeases(store.state, visit, from),
    leaseKeys: (id) => leaseKeys(store.state, id),
    session: (id) => findSession(store.state, id),
    visitSessions: (visit) => visitSessions(store.state, visit),
    watches: store.watches,
    setApplied: (position) => store.setApplied(position),
    applied: () => store.state.applied,
    durableApplied: () => store.durableIndex,
    revision: () => store.state.revision,
    compactRevision: () => store.state.compactRevision,
    compactStep: () => store.compactStep(),
    compactedPhysically: () => sweptRevision(store.state),
    flushIfDue: (nowMs) => store.flushIfDue(nowMs),
    flush: () => store.flush(),
    unflushedBytes: () => unflushedBytes(store.state),
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
  readonly watches: StoreWatches;
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
    this.watches = createWatchHub(() => this.state);
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
    // Watches in sync are told of what was applied before any of it is removed.
    if (!this.watches.notify()) return true;
    this.#hasSwept = true;
    return compactStep(this.state);
  }

  flushIfDue(nowMs: number): Promise<void> | undefined {
    if (this.#flushing !== undefined || !this.#isDirty()) return undefined;
    this.#dirtySinceMs ??= nowMs;
    const isDue =
      unflushedBytes(this.state) >= FLUSH_BYTES || nowMs - this.#dirtySinceMs >= FLUSH_MS;
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
    this.state = loadState(await this.#home.open(), this.#home.path);
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

  /**
   * Saves the state beside its effects and starts what flushes them, in one turn of the event loop.
   */
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
