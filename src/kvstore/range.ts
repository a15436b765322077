/**
 * Reads, with etcd's semantics (RangeRequest), a turn of the event loop after the other where there
 * is much to read (steps.ts).
 *
 * As in etcd the limit applies after filters and sorting, with one exception kept for the sake of
 * equal answers: a sort target without an order sorts, but only what the limit, applied in key
 * order, let through.
 */

import {
  type RangeRequest,
  type RangeResult,
  SortOrder,
  SortTarget,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { asOf, type Candidate, fetch } from './candidate.ts';
import { countKeys } from './count.ts';
import { boundsOf, isSingleKey } from './key-range.ts';
import { isGone } from './live-keys.ts';
import { hasFilter, PAIR_BYTES, PairList, passes } from './pair-list.ts';
import { sortCandidates } from './sort.ts';
import { type Pace, runAll, type Steps, spendBytes, takeTurns } from './steps.ts';
import type { StoreState } from './store-state.ts';
import { walkKeys } from './visit-keys.ts';

/**
 * Answers a range that passed checkRequest, in one turn.
 * @param bytesMax most bytes to gather for the answer; beyond, it is refused with ReplyTooLarge
 */
export function range(
  state: StoreState,
  request: RangeRequest,
  bytesMax: number,
): RangeResult | ErrorCode {
  const { revision } = state;
  if (isSingleKey(request)) return readKey(state, request, bytesMax, revision);
  return runAll(state, (pace) => readRange(pace, request, bytesMax, revision));
}

/**
 * Answers a range that passed checkRequest.
 * @param current the newest revision when it was asked: what is read if no other is
 */
export function* readRange(
  pace: Pace,
  request: RangeRequest,
  bytesMax: number,
  current: number,
): Steps<RangeResult | ErrorCode> {
  if (isSingleKey(request)) return readKey(pace.state(), request, bytesMax, current);
  const revision = request.revision <= 0 ? current : request.revision;
  const refusal = checkRevision(pace.state(), revision, current);
  if (refusal !== 0) return refusal;
  const pairs = new PairList(request, bytesMax);
  let count: number | undefined;
  if (!request.countOnly) {
    const isByKey = request.sortTarget === SortTarget.Key;
    const read = isByKey ? readInOrder : readSorted;
    count = yield* read(pace, request, revision, pairs, bytesMax);
    if (pairs.refusal !== 0) return pairs.refusal;
  }
  if (request.uncounted) count = 0;
  else count ??= yield* countKeys(pace, boundsOf(request), revision);
  if (count === undefined) return ErrorCode.Compacted;
  return { revision: current, kvs: pairs.kvs, more: pairs.hasMore, count };
}

function checkRevision(state: StoreState, revision: number, current: number): ErrorCode | 0 {
  if (revision > current) return ErrorCode.FutureRevision;
  return revision < state.compactRevision ? ErrorCode.Compacted : 0;
}

/** Answers a range of a single key. */
function readKey(
  state: StoreState,
  request: RangeRequest,
  bytesMax: number,
  current: number,
): RangeResult | ErrorCode {
  const revision = request.revision <= 0 ? current : request.revision;
  const refusal = checkRevision(state, revision, current);
  if (refusal !== 0) return refusal;
  const candidate = findKey(state, request.key, revision);
  const pairs = new PairList(request, bytesMax);
  const isWanted = candidate !== undefined && !request.countOnly && passes(request, candidate);
  if (isWanted) pairs.add(state, candidate);
  if (pairs.refusal !== 0) return pairs.refusal;
  const count = request.uncounted || candidate === undefined ? 0 : 1;
  return { revision: current, kvs: pairs.kvs, more: false, count };
}

function findKey(state: StoreState, key: Buffer, revision: number): Candidate | undefined {
  const live = state.map.get(Table.Keys, key);
  if (live !== undefined) {
    return isGone(state, key, live, revision) ? undefined : asOf(state, key, live, false, revision);
  }
  if (revision === state.revision || state.tombstoneCount === 0) return undefined;
  const deleted = state.map.get(Table.Tombstones, key);
  return deleted === undefined ? undefined : asOf(state, key, deleted, true, revision);
}

/**
 * Gathers pairs in the order of their keys.
 * @returns how many keys the range has; undefined when not all were visited
 */
function* readInOrder(
  pace: Pace,
  request: RangeRequest,
  revision: number,
  pairs: PairList,
): Steps<number | undefined> {
  const isFiltered = hasFilter(request);
  let visited = 0;
  const take = (candidate: Candidate): boolean => {
    visited += 1;
    return (isFiltered && !passes(request, candidate)) || addPair(pace, pairs, candidate);
  };
  const { from, to } = boundsOf(request);
  const bounds = { from, to, reverse: request.sortOrder === SortOrder.Descend };
  if (!(yield* walkKeys(pace, bounds, revision, take))) pairs.refusal = ErrorCode.Compacted;
  return pairs.hasMore ? undefined : visited;
}

/**
 * Gathers pairs in another order: all that pass are found first, in the order of their keys.
 * @returns as readInOrder
 */
function* readSorted(
  pace: Pace,
  request: RangeRequest,
  revision: number,
  pairs: PairList,
  bytesMax: number,
): Steps<number | undefined> {
  const { limit, sortTarget, sortOrder } = request;
  const isCutByKey = limit > 0 && sortOrder === SortOrder.None && !hasFilter(request);
  const most = isCutByKey ? limit + 1 : Number.POSITIVE_INFINITY;
  const needsValues = sortTarget === SortTarget.Value;
  const candidates: Candidate[] = [];
  let visited = 0;
  let sizeBytes = 0;
  const take = (candidate: Candidate): boolean => {
    visited += 1;
    if (!passes(request, candidate)) return true;
    candidates.push(candidate);
    const recordBytes = needsValues ? fetch(pace.state(), candidate).length : 0;
    spendBytes(pace, recordBytes);
    sizeBytes += candidate.key.length + recordBytes + PAIR_BYTES;
    if (sizeBytes > bytesMax) pairs.refusal = ErrorCode.ReplyTooLarge;
    return pairs.refusal === 0 && candidates.length < most;
  };
  if (!(yield* walkKeys(pace, boundsOf(request), revision, take))) {
    pairs.refusal = ErrorCode.Compacted;
  }
  if (pairs.refusal !== 0) return undefined;
  for (const candidate of yield* sortCandidates(pace, candidates, sortTarget, sortOrder)) {
    yield* takeTurns(pace);
    if (revision < pace.state().compactRevision) pairs.refusal = ErrorCode.Compacted;
    if (pairs.refusal !== 0 || !addPair(pace, pairs, candidate)) break;
  }
  return candidates.length >= most ? undefined : visited;
}

function addPair(pace: Pace, pairs: PairList, candidate: Candidate): boolean {
  const bytesBefore = pairs.pairBytes;
  const isWanted = pairs.add(pace.state(), candidate);
  pace.visitsLeft -= 1;
  spendBytes(pace, pairs.pairBytes - bytesBefore);
  return isWanted;
}
