/**
 * What a range gathers while it scans keys in order: as many candidates as its answer needs, and
 * one more that shows that there are more.
 */

import type { Candidate } from './candidate.ts';
import { fetch } from './candidate.ts';
import { storedValue } from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** Bytes an answer takes a pair besides key and value. */
export const PAIR_BYTES = 64;

/** Up to where candidates are gathered. */
export type Enough = {
  /** How many suffice. */
  readonly most: number;
  /** Bytes of keys and values that suffice, once there is one candidate beyond them. */
  readonly pageBytes: number;
  /** Whether values count: they are then fetched. */
  readonly hasValues: boolean;
  /** Bytes that are too many. */
  readonly bytesMax: number;
};

/** Candidates in the order of the scan. */
export type Gathering = {
  readonly candidates: Candidate[];
  /** Bytes of keys and values. */
  pageBytes: number;
  /** What all takes in memory. */
  sizeBytes: number;
  isEnough: boolean;
  isTooLarge: boolean;
};

/** Makes one of nothing. */
export function createGathering(): Gathering {
  return { candidates: [], pageBytes: 0, sizeBytes: 0, isEnough: false, isTooLarge: false };
}

/** Takes a candidate. Not called again once it is enough. */
export function gather(
  state: StoreState,
  gathering: Gathering,
  enough: Enough,
  candidate: Candidate,
): void {
  const { candidates } = gathering;
  candidates.push(candidate);
  if (Number.isFinite(enough.pageBytes)) {
    const valueBytes = enough.hasValues ? storedValue(fetch(state, candidate)).length : 0;
    gathering.pageBytes += candidate.key.length + valueBytes;
  }
  gathering.sizeBytes +=
    candidate.key.length + PAIR_BYTES + (candidate.revisionRecord?.length ?? 0);
  gathering.isTooLarge = gathering.sizeBytes > enough.bytesMax;
  const isPage = gathering.pageBytes > enough.pageBytes && candidates.length > 1;
  gathering.isEnough = gathering.isTooLarge || isPage || candidates.length >= enough.most;
}
