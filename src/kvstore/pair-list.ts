/** The pairs of a range's answer, as they are found in the order of the answer. */

import type { KeyValue, RangeRequest } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { type Candidate, toKeyOnly, toPair } from './candidate.ts';
import type { StoreState } from './store-state.ts';

/** Bytes an answer takes a pair besides key and value. */
export const PAIR_BYTES = 64;

/** Whether a request restricts its answer beyond the range. */
export function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    minModRevision !== 0 ||
    maxModRevision !== 0 ||
    minCreateRevision !== 0 ||
    maxCreateRevision !== 0
  );
}

/** Whether a key passes the request's filters. */
export function passes(request: RangeRequest, { modRevision, createRevision }: Candidate): boolean {
  if (request.minModRevision !== 0 && modRevision < request.minModRevision) return false;
  if (request.maxModRevision !== 0 && modRevision > request.maxModRevision) return false;
  if (request.minCreateRevision !== 0 && createRevision < request.minCreateRevision) return false;
  return request.maxCreateRevision === 0 || createRevision <= request.maxCreateRevision;
}

/** Gathers pairs up to the request's limit and page. */
export class PairList {
  readonly kvs: KeyValue[] = [];
  /** There is a pair beyond the limit or the page. */
  hasMore = false;
  /** Why there is no answer; 0 while there may be one. */
  refusal: ErrorCode | 0 = 0;
  /** Bytes of keys and values. */
  pairBytes = 0;
  readonly #request: RangeRequest;
  readonly #bytesMax: number;

  /** @param bytesMax most bytes to gather; beyond, it is refused with ReplyTooLarge */
  constructor(request: RangeRequest, bytesMax: number) {
    this.#request = request;
    this.#bytesMax = bytesMax;
  }

  /** Takes the next candidate that passed; returns whether more are wanted. */
  add(state: StoreState, candidate: Candidate): boolean {
    const { limit, pageBytes, keysOnly } = this.#request;
    const { kvs } = this;
    if (limit > 0 && kvs.length >= limit) {
      this.hasMore = true;
      return false;
    }
    const kv = keysOnly ? toKeyOnly(candidate) : toPair(state, candidate);
    const pairBytes = this.pairBytes + kv.key.length + kv.value.length;
    if (pageBytes > 0 && pairBytes > pageBytes && kvs.length > 0) {
      this.hasMore = true;
      return false;
    }
    kvs.push(kv);
    this.pairBytes = pairBytes;
    if (pairBytes + kvs.length * PAIR_BYTES > this.#bytesMax) {
      this.refusal = ErrorCode.ReplyTooLarge;
    }
    return this.refusal === 0;
  }
}
