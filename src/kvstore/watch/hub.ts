/**
 * All watches of one member (WatchHub in include/watch.ts).
 *
 *   create ----------------------------> live cohort     in sync: told of each batch applied
 *     |                                   |        ^
 *     | starts in the past                | full   | has caught up
 *     v                                   v        |
 *   queue of its stream <-- drained -- (blocked)   |
 *     |      |                                     |
 *     |      +--- single key: its own revisions ---+
 *     |                                            |
 *     +--- range: a lagging cohort ----------------+      reads what everybody wrote
 *
 * The live cohort goes on by `notify`, everything else by `catchUp`: there the streams take turns,
 * and so do the lagging cohorts, the one furthest back and the one that is nearly there.
 *
 * A watch that is ahead of its cohort is not told what comes before its own place. So a watch may
 * join any cohort behind it: one that starts in the future is in the live cohort.
 *
 * A cohort that comes to a revision whose deletion is under way leaves its watches of those keys
 * behind, held, and goes on with the others (held-cohorts.ts).
 *
 * A compaction ends watches that have not been told what it removes, but never one in sync: the
 * store tells the live cohort before it removes anything.
 */

import {
  CATCH_UP_STEP_REVISIONS_MAX,
  type WatchCounts,
  type WatchHub,
  type WatchRequest,
  type WatchSink,
  type WatchStream,
} from '../../../include/kvstore.ts';
import { ErrorCode } from '../../../include/rpc.ts';
import { assert } from '../../assert.ts';
import { Ring } from '../../ring.ts';
import type { StoreState } from '../store-state.ts';
import { advance } from './cohort-step.ts';
import { createWatch } from './create-watch.ts';
import { addToCohort, removeFromCohort, takeWatches } from './grouping.ts';
import { HeldCohorts } from './held-cohorts.ts';
import { deletionAhead, tellKeyHistory } from './key-history.ts';
import { isCompacted, LaggingCohorts } from './lagging-cohorts.ts';
import { ProgressNotes } from './progress-notes.ts';
import { canTell } from './telling.ts';
import {
  type Cohort,
  createCohort,
  SINGLE_KEY,
  STEP_WATCHES_MAX,
  type StreamState,
  type Watch,
} from './watch-state.ts';

/** What the queue of one stream may visit before it is the next one's turn. */
const TURN_VISITS_MAX = 200;

/** The hub as its store sees it. */
export type StoreWatches = Omit<WatchHub, 'notify'> & {
  /** As in WatchHub; returns whether all that was applied is told. */
  readonly notify: () => boolean;
};

/**
 * Makes the hub of a store.
 * @param state the store's state as of now: a snapshot swaps it for another
 */
export function createWatchHub(state: () => StoreState): StoreWatches {
  const hub = new Hub(state);
  return {
    open: (sink) => hub.open(sink),
    notify: () => hub.notify(),
    catchUp: () => hub.catchUp(),
    tellProgress: () => hub.tellProgress(),
    endAll: (code) => hub.endAll(code),
    counts: () => hub.counts(),
    storeReplaced: () => hub.storeReplaced(),
  };
}

class Hub {
  readonly #state: () => StoreState;
  /** Watches in sync, and those that start in the future. */
  #live: Cohort;
  readonly #lagging = new LaggingCohorts();
  readonly #held = new HeldCohorts((watch, from) => this.#onHeld(watch, from));
  readonly #streams = new Set<StreamState>();
  /** Streams whose queue is to be served, in turn. */
  readonly #due = new Ring<StreamState>();
  /** Closed streams whose watches are not all removed. */
  readonly #closing = new Set<StreamState>();
  readonly #progress = new ProgressNotes();
  #isCohortsTurn = false;

  constructor(state: () => StoreState) {
    this.#state = state;
    this.#live = createCohort(state().revision + 1, 0);
  }

  open(sink: WatchSink): WatchStream {
    const stream: StreamState = {
      sink,
      watches: new Map(),
      queue: new Set(),
      isBlocked: false,
      isDue: false,
      isClosed: false,
      laggingCount: 0,
      waiting: [],
    };
    this.#streams.add(stream);
    return {
      create: (watchId, request) => this.#create(stream, watchId, request),
      cancel: (watchId) => this.#cancel(stream, watchId),
      whenInSync: (callback) => {
        stream.waiting.push(callback);
        this.#settle(stream);
      },
      drained: () => {
        stream.isBlocked = false;
        this.#schedule(stream);
      },
      count: () => (stream.isClosed ? 0 : stream.watches.size),
      close: () => this.#close(stream),
    };
  }

  counts(): WatchCounts {
    let watches = 0;
    let lagging = 0;
    for (const stream of this.#streams) {
      watches += stream.watches.size;
      lagging += stream.laggingCount;
    }
    return { streams: this.#streams.size, watches, lagging };
  }

  notify(): boolean {
    const state = this.#state();
    this.#releaseHeld(state);
    this.#skipUnwatched(state);
    const live = this.#live;
    // Only a revision too large for one step is told, or sorted out, over several turns.
    while (live.main <= state.revision) {
      const { main } = live;
      this.#advance(state, live, this.#parkLive);
      if (live.sub > 0 || live.main === main) return false;
    }
    return !this.#lagging.owes(state.compactRevision);
  }

  catchUp(): boolean {
    const state = this.#state();
    this.#removeClosed();
    this.#progress.step(this.#live);
    this.#releaseHeld(state);
    this.#skipUnwatched(state);
    if (this.#live.main <= state.revision) this.#advance(state, this.#live, this.#parkLive);
    this.#isCohortsTurn = !this.#isCohortsTurn;
    if (this.#lagging.count > 0 && (this.#isCohortsTurn || this.#due.count === 0)) {
      this.#advanceLagging(state);
    } else {
      this.#serveStreams(state);
    }
    const isLate = this.#live.main <= state.revision || this.#progress.isUnderWay;
    return isLate || this.#lagging.count > 0 || this.#due.count > 0 || this.#closing.size > 0;
  }

  tellProgress(): void {
    this.#progress.begin();
    this.#progress.step(this.#live);
  }

  endAll(code: ErrorCode): boolean {
    this.#removeClosed();
    let left = STEP_WATCHES_MAX;
    for (const stream of this.#streams) {
      if (stream.isClosed) continue;
      for (const watch of stream.watches.values()) {
        if (left === 0) return true;
        this.#end(watch, code, 0);
        left -= 1;
      }
    }
    return this.#closing.size > 0;
  }

  storeReplaced(): void {
    const told = this.#live;
    this.#live = createCohort(this.#state().revision + 1, 0);
    if (told.count > 0) this.#lagging.add(told);
    for (const stream of this.#streams) stream.laggingCount = stream.watches.size;
  }

  #create(stream: StreamState, id: number, request: WatchRequest): ErrorCode | 0 {
    assert(!stream.isClosed, 'a closed stream takes no watches');
    const state = this.#state();
    const watch = createWatch(stream, id, request, state.revision);
    if (typeof watch === 'number') return watch;
    stream.watches.set(id, watch);
    if (request.progressNotify) this.#progress.add(watch);
    this.#skipUnwatched(state);
    const { main, sub } = this.#live;
    if (watch.nextMain > main || (watch.nextMain === main && sub === 0)) {
      addToCohort(this.#live, watch);
    } else {
      stream.laggingCount += 1;
      this.#enqueue(watch);
    }
    return 0;
  }

  #cancel(stream: StreamState, id: number): boolean {
    const watch = stream.isClosed ? undefined : stream.watches.get(id);
    if (watch === undefined) return false;
    this.#leave(watch);
    this.#settle(stream);
    return true;
  }

  /** Ends a watch by no wish of its client. */
  #end(watch: Watch, code: ErrorCode, compactRevision: number): void {
    const { stream, id } = watch;
    this.#leave(watch);
    stream.sink.cancelled(id, code, compactRevision);
    this.#settle(stream);
  }

  /** Takes a watch out of a stream that goes on. */
  #leave(watch: Watch): void {
    const isLagging = watch.group?.cohort !== this.#live;
    this.#forget(watch);
    if (isLagging) watch.stream.laggingCount -= 1;
  }

  #forget(watch: Watch): void {
    const { stream, id } = watch;
    removeFromCohort(watch);
    stream.queue.delete(watch);
    stream.watches.delete(id);
    this.#progress.delete(watch);
  }

  #close(stream: StreamState): void {
    stream.isClosed = true;
    stream.waiting = [];
    this.#closing.add(stream);
    this.#removeClosed();
  }

  /** Removes watches of closed streams, not too many at once. */
  #removeClosed(): void {
    let left = STEP_WATCHES_MAX;
    for (const stream of this.#closing) {
      for (const watch of stream.watches.values()) {
        if (left === 0) return;
        this.#forget(watch);
        left -= 1;
      }
      this.#closing.delete(stream);
      this.#streams.delete(stream);
    }
  }

  /** Nobody watches: nothing need be read. */
  #skipUnwatched(state: StoreState): void {
    if (this.#live.count > 0) return;
    this.#live.main = state.revision + 1;
    this.#live.sub = 0;
  }

  /** Tells a cohort what follows its place, or sorts out whom a deletion under way concerns. */
  #advance(state: StoreState, cohort: Cohort, park: (watch: Watch) => void): void {
    const deletion = state.deletions.find(({ main }) => main === cohort.main);
    if (deletion === undefined) advance(state, cohort, park);
    // It may have been told of it before, by a store that a snapshot replaced: then it waits.
    else if (cohort.sub === 0) this.#held.sortOut(state, cohort, deletion);
  }

  #releaseHeld(state: StoreState): void {
    for (const cohort of this.#held.takeEnded(state)) this.#lagging.add(cohort);
  }

  readonly #onHeld = (watch: Watch, from: Cohort): void => {
    if (from === this.#live) watch.stream.laggingCount += 1;
  };

  readonly #parkLive = (watch: Watch): void => {
    watch.stream.laggingCount += 1;
    this.#enqueue(watch);
  };

  readonly #enqueue = (watch: Watch): void => {
    watch.stream.queue.add(watch);
    this.#schedule(watch.stream);
  };

  #schedule(stream: StreamState): void {
    if (stream.isBlocked || stream.isDue || stream.isClosed || stream.queue.size === 0) return;
    stream.isDue = true;
    this.#due.push(stream);
  }

  #settle(stream: StreamState): void {
    if (stream.laggingCount > 0 || stream.waiting.length === 0) return;
    this.#skipUnwatched(this.#state());
    const callbacks = stream.waiting;
    stream.waiting = [];
    for (const callback of callbacks) callback(this.#live.main - 1);
  }

  /** The watch is told up to `nextMain`, which the live cohort has not passed. */
  #join(watch: Watch): void {
    const { stream } = watch;
    stream.queue.delete(watch);
    watch.nextSub = 0;
    addToCohort(this.#live, watch);
    stream.laggingCount -= 1;
    this.#settle(stream);
  }

  #serveStreams(state: StoreState): void {
    let visits = 0;
    while (visits < CATCH_UP_STEP_REVISIONS_MAX) {
      const stream = this.#due.shift();
      if (stream === undefined) return;
      stream.isDue = false;
      visits += this.#serve(state, stream);
      this.#schedule(stream);
    }
  }

  /** Goes on with the watches in the queue of a stream; returns how much was visited. */
  #serve(state: StoreState, stream: StreamState): number {
    let visits = 1;
    for (const watch of stream.queue) {
      if (visits >= TURN_VISITS_MAX || stream.isClosed || !canTell(stream)) break;
      visits += this.#goOn(state, watch);
    }
    return visits;
  }

  #goOn(state: StoreState, watch: Watch): number {
    if (isCompacted(state, watch.nextMain)) {
      this.#end(watch, ErrorCode.Compacted, state.compactRevision);
      return 1;
    }
    if (watch.nextMain > state.revision) {
      this.#join(watch);
      return 1;
    }
    if (watch.end === SINGLE_KEY) return this.#goOnWithKey(state, watch);
    const { queue } = watch.stream;
    queue.delete(watch);
    if (!this.#lagging.take(watch)) queue.add(watch);
    return 1;
  }

  #goOnWithKey(state: StoreState, watch: Watch): number {
    const { queue } = watch.stream;
    const deletion = deletionAhead(state, watch);
    if (deletion?.main === watch.nextMain) {
      queue.delete(watch);
      this.#held.hold(watch, deletion);
      return 1;
    }
    const last = deletion === undefined ? state.revision : deletion.main - 1;
    const visits = tellKeyHistory(state, watch, last, TURN_VISITS_MAX);
    if (watch.nextMain > state.revision) {
      this.#join(watch);
    } else {
      queue.delete(watch);
      queue.add(watch);
    }
    return visits;
  }

  #advanceLagging(state: StoreState): void {
    const cohort = this.#lagging.pick();
    if (cohort.main > state.revision) {
      for (const watch of takeWatches(cohort, STEP_WATCHES_MAX)) {
        watch.nextMain = Math.max(watch.nextMain, cohort.main);
        this.#join(watch);
      }
    } else if (isCompacted(state, cohort.main) && !cohort.isOwed) {
      for (const watch of takeWatches(cohort, STEP_WATCHES_MAX)) {
        watch.nextMain = Math.max(watch.nextMain, cohort.main);
        // It may be ahead of its cohort: the queue decides.
        this.#enqueue(watch);
      }
    } else {
      this.#advance(state, cohort, this.#enqueue);
    }
    if (cohort.count === 0) this.#lagging.delete(cohort);
  }
}
