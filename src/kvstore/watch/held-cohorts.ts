/**
 * Watches that wait for a deletion under way (include/deletion.ts).
 *
 *   cohort at revision 7, whose deletion is under way
 *     |--- watches of its keys ---> held at 7 --- it has ended ---> a lagging cohort
 *     '--- all others ------------> go on at 8
 *
 * A cohort is sorted out in steps, since it may have a million watches.
 *
 * A held cohort is *owed* what it waits for: it was in sync, and is not ended by a compaction.
 */

import { Table } from '../../../include/kvstore.ts';
import type { Deletion } from '../deletion-record.ts';
import { headMain } from '../key-record.ts';
import { isWithin, removes } from '../live-keys.ts';
import type { StoreState } from '../store-state.ts';
import { addToCohort, removeFromCohort } from './grouping.ts';
import {
  type Cohort,
  createCohort,
  type Group,
  STEP_WATCHES_MAX,
  type Watch,
} from './watch-state.ts';

/** Single keys that one step looks at. */
const STEP_KEYS_MAX = 5_000;

/** A cohort that is being sorted out. */
type Sorting = {
  readonly main: number;
  readonly singles: Iterator<Group, undefined>;
  /** The key whose watches are being moved. */
  key: string | undefined;
};

/** The cohorts that wait, by the revision they wait for. */
export class HeldCohorts {
  readonly #held = new Map<number, Cohort>();
  readonly #sorting = new WeakMap<Cohort, Sorting>();
  readonly #onHeld: (watch: Watch, from: Cohort) => void;

  /** @param onHeld told of each watch that has to wait, and where it was */
  constructor(onHeld: (watch: Watch, from: Cohort) => void) {
    this.#onHeld = onHeld;
  }

  /** Has a watch that was told all before a deletion wait for it. */
  hold(watch: Watch, { main }: Deletion): void {
    addToCohort(this.#cohortOf(main), watch);
  }

  /** Takes out the cohorts whose deletion has ended. */
  takeEnded({ deletions }: StoreState): readonly Cohort[] {
    const ended: Cohort[] = [];
    for (const [revision, cohort] of this.#held) {
      if (deletions.some(({ main }) => main === revision)) continue;
      this.#held.delete(revision);
      if (cohort.count > 0) ended.push(cohort);
    }
    return ended;
  }

  /** Sorts out some of a cohort that stands before a deletion; moves it behind when all is done. */
  sortOut(state: StoreState, cohort: Cohort, deletion: Deletion): void {
    let sorting = this.#sorting.get(cohort);
    if (sorting?.main !== deletion.main) {
      sorting = { main: deletion.main, singles: cohort.singles.values(), key: undefined };
      this.#sorting.set(cohort, sorting);
    }
    const left = this.#moveRanges(cohort, deletion);
    if (left === 0 || !this.#moveSingles(state, cohort, deletion, sorting, left)) return;
    this.#sorting.delete(cohort);
    cohort.main += 1;
  }

  #cohortOf(main: number): Cohort {
    let held = this.#held.get(main);
    if (held === undefined) {
      held = createCohort(main, 0);
      held.isOwed = true;
      this.#held.set(main, held);
    }
    return held;
  }

  /** Returns how many watches may still be moved in this step. */
  #moveRanges(cohort: Cohort, deletion: Deletion): number {
    const from = deletion.from.toString('latin1');
    const to = deletion.to?.toString('latin1');
    let left = STEP_WATCHES_MAX;
    while (left > 0) {
      const group = cohort.ranges.overlapping(from, to);
      if (group === undefined) break;
      left = this.#moveGroups(group, deletion, left);
    }
    return left;
  }

  /** Returns whether all were looked at. */
  #moveSingles(
    state: StoreState,
    cohort: Cohort,
    deletion: Deletion,
    sorting: Sorting,
    watchesMax: number,
  ): boolean {
    let left = watchesMax;
    for (let keys = 0; keys < STEP_KEYS_MAX; keys += 1) {
      const group =
        sorting.key === undefined ? sorting.singles.next().value : cohort.singles.get(sorting.key);
      if (group === undefined && sorting.key === undefined) return true;
      sorting.key = undefined;
      if (group === undefined || !concerns(state, deletion, group.key)) continue;
      left = this.#moveGroups(group, deletion, left);
      if (left > 0) continue;
      sorting.key = group.key;
      return false;
    }
    return false;
  }

  /** Moves the watches of a key or range; returns how many more may be moved. */
  #moveGroups(first: Group, deletion: Deletion, watchesMax: number): number {
    const { cohort } = first;
    let left = watchesMax;
    for (let group: Group | undefined = first; group !== undefined; group = group.sibling) {
      while (group.watches.length > 0 && left > 0) {
        const watch = group.watches.at(-1)!;
        removeFromCohort(watch);
        this.hold(watch, deletion);
        this.#onHeld(watch, cohort);
        left -= 1;
      }
    }
    return left;
  }
}

/** Whether a deletion removes a key, or has removed it. */
function concerns(state: StoreState, deletion: Deletion, text: string): boolean {
  const key = Buffer.from(text, 'latin1');
  if (!isWithin(deletion, key)) return false;
  if (deletion.lease === 0n) return true;
  const live = state.map.get(Table.Keys, key);
  if (live !== undefined && removes(deletion, key, live)) return true;
  const deleted = state.map.get(Table.Tombstones, key);
  return deleted !== undefined && headMain(deleted) === deletion.main;
}
