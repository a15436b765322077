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
  type EndedDeletion,
  FLUSH_BYTES,
  FLUSH_MS,
  type PutRequest,
  type PutResult,
  type RangeRequest,
  type RangeResult,
  type Reading,
  type SnapshotReader,
  type SnapshotWriter,
  type Store,
  type StoreHome,
} from '../../include/kvstore.ts';
import type { LogIndex } from '../../include/node.ts';
import type { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { setAlarm } from './alarms.ts';
import { saveClusterVersion } from './cluster-version.ts';
import { compact, compactStep, isSwept, sweptRevision } from './compaction.ts';
import { deleteRange, deleteStep, touches, touchesLease } from './deletions.ts';
import { hashState } from './hash.ts';
import { hashRevisions } from './hash-revisions.ts';
import { isSingleKey } from './key-range.ts';
import { countLeaseKeys, findLease, visitLeases } from './lease-table.ts';
import { checkpointLeases, expire, grantLease, revokeLease } from './leases.ts';
import { leaseKeys } from './live-keys.ts';
import { ALL_PAIRS } from './pair-cursor.ts';
import { range, readRange } from './range.ts';
import { ReadAhead } from './read-ahead.ts';
import { readTxn } from './read-txn.ts';
import { CHANGED_SESSIONS_MAX, saveSessions } from './session-table.ts';
import { findSession, isAnswered, once, openSession, visitSessions } from './sessions.ts';
import { SnapshotImport } from './snapshot-import.ts';
import { SnapshotStream } from './snapshot-stream.ts';
import { beginSteps, runAll } from './steps.ts';
import { loadState, STORE_LIMITS, type StoreState, saveState, standOf } from './store-state.ts';
import { txn } from './txn.ts';
import { createWatchHub, type StoreWatches } from './watch/hub.ts';
import { beginWrite, finishWrite, put } from './write-transaction.ts';

export type { SnapshotReader, SnapshotWriter, Store } from '../../include/kvstore.ts';

/** A read may answer whatever there is. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * Opens the store of a home (createLmdbHome; a disk in memory for tests), empty the first time.
 * @param limits others than those of a node in tests
 */
export async function openStore(home: StoreHome, limits = STORE_LIMITS): Promise<Store> {
  const store = new OpenStore(home, loadState(await home.open(), home.path, limits));
  return {
    put: (request) => store.put(request),
    deleteRange: (request) => deleteRange(store.state, request),
    compact: (request) => store.compact(request),
    txn: (request) => txn(store.state, request),
    leaseGrant: (request) => grantLease(store.state, request),
    leaseRevoke: (request) => revokeLease(store.state, request),
    raiseClusterVersion: (version) => store.raiseClusterVersion(version),
    clusterVersion: () => store.state.clusterVersion,
    leaseCheckpoint: (request) => checkpointLeases(store.state, request),
    expire: (request) => expire(store.state, request),
    setAlarm: (request) => setAlarm(store.state, request),
    sessionOpen: (request) => openSession(store.state, request),
    once: (mark, apply) => once(store.state, mark, apply),
    range: (request, bytesMax = NO_LIMIT) => range(store.state, request, bytesMax),
    readTxn: (request, bytesMax = NO_LIMIT) =>
      runAll(store.state, (pace) => readTxn(pace, request, bytesMax)),
    beginRange: (request, bytesMax = NO_LIMIT) => store.beginRange(request, bytesMax),
    beginReadTxn: (request, bytesMax = NO_LIMIT) =>
      beginSteps(
        () => store.state,
        (pace) => readTxn(pace, request, bytesMax),
      ),
    beginHash: (revision) =>
      beginSteps(
        () => store.state,
        (pace) => hashRevisions(pace, revision),
      ),
    alarms: () => store.state.alarms,
    lease: (id) => findLease(store.state, id),
    visitLeases: (visit, from) => visitLeases(store.state, visit, from),
    countLeaseKeys: (id, countMax) => countLeaseKeys(store.state, id, ALL_PAIRS, countMax),
    leaseKeys: (id) => leaseKeys(store.state, id),
    session: (id) => findSession(store.state, id),
    visitSessions: (visit) => visitSessions(store.state, visit),
    deletions: {
      count: () => store.state.deletions.length,
      has: (revision) => store.state.deletions.some(({ main }) => main === revision),
      touches: (keys) => touches(store.state, keys),
      touchesLease: (id) => touchesLease(store.state, id),
      isAnswered: (mark) => isAnswered(store.state, mark),
      step: () => store.deleteStep(),
      takeEnded: () => store.takeEndedDeletions(),
    },
    watches: store.watches,
    setApplied: (position) => store.setApplied(position),
    applied: () => store.state.applied,
    durableApplied: () => store.durableIndex,
    revision: () => store.state.revision,
    compactRevision: () => store.state.compactRevision,
    readAhead: () => store.readAhead(),
    compactStep: () => store.compactStep(),
    compactedPhysically: () => sweptRevision(store.state),
    flushIfDue: (nowMs) => store.flushIfDue(nowMs),
    flush: () => store.flush(),
    unflushedBytes: () => store.state.map.unflushedBytes(),
    exportSnapshot: () => store.exportSnapshot(),
    importSnapshot: () => store.importSnapshot(),
    installSnapshot: () => store.installSnapshot(),
    size: () => store.state.map.size(),
    keyCount: () => store.state.keyCount,
    hash: () => store.hash(),
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
  /** Whether a step of a deletion or compaction wrote something since the last entry. */
  #hasStepped = false;
  readonly #readAhead = new ReadAhead();
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

  beginRange(
    request: RangeRequest,
    bytesMax: number,
  ): RangeResult | ErrorCode | Reading<RangeResult> {
    const { revision } = this.state;
    if (isSingleKey(request)) return range(this.state, request, bytesMax);
    return beginSteps(
      () => this.state,
      (pace) => readRange(pace, request, bytesMax, revision),
    );
  }

  compact(request: CompactRequest): CompactResult | ErrorCode {
    this.state.hasOpenEffects = true;
    return compact(this.state, request);
  }

  raiseClusterVersion(version: number): void {
    if (version <= this.state.clusterVersion) return;
    this.state.hasOpenEffects = true;
    this.state.clusterVersion = version;
    saveClusterVersion(this.state.map, version);
  }

  setApplied(position: AppliedPosition): void {
    const { index } = this.state.applied;
    assert(position.index === index + 1, 'entries are applied one by one', position.index, index);
    this.state.applied = position;
    this.state.hasOpenEffects = false;
  }

  deleteStep(): boolean {
    if (this.state.deletions.length === 0) return false;
    this.#hasStepped = true;
    return deleteStep(this.state);
  }

  takeEndedDeletions(): readonly EndedDeletion[] {
    const ended = this.state.endedDeletions;
    this.state.endedDeletions = [];
    return ended;
  }

  readAhead(): Promise<void> | undefined {
    return this.#hasCompactable() ? this.#readAhead.run(this.state) : undefined;
  }

  compactStep(): boolean {
    if (!this.#hasCompactable()) return false;
    // Watches in sync are told of what was applied before any of it is removed.
    if (!this.watches.notify()) return true;
    this.#hasStepped = true;
    this.#readAhead.note(compactStep(this.state, this.#readAhead.endOf(this.state)));
    return !isSwept(this.state);
  }

  hash(): number {
    this.#hasStepped ||= this.state.deletions.length > 0;
    return hashState(this.state);
  }

  flushIfDue(nowMs: number): Promise<void> | undefined {
    const { sessions, map, arena } = this.state;
    saveSessions(sessions, map, arena, CHANGED_SESSIONS_MAX);
    if (this.#flushing !== undefined || !this.#isDirty()) return undefined;
    this.#dirtySinceMs ??= nowMs;
    const isDue = map.unflushedBytes() >= FLUSH_BYTES || nowMs - this.#dirtySinceMs >= FLUSH_MS;
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
      ...standOf(view),
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
    const { limits } = this.state;
    this.state = loadState(await this.#home.open(), this.#home.path, limits);
    this.durableIndex = this.state.applied.index;
    this.#dirtySinceMs = undefined;
    this.#hasStepped = false;
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

  /** What a deletion under way has not written yet, a sweep would miss. */
  #hasCompactable(): boolean {
    return !isSwept(this.state) && this.state.deletions.length === 0;
  }

  /** The position must become durable too: the log is cut behind it. */
  #isDirty(): boolean {
    const { map, applied } = this.state;
    return applied.index !== this.durableIndex || this.#hasStepped || map.unflushedBytes() > 0;
  }

  /**
   * Saves the state beside its effects and starts what flushes them, in one turn of the event loop.
   */
  #beginFlush(run: () => Promise<void>): Promise<void> {
    const { index } = this.state.applied;
    saveState(this.state);
    this.#dirtySinceMs = undefined;
    this.#hasStepped = false;
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
