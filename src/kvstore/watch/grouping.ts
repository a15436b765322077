/** Who of a cohort watches a key: exact keys by a map, ranges by a tree. */

import { assert } from '../../assert.ts';
import { type Cohort, type Group, SINGLE_KEY, type Watch } from './watch-state.ts';

/** Adds a watch that has no group. */
export function addToCohort(cohort: Cohort, watch: Watch): void {
  assert(watch.group === undefined, 'a watch is in one cohort', watch.id);
  const first = firstGroup(cohort, watch.key, watch.end);
  let group = first;
  while (group !== undefined && group.options !== watch.options) group = group.sibling;
  if (group === undefined) {
    const { key, end, options } = watch;
    group = { cohort, key, end, options, watches: [], sibling: first, pending: undefined };
    setFirst(cohort, group);
  }
  watch.group = group;
  watch.slot = group.watches.length;
  group.watches.push(watch);
  cohort.count += 1;
  if (watch.isTorn) cohort.torn.push(watch);
}

/** Takes a watch out of its cohort, if it is in one. */
export function removeFromCohort(watch: Watch): void {
  const { group, slot } = watch;
  if (group === undefined) return;
  const last = group.watches.pop();
  assert(last !== undefined, 'no group is empty');
  if (last !== watch) {
    group.watches[slot] = last;
    last.slot = slot;
  }
  watch.group = undefined;
  group.cohort.count -= 1;
  if (group.watches.length === 0) removeGroup(group);
}

/** Adds the groups that watch a key to `found`. */
export function findGroups(cohort: Cohort, key: string, found: Group[]): void {
  const single = cohort.singles.get(key);
  if (single !== undefined) found.push(single);
  cohort.ranges.search(key, found);
  for (let slot = found.length - 1; slot >= 0; slot -= 1) {
    let sibling = found[slot]!.sibling;
    for (; sibling !== undefined; sibling = sibling.sibling) found.push(sibling);
  }
}

/** Takes out at most `countMax` watches, whichever. */
export function takeWatches(cohort: Cohort, countMax: number): Watch[] {
  const taken: Watch[] = [];
  const takeFrom = ({ watches }: Group): boolean => {
    while (watches.length > 0 && taken.length < countMax) {
      const watch = watches.at(-1)!;
      removeFromCohort(watch);
      taken.push(watch);
    }
    return taken.length < countMax;
  };
  // One pass over the map: looking for its first entry again and again would visit what is gone.
  for (const first of cohort.singles.values()) {
    for (let group: Group | undefined = first; group !== undefined; group = group.sibling) {
      if (!takeFrom(group)) return taken;
    }
  }
  for (let group = cohort.ranges.any(); group !== undefined; group = cohort.ranges.any()) {
    if (!takeFrom(group)) return taken;
  }
  return taken;
}

function firstGroup(cohort: Cohort, key: string, end: string | undefined): Group | undefined {
  return end === SINGLE_KEY ? cohort.singles.get(key) : cohort.ranges.get(key, end);
}

function setFirst(cohort: Cohort, group: Group): void {
  if (group.end === SINGLE_KEY) cohort.singles.set(group.key, group);
  else cohort.ranges.set(group.key, group.end, group);
}

function removeGroup(group: Group): void {
  const { cohort, key, end, sibling } = group;
  const first = firstGroup(cohort, key, end);
  if (first !== group) {
    let before = first;
    while (before !== undefined && before.sibling !== group) before = before.sibling;
    assert(before !== undefined, 'a group hangs on the first one of its keys');
    before.sibling = sibling;
  } else if (sibling !== undefined) {
    setFirst(cohort, sibling);
  } else if (end === SINGLE_KEY) {
    cohort.singles.delete(key);
  } else {
    cohort.ranges.delete(key, end);
  }
}
