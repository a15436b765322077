/**
 * Reads, with etcd's semantics (RangeRequest).
 *
 * The newest state is read from Keys alone, without touching a deleted key or an old revision. An
 * old revision is read from Keys and Tombstones together, each key's chain walked back only where
 * its newest revision is too new.
 *
 * As in etcd the limit applies after filters and sorting, with one exception kept for the sake of
 * equal answers: a sort target without an order sorts, but only what the limit, applied in key
 * order, let through.
 */

import {
  type KeyValue,
  type RangeRequest,
  type RangeResult,
  type ScanBounds,
  SortOrder,
  SortTarget,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { asOf, type Candidate, fetch, newestOf, toKeyOnly, toPair } from './candidate.ts';
import { countAsOf, countNewest, countSince } from './count.ts';
import { createGathering, type Enough, type Gathering, gather, PAIR_BYTES } from './gathering.ts';
import { boundsOf, isSingleKey } from './key-range.ts';
import { sortCandidates } from './sort.ts';
import type { StoreState } from './store-state.ts';

/**
 * The candidates of a range, and how many keys it has whatever the limit and the filters; 0 when
 * nobody asks.
 */
type Found = { readonly candidates: Candidate[]; readonly count: number };

/**
 * Answers a range that passed checkRequest.
 * @param bytesMax most bytes to gather for the answer; beyond, it is refused with ReplyTooLarge
 */
export function range(
  state: StoreState,
  request: RangeRequest,
  bytesMax: number,
): RangeResult | ErrorCode {
  const { revision: current } = state;
  if (request.revision > current) return ErrorCode.FutureRevision;
  const revision = request.revision <= 0 ? current : request.revision;
  if (revision < state.compactRevision) return ErrorCode.Compacted;
  if (request.countOnly) {
    const count = request.uncounted ? 0 : countAt(state, request, revision);
    return { revision: current, kvs: [], more: false, count };
  }

  const enough = gatherUpTo(request, bytesMax);
  const found = isSingleKey(request)
    ? findOne(state, request, revision)
    : revision === current
      ? findNewest(state, request, enough)
      : findAsOf(state, request, revision, enough);
  if (typeof found === 'number') return found;
  const { candidates, count } = found;

  if (request.sortTarget !== SortTarget.Key) {
    const needsValues = request.sortTarget === SortTarget.Value;
    if (needsValues && !fetchAll(state, candidates, bytesMax)) return ErrorCode.ReplyTooLarge;
    sortCandidates(state, candidates, request.sortTarget, request.sortOrder);
  }
  const foundCount = candidates.length;
  if (request.limit > 0 && foundCount > request.limit) candidates.length = request.limit;

  const kvs = answer(state, candidates, request, bytesMax);
  if (typeof kvs === 'number') return kvs;
  return { revision: current, kvs, more: kvs.length < foundCount, count };
}

/**
 * How much suffices: one candidate more than limit and page show that there are more. What is
 * sorted by something else than the key must be gathered whole.
 */
function gatherUpTo(request: RangeRequest, bytesMax: number): Enough {
  const isByKey = request.sortTarget === SortTarget.Key;
  const isCutByKey = isByKey || (request.sortOrder === SortOrder.None && !hasFilter(request));
  const most = isCutByKey && request.limit > 0 ? request.limit + 1 : Number.POSITIVE_INFINITY;
  const pageBytes = isByKey && request.pageBytes > 0 ? request.pageBytes : Number.POSITIVE_INFINITY;
  return { most, pageBytes, hasValues: !request.keysOnly, bytesMax };
}

function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    minModRevision !== 0 ||
    maxModRevision !== 0 ||
    minCreateRevision !== 0 ||
    maxCreateRevision !== 0
  );
}

function passes(request: RangeRequest, { modRevision, createRevision }: Candidate): boolean {
  if (request.minModRevision !== 0 && modRevision < request.minModRevision) return false;
  if (request.maxModRevision !== 0 && modRevision > request.maxModRevision) return false;
  if (request.minCreateRevision !== 0 && createRevision < request.minCreateRevision) return false;
  return request.maxCreateRevision === 0 || createRevision <= request.maxCreateRevision;
}

/** Downwards only where the order of keys is asked for: any other order is made by sorting. */
function scanBounds(request: RangeRequest): ScanBounds {
  const bounds = boundsOf(request);
  const isDown = request.sortTarget === SortTarget.Key && request.sortOrder === SortOrder.Descend;
  return { from: bounds.from, to: bounds.to, reverse: isDown };
}

function findOne(state: StoreState, request: RangeRequest, revision: number): Found {
  const candidate = findKey(state, request.key, revision);
  if (candidate === undefined) return { candidates: [], count: 0 };
  const count = request.uncounted ? 0 : 1;
  return { candidates: passes(request, candidate) ? [candidate] : [], count };
}

function findKey(state: StoreState, key: Buffer, revision: number): Candidate | undefined {
  const live = state.map.get(Table.Keys, key);
  if (live !== undefined) return asOf(state, key, live, false, revision);
  if (revision === state.revision || state.tombstoneCount === 0) return undefined;
  const deleted = state.map.get(Table.Tombstones, key);
  return deleted === undefined ? undefined : asOf(state, key, deleted, true, revision);
}

function findNewest(state: StoreState, request: RangeRequest, enough: Enough): Found | ErrorCode {
  const bounds = scanBounds(request);
  const gathering = createGathering();
  const isFiltered = hasFilter(request);
  let visited = 0;
  state.map.scan(Table.Keys, bounds, (key, record) => {
    visited += 1;
    const candidate = newestOf(key, record);
    if (!isFiltered || passes(request, candidate)) gather(state, gathering, enough, candidate);
    return !gathering.isEnough;
  });
  if (gathering.isTooLarge) return ErrorCode.ReplyTooLarge;
  const { candidates, isEnough } = gathering;
  if (request.uncounted) return { candidates, count: 0 };
  return { candidates, count: isEnough ? countNewest(state, bounds) : visited };
}

/**
 * Gathers from live and from deleted keys what suffices of each, which covers what suffices of
 * both. Goes on to the end only for a count that nothing else tells.
 */
function findAsOf(
  state: StoreState,
  request: RangeRequest,
  revision: number,
  enough: Enough,
): Found | ErrorCode {
  const bounds = scanBounds(request);
  const isCut = Number.isFinite(enough.most) || Number.isFinite(enough.pageBytes);
  const known = request.uncounted ? 0 : isCut ? countSince(state, bounds, revision) : undefined;
  let count = 0;
  const gatherFrom = (table: Table, isDeleted: boolean): Gathering => {
    const gathering = createGathering();
    state.map.scan(table, bounds, (key, record) => {
      const candidate = asOf(state, key, record, isDeleted, revision);
      if (candidate === undefined) return true;
      count += 1;
      if (!gathering.isEnough && passes(request, candidate))
        gather(state, gathering, enough, candidate);
      return !gathering.isTooLarge && (known === undefined || !gathering.isEnough);
    });
    return gathering;
  };
  const live = gatherFrom(Table.Keys, false);
  const deleted = state.tombstoneCount === 0 ? undefined : gatherFrom(Table.Tombstones, true);
  if (live.isTooLarge || deleted?.isTooLarge === true) return ErrorCode.ReplyTooLarge;
  const candidates = mergeByKey(live.candidates, deleted?.candidates ?? [], bounds.reverse);
  if (candidates.length > enough.most) candidates.length = enough.most;
  return { candidates, count: known ?? count };
}

/** A key is live or deleted, never both: there are no ties. */
function mergeByKey(live: Candidate[], deleted: Candidate[], isReverse: boolean): Candidate[] {
  if (deleted.length === 0) return live;
  const all = live.concat(deleted);
  return all.sort(isReverse ? (a, b) => b.key.compare(a.key) : (a, b) => a.key.compare(b.key));
}

function countAt(state: StoreState, request: RangeRequest, revision: number): number {
  if (isSingleKey(request)) return findKey(state, request.key, revision) === undefined ? 0 : 1;
  return countAsOf(state, boundsOf(request), revision);
}

/** Fetches the values of all candidates; false when they are more than may be gathered. */
function fetchAll(state: StoreState, candidates: readonly Candidate[], bytesMax: number): boolean {
  let gatheredBytes = 0;
  for (const candidate of candidates) {
    gatheredBytes += fetch(state, candidate).length + PAIR_BYTES;
    if (gatheredBytes > bytesMax) return false;
  }
  return true;
}

function answer(
  state: StoreState,
  candidates: readonly Candidate[],
  request: RangeRequest,
  bytesMax: number,
): KeyValue[] | ErrorCode {
  const kvs: KeyValue[] = [];
  let pairBytes = 0;
  for (const candidate of candidates) {
    const kv = request.keysOnly ? toKeyOnly(candidate) : toPair(state, candidate);
    pairBytes += kv.key.length + kv.value.length;
    if (request.pageBytes > 0 && pairBytes > request.pageBytes && kvs.length > 0) break;
    kvs.push(kv);
    if (pairBytes + kvs.length * PAIR_BYTES > bytesMax) return ErrorCode.ReplyTooLarge;
  }
  return kvs;
}
