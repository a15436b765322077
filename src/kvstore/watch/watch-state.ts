/**
 * What the hub knows of watches.
 *
 * A *cohort* is a set of watches that have been told all before one place of history and go on from
 * there together. The live cohort has been told all: its watches are in sync. A lagging watch is in
 * a cohort further back, or waits in its stream's queue, or in a held cohort for a revision that is
 * not whole.
 *
 * Watches of a cohort with the same keys and options form a *group*: they get the same batches.
 *
 * Invariants: a watch with a group is in that group's cohort and not in its stream's queue; one
 * without a group is in the queue. No group is empty.
 */

import type { WatchEvent, WatchSink } from '../../../include/kvstore.ts';
import { IntervalTree } from './interval-tree.ts';

/** Watches that one step moves, ends, forgets or tells of progress. */
export const STEP_WATCHES_MAX = 1_000;

/** A place in history: the `sub`th change of revision `main`, and all that follow. */
export type Place = { main: number; sub: number };

/** The watches of one connection. */
export type StreamState = {
  readonly sink: WatchSink;
  readonly watches: Map<number, Watch>;
  /** Watches that lag and are in no cohort: those held back, and those to be looked at. */
  readonly queue: Set<Watch>;
  /** Its sink was full: nothing is told until it has drained. */
  isBlocked: boolean;
  /** It waits for its turn to be served. */
  isDue: boolean;
  /** It ended; its watches are being removed. */
  isClosed: boolean;
  /** Watches that are not in sync. */
  laggingCount: number;
  /** Called back once none lags. */
  waiting: ((revision: number) => void)[];
};

/** An `end` for the single key. */
export const SINGLE_KEY = '';

/** What a watch asked for besides its keys: bits of `Watch.options`. */
export const WatchOption = { PrevKv: 1, NoPut: 2, NoDelete: 4 } as const;

/** One watch. There may be a million: few fields. */
export type Watch = {
  readonly id: number;
  readonly stream: StreamState;
  /** Its first key, as latin-1. */
  readonly key: string;
  /** The first key behind its range, as latin-1; SINGLE_KEY; undefined: to the last key. */
  readonly end: string | undefined;
  /** Bits of WatchOption. */
  readonly options: number;
  /**
   * Where it goes on. In a cohort it may be ahead of that: then it is not told of what comes
   * before. Where it is behind, the cohort's place counts.
   */
  nextMain: number;
  nextSub: number;
  group: Group | undefined;
  /** Its place in the group's array. */
  slot: number;
  /** The last batch it was told was a fragment, and the rest of that revision is owed. */
  isTorn: boolean;
  /** It was told something since the last note of progress. */
  hasNews: boolean;
};

/** Watches of a cohort that get the same batches. */
export type Group = {
  readonly cohort: Cohort;
  readonly key: string;
  readonly end: string | undefined;
  readonly options: number;
  readonly watches: Watch[];
  /** Another group of the same keys. */
  sibling: Group | undefined;
  /** What the step under way has gathered. */
  pending: Pending | undefined;
};

/** Events that wait for the batch to be full, or the step to end. */
export type Pending = {
  events: WatchEvent[];
  sizeBytes: number;
  /** How many of the events are of revisions that are complete. */
  wholeCount: number;
  wholeBytes: number;
  /** Revision of the last event. */
  lastMain: number;
  /** Where a watch that cannot take the events goes on later: not behind the first one. */
  fromMain: number;
  fromSub: number;
};

/** Watches that have been told all before a place. */
export type Cohort = Place & {
  /** The first group of each key; its siblings hang on it. */
  readonly singles: Map<string, Group>;
  readonly ranges: IntervalTree<Group>;
  /** How many watches it has. */
  count: number;
  /** Watches that were told a fragment of the revision that the place is in. */
  torn: Watch[];
  /** It is told what it waited for, compacted meanwhile or not (held-cohorts.ts). */
  isOwed: boolean;
};

/** Makes a cohort without watches. */
export function createCohort(main: number, sub: number): Cohort {
  const singles = new Map<string, Group>();
  const ranges = new IntervalTree<Group>();
  return { main, sub, singles, ranges, count: 0, torn: [], isOwed: false };
}
