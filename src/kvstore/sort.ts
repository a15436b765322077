/** Orders what a range found. Ties stay in key order, so that all members answer the same. */

import { SortOrder, SortTarget } from '../../include/kvstore.ts';
import { assert } from '../assert.ts';
import type { Candidate } from './candidate.ts';
import { storedValue } from './revision-record.ts';
import { type Pace, type Steps, takeTurns } from './steps.ts';

type Compare = (a: Candidate, b: Candidate) => number;

/** How many are sorted at once, and merged between two looks at the clock. */
const RUN_LENGTH = 512;

/** Sorting or merging so many takes as long as visiting one key. */
const SORTS_PER_VISIT = 4;

/** Sorts candidates, whose values were fetched if that is what they are sorted by. */
export function* sortCandidates(
  pace: Pace,
  candidates: readonly Candidate[],
  target: SortTarget,
  order: SortOrder,
): Steps<readonly Candidate[]> {
  const upwards = comparison(target);
  const compare: Compare = order === SortOrder.Descend ? (a, b) => upwards(b, a) : upwards;
  let runs: (readonly Candidate[])[] = [];
  for (let start = 0; start < candidates.length; start += RUN_LENGTH) {
    runs.push(candidates.slice(start, start + RUN_LENGTH).sort(compare));
    pace.visitsLeft -= RUN_LENGTH / SORTS_PER_VISIT;
    yield* takeTurns(pace);
  }
  while (runs.length > 1) {
    const merged: (readonly Candidate[])[] = [];
    for (let slot = 0; slot < runs.length; slot += 2) {
      merged.push(yield* merge(pace, runs[slot]!, runs[slot + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(
  pace: Pace,
  first: readonly Candidate[],
  second: readonly Candidate[],
  compare: Compare,
): Steps<readonly Candidate[]> {
  if (second.length === 0) return first;
  const merged: Candidate[] = [];
  let [left, right] = [0, 0];
  while (left < first.length || right < second.length) {
    const isFirst =
      right >= second.length || (left < first.length && compare(first[left]!, second[right]!) <= 0);
    merged.push(isFirst ? first[left]! : second[right]!);
    if (isFirst) left += 1;
    else right += 1;
    if (merged.length % RUN_LENGTH !== 0) continue;
    pace.visitsLeft -= RUN_LENGTH / SORTS_PER_VISIT;
    yield* takeTurns(pace);
  }
  return merged;
}

function comparison(target: SortTarget): Compare {
  switch (target) {
    case SortTarget.Key:
      return (a, b) => a.key.compare(b.key);
    case SortTarget.Version:
      return (a, b) => a.version - b.version;
    case SortTarget.Create:
      return (a, b) => a.createRevision - b.createRevision;
    case SortTarget.Mod:
      return (a, b) => a.modRevision - b.modRevision;
    case SortTarget.Value:
      return (a, b) => fetchedValue(a).compare(fetchedValue(b));
  }
}

function fetchedValue({ revisionRecord }: Candidate): Buffer {
  assert(revisionRecord !== undefined, 'values are fetched before they are compared');
  return storedValue(revisionRecord);
}
