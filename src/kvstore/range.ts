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
import { boundsOf, isSingleKey } from './key-range.ts';
import { sortCandidates } from './sort.ts';
import type { StoreState } from './store-state.ts';

/** Bytes an answer takes a pair besides key and value. */
const PAIR_BYTES = 64;

/** The candidates of a range, and how many keys it has whatever the limit and the filters. */
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
    return { revision: current, kvs: [], more: false, count: countAt(state, request, revision) };
  }

  const most = gatherMax(request);
  const found = isSingleKey(request)
    ? findOne(state, request, revision)
    : revision === current
      ? findNewest(state, request, most, bytesMax)
      : findAsOf(state, request, revision, most, bytesMax);
  if (typeof found === 'number') return found;
  const { candidates, count } = found;

  if (request.sortTarget !== SortTarget.Key) {
    const needsValues = request.sortTarget === SortTarget.Value;
    if (needsValues && !fetchAll(state, candidates, bytesMax)) return ErrorCode.ReplyTooLarge;
    sortCandidates(state, candidates, request.sortTarget, request.sortOrder);
  }
  const more = request.limit > 0 && candidates.length > request.limit;
  if (more) candidates.length = request.limit;

  const kvs = answer(state, candidates, request.keysOnly, bytesMax);
  return typeof kvs === 'number' ? kvs : { revision: current, kvs, more, count };
}

/** How many candidates suffice: one more than the limit shows that there are more. */
function gatherMax(request: RangeRequest): number {
  if (request.limit <= 0) return Number.POSITIVE_INFINITY;
  const isKeyOrder = request.sortTarget === SortTarget.Key || request.sortOrder === SortOrder.None;
  const sortsCut = request.sortTarget !== SortTarget.Key && hasFilter(request);
  return isKeyOrder && !sortsCut ? request.limit + 1 : Number.POSITIVE_INFINITY;
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
  return { candidates: passes(request, candidate) ? [candidate] : [], count: 1 };
}

function findKey(state: StoreState, key: Buffer, revision: number): Candidate | undefined {
  const live = state.map.get(Table.Keys, key);
  if (live !== undefined) return asOf(state, key, live, false, revision);
  if (revision === state.revision || state.tombstoneCount === 0) return undefined;
  const deleted = state.map.get(Table.Tombstones, key);
  return deleted === undefined ? undefined : asOf(state, key, deleted, true, revision);
}

function findNewest(
  state: StoreState,
  request: RangeRequest,
  most: number,
  bytesMax: number,
): Found | ErrorCode {
  const bounds = scanBounds(request);
  const candidates: Candidate[] = [];
  const isFiltered = hasFilter(request);
  let visited = 0;
  let gatheredBytes = 0;
  let isWhole = true;
  state.map.scan(Table.Keys, bounds, (key, record) => {
    visited += 1;
    const candidate = newestOf(key, record);
    if (isFiltered && !passes(request, candidate)) return true;
    candidates.push(candidate);
    gatheredBytes += key.length + PAIR_BYTES;
    isWhole = candidates.length < most && gatheredBytes <= bytesMax;
    return isWhole;
  });
  if (gatheredBytes > bytesMax) return ErrorCode.ReplyTooLarge;
  return { candidates, count: isWhole ? visited : countNewest(state, bounds) };
}

function findAsOf(
  state: StoreState,
  request: RangeRequest,
  revision: number,
  most: number,
  bytesMax: number,
): Found | ErrorCode {
  const bounds = scanBounds(request);
  const known = Number.isFinite(most) ? countSince(state, bounds, revision) : undefined;
  let count = 0;
  let gatheredBytes = 0;
  /** Keeps the first `most` that pass; goes on to the end only if the count is not known. */
  const gather = (table: Table, isDeleted: boolean): Candidate[] => {
    const kept: Candidate[] = [];
    state.map.scan(table, bounds, (key, record) => {
      const candidate = asOf(state, key, record, isDeleted, revision);
      if (candidate === undefined) return true;
      count += 1;
      if (kept.length >= most || !passes(request, candidate)) return true;
      kept.push(candidate);
      gatheredBytes += key.length + PAIR_BYTES + (candidate.revisionRecord?.length ?? 0);
      if (known !== undefined && kept.length >= most) return false;
      return gatheredBytes <= bytesMax;
    });
    return kept;
  };
  const live = gather(Table.Keys, false);
  const deleted = state.tombstoneCount === 0 ? [] : gather(Table.Tombstones, true);
  if (gatheredBytes > bytesMax) return ErrorCode.ReplyTooLarge;
  const candidates = mergeByKey(live, deleted, bounds.reverse);
  if (candidates.length > most) candidates.length = most;
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
  isKeysOnly: boolean,
  bytesMax: number,
): KeyValue[] | ErrorCode {
  const kvs: KeyValue[] = [];
  let answerBytes = 0;
  for (const candidate of candidates) {
    const kv = isKeysOnly ? toKeyOnly(candidate) : toPair(state, candidate);
    answerBytes += kv.key.length + kv.value.length + PAIR_BYTES;
    if (answerBytes > bytesMax) return ErrorCode.ReplyTooLarge;
    kvs.push(kv);
  }
  return kvs;
}
