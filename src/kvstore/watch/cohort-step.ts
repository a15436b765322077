/**
 * A cohort goes on through history: each revision is read once, whoever watches it.
 *
 * What a group gets is gathered until a batch is full or the step ends; one batch object then goes
 * to all watches of the group. A watch whose client does not read is parked with the place of the
 * first event it was not told, nothing else is remembered.
 *
 * A step ends between two revisions, unless one is so large that memory or time forbids to wait for
 * its end: then the events gathered go out as fragments. A watch with a fragment and no further
 * event in that revision is told an empty batch at its end, so that its client need not wait for
 * the next event to know that the revision is whole.
 *
 * A step ends before a revision whose deletion is under way; the hub sorts out whom that concerns.
 *
 * Limits: a step visits about CATCH_UP_STEP_REVISIONS_MAX changes or CATCH_UP_STEP_BYTES_MAX, at
 * most twice as many to reach the end of a revision.
 */

import {
  CATCH_UP_STEP_BYTES_MAX,
  CATCH_UP_STEP_REVISIONS_MAX,
  Table,
  WATCH_BATCH_BYTES,
  WATCH_BATCH_EVENTS_MAX,
  type WatchBatch,
  type WatchEvent,
} from '../../../include/kvstore.ts';
import { encodeRevisionKey, readCounter } from '../key-record.ts';
import { lastWhole } from '../live-keys.ts';
import { storedKey } from '../revision-record.ts';
import type { StoreState } from '../store-state.ts';
import { findGroups, removeFromCohort } from './grouping.ts';
import { isWanted, sizeOf, toEvent, withPrevKv } from './revision-events.ts';
import { canTell, tell } from './telling.ts';
import { type Cohort, type Group, type Pending, type Watch, WatchOption } from './watch-state.ts';

/** So few revisions are looked up one by one: beginning a scan costs as much. */
const LOOK_UP_REVISIONS_MAX = 8;

/**
 * Tells a cohort what follows its place, as far as one step goes.
 * @param park takes a watch that could not be told; it has left the cohort and knows its place
 */
export function advance(state: StoreState, cohort: Cohort, park: (watch: Watch) => void): void {
  new Step(state, cohort, park).run();
}

class Step {
  readonly #state: StoreState;
  readonly #cohort: Cohort;
  readonly #park: (watch: Watch) => void;
  /** Groups with pending events. */
  #touched: Group[] = [];
  /** How far it may go: the revision behind may not be whole. */
  readonly #lastMain: number;
  #visited = 0;
  #visitedBytes = 0;

  constructor(state: StoreState, cohort: Cohort, park: (watch: Watch) => void) {
    this.#state = state;
    this.#cohort = cohort;
    this.#park = park;
    this.#lastMain = lastWhole(state, cohort.main);
  }

  run(): void {
    const cohort = this.#cohort;
    const revision = this.#lastMain;
    const isFew = revision - cohort.main < LOOK_UP_REVISIONS_MAX;
    if (isFew ? this.#lookUp() : this.#scan()) {
      cohort.main = revision + 1;
      cohort.sub = 0;
    }
    if (cohort.sub === 0) this.#endRevision();
    else this.#tellPending();
  }

  /**
   * Visits what follows the cohort's place, one lookup a change: what a revision that is not below
   * the compacted one changed is all there, numbered without gaps.
   * @returns whether the end was reached
   */
  #lookUp(): boolean {
    const { map } = this.#state;
    let { sub } = this.#cohort;
    for (let main = Math.max(this.#cohort.main, 0); main <= this.#lastMain; main += 1) {
      for (; ; sub += 1) {
        const record = map.get(Table.Revisions, encodeRevisionKey(main, sub));
        if (record === undefined) break;
        if (!this.#visit(main, sub, record)) return false;
      }
      sub = 0;
    }
    return true;
  }

  /** Does the same in one scan. */
  #scan(): boolean {
    const { map } = this.#state;
    const { main, sub } = this.#cohort;
    const bounds = {
      from: encodeRevisionKey(Math.max(main, 0), sub),
      to: encodeRevisionKey(this.#lastMain + 1, 0),
      reverse: false,
    };
    let isAtEnd = true;
    map.scan(Table.Revisions, bounds, (key, record) => {
      isAtEnd = this.#visit(readCounter(key, 0), key.readUInt32BE(8), record);
      return isAtEnd;
    });
    return isAtEnd;
  }

  /** Returns whether the step goes on. */
  #visit(main: number, sub: number, record: Buffer): boolean {
    const cohort = this.#cohort;
    const isNew = main !== cohort.main;
    if (isNew) {
      if (cohort.torn.length > 0) this.#endRevision();
      cohort.main = main;
      cohort.sub = 0;
    }
    if (this.#isOver(isNew ? 1 : 2)) {
      if (!isNew) cohort.sub = sub;
      return false;
    }
    this.#visited += 1;
    this.#visitedBytes += record.length;
    const found: Group[] = [];
    findGroups(cohort, storedKey(record).toString('latin1'), found);
    if (found.length > 0) this.#gather(found, main, sub, record);
    return true;
  }

  #isOver(times: number): boolean {
    return (
      this.#visited >= times * CATCH_UP_STEP_REVISIONS_MAX ||
      this.#visitedBytes >= times * CATCH_UP_STEP_BYTES_MAX
    );
  }

  #gather(groups: readonly Group[], main: number, sub: number, record: Buffer): void {
    const plain = toEvent(record, main);
    let full: WatchEvent | undefined;
    for (const group of groups) {
      if (!isWanted(group.options, record)) continue;
      let event = plain;
      if ((group.options & WatchOption.PrevKv) !== 0) {
        if (full === undefined) {
          full = withPrevKv(this.#state, record, plain);
          this.#visitedBytes += sizeOf(full) - sizeOf(plain);
        }
        event = full;
      }
      this.#append(group, event, main, sub);
    }
  }

  #append(group: Group, event: WatchEvent, main: number, sub: number): void {
    const sizeBytes = sizeOf(event);
    let pending = group.pending;
    if (pending === undefined) {
      pending = startPending(main, sub);
      group.pending = pending;
      this.#touched.push(group);
    }
    if (pending.lastMain !== main) {
      pending.wholeCount = pending.events.length;
      pending.wholeBytes = pending.sizeBytes;
      pending.lastMain = main;
    }
    const isLong = pending.events.length >= WATCH_BATCH_EVENTS_MAX;
    if (pending.wholeCount > 0 && (isLong || isTooLarge(pending, sizeBytes))) {
      this.#tellWhole(group, pending);
    }
    if (pending.events.length > 0 && isTooLarge(pending, sizeBytes)) {
      this.#tellGroup(group, pending, pending.events, true);
      pending.events = [];
      pending.sizeBytes = 0;
      pending.fromMain = main;
      pending.fromSub = sub;
    }
    pending.events.push(event);
    pending.sizeBytes += sizeBytes;
  }

  /** Tells the revisions that are complete; the rest of the events stays. */
  #tellWhole(group: Group, pending: Pending): void {
    this.#tellGroup(group, pending, pending.events.slice(0, pending.wholeCount), false);
    pending.events = pending.events.slice(pending.wholeCount);
    pending.sizeBytes -= pending.wholeBytes;
    pending.wholeCount = 0;
    pending.wholeBytes = 0;
    pending.fromMain = pending.lastMain;
    pending.fromSub = 0;
  }

  #tellPending(): void {
    const { main, sub } = this.#cohort;
    for (const group of this.#touched) {
      const pending = group.pending!;
      group.pending = undefined;
      const isFragment = sub > 0 && pending.lastMain === main;
      if (pending.events.length > 0) this.#tellGroup(group, pending, pending.events, isFragment);
    }
    this.#touched = [];
  }

  /** All of the revision was visited: what was gathered is whole. */
  #endRevision(): void {
    const cohort = this.#cohort;
    cohort.sub = 0;
    this.#tellPending();
    if (cohort.torn.length === 0) return;
    const batch: WatchBatch = { revision: this.#state.revision, events: [], isFragment: false };
    for (const watch of cohort.torn) {
      const isOwed = watch.isTorn && watch.group?.cohort === cohort && !watch.stream.isClosed;
      // Even to a full sink: it is a few bytes, and once a watch.
      if (isOwed) tell(watch, batch);
    }
    cohort.torn = [];
  }

  #tellGroup(
    group: Group,
    pending: Pending,
    events: readonly WatchEvent[],
    isFragment: boolean,
  ): void {
    const batch: WatchBatch = { revision: this.#state.revision, events, isFragment };
    const firstMain = events[0]!.kv.modRevision;
    // Downwards: a watch that leaves is replaced by the last one.
    for (let slot = group.watches.length - 1; slot >= 0; slot -= 1) {
      const watch = group.watches[slot]!;
      const isAhead = watch.nextMain > firstMain;
      const own = isAhead ? fromRevision(batch, watch.nextMain) : batch;
      if (own.events.length === 0 || watch.stream.isClosed) continue;
      if (canTell(watch.stream)) {
        if (isFragment && !watch.isTorn) this.#cohort.torn.push(watch);
        tell(watch, own);
      } else {
        removeFromCohort(watch);
        if (!isAhead) {
          watch.nextMain = pending.fromMain;
          watch.nextSub = pending.fromSub;
        }
        this.#park(watch);
      }
    }
  }
}

function startPending(main: number, sub: number): Pending {
  return {
    events: [],
    sizeBytes: 0,
    wholeCount: 0,
    wholeBytes: 0,
    lastMain: main,
    fromMain: main,
    fromSub: sub,
  };
}

function isTooLarge(pending: Pending, sizeBytes: number): boolean {
  return pending.sizeBytes + sizeBytes > WATCH_BATCH_BYTES;
}

/** The batch without what comes before a revision. */
function fromRevision(batch: WatchBatch, revision: number): WatchBatch {
  const events = batch.events.filter(({ kv }) => kv.modRevision >= revision);
  return { ...batch, events };
}
