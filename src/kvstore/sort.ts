/** Orders what a range found. Ties stay in key order, so that all members answer the same. */

import { SortOrder, SortTarget } from '../../include/kvstore.ts';
import { type Candidate, fetch } from './candidate.ts';
import { storedValue } from './revision-record.ts';
import type { StoreState } from './store-state.ts';

type Compare = (a: Candidate, b: Candidate) => number;

/** Sorts candidates in place. Sorting by value fetches the values, once each. */
export function sortCandidates(
  state: StoreState,
  candidates: Candidate[],
  target: SortTarget,
  order: SortOrder,
): void {
  const compare = comparison(state, target);
  candidates.sort(order === SortOrder.Descend ? (a, b) => compare(b, a) : compare);
}

function comparison(state: StoreState, target: SortTarget): Compare {
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
      return (a, b) => storedValue(fetch(state, a)).compare(storedValue(fetch(state, b)));
  }
}
