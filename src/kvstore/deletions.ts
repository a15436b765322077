/**
 * Deletions of many keys, carried out step by step (include/deletion.ts).
 *
 *   applied --> under way: its revision is the store's, its keys are masked (live-keys.ts)
 *                 | step: removes some, in key order, as any deletion does
 *                 v
 *               ended: whoever waits is answered, watches are told
 *
 * A step writes what the entry would have written, whenever it comes: nothing else writes these
 * keys, and what is compacted counts as of the entry. So members write the same, and a crash, a
 * restart or a snapshot in between leaves a state to go on from: the place is in the state's
 * record.
 */

import {
  DELETE_ANSWER_BYTES_MAX,
  type DeleteRangeRequest,
  type DeleteRangeResult,
  type DeletionUnderWay,
  type ScanBounds,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Deletion } from './deletion-record.ts';
import { boundsOf, isSingleKey, type KeyRange, overlaps } from './key-range.ts';
import { hasLeaseKeys, lastLeaseKey, scanLeaseKeys } from './lease-table.ts';
import { isWithin, removes } from './live-keys.ts';
import { ALL_PAIRS } from './pair-cursor.ts';
import { PAIR_BYTES } from './pair-list.ts';
import { rememberEnd } from './sessions.ts';
import type { StoreState } from './store-state.ts';
import {
  beginWrite,
  deleteFound,
  type FoundKey,
  findInBounds,
  findKeys,
  finishWrite,
  readHead,
  removeKey,
} from './write-transaction.ts';

const ZERO_BYTE = Buffer.alloc(1);

/** Bytes of pairs to be answered after which a step ends early: values may be large. */
const STEP_BYTES_MAX = 1024 * 1024;

/** Applies a deletion: at once, or, of many keys, by beginning it. */
export function deleteRange(
  state: StoreState,
  request: DeleteRangeRequest,
): DeleteRangeResult | DeletionUnderWay {
  const { deleteAtOnceKeysMax } = state.limits;
  const found = findKeys(state, request, deleteAtOnceKeysMax + 1);
  if (!isSingleKey(request) && found.length > deleteAtOnceKeysMax) {
    const { from, to } = boundsOf(request);
    return { revision: begin(state, { from, to, lease: 0n }, request.prevKv), isUnderWay: true };
  }
  const write = beginWrite(state);
  const { deleted, prevKvs } = deleteFound(write, found, request.prevKv);
  return { revision: finishWrite(write), deleted, prevKvs };
}

/**
 * Deletes the keys of a lease, which is gone already: at once, or, if they are many, by beginning
 * it.
 * @returns the revision made, or the current one when there are none
 */
export function deleteLeaseKeys(state: StoreState, lease: bigint): number {
  const { deleteAtOnceKeysMax } = state.limits;
  const found = findLeaseKeys(state, lease, ALL_PAIRS, deleteAtOnceKeysMax + 1);
  if (found.length > deleteAtOnceKeysMax) {
    const last = lastLeaseKey(state, lease);
    const to = last === undefined ? undefined : Buffer.concat([last, ZERO_BYTE]);
    return begin(state, { from: found[0]![0], to, lease }, false);
  }
  const write = beginWrite(state);
  deleteFound(write, found, false);
  return finishWrite(write);
}

function begin(
  state: StoreState,
  { from, to, lease }: Pick<Deletion, 'from' | 'to' | 'lease'>,
  hasPrevKvs: boolean,
): number {
  state.hasOpenEffects = true;
  state.revision += 1;
  state.deletions.push({
    main: state.revision,
    // What names the keys is borrowed.
    from: Buffer.from(from),
    to: to === undefined ? undefined : Buffer.from(to),
    lease,
    compactRevision: state.compactRevision,
    hasPrevKvs,
    session: 0,
    sequence: 0,
    next: Buffer.from(from),
    sub: 0,
    prevKvs: [],
    prevBytes: 0,
  });
  return state.revision;
}

/**
 * Whether a write of keys must wait for a deletion under way. In a range that is deleted not even a
 * key that was not there may be written.
 */
export function touches(state: StoreState, keys: KeyRange): boolean {
  const { deletions, map } = state;
  if (isSingleKey(keys)) {
    const record = map.get(Table.Keys, keys.key);
    return deletions.some((deletion) =>
      deletion.lease === 0n
        ? isWithin(deletion, keys.key)
        : record !== undefined && removes(deletion, keys.key, record),
    );
  }
  const bounds = boundsOf(keys);
  return deletions.some((deletion) =>
    deletion.lease === 0n
      ? overlaps(deletion, bounds)
      : hasLeaseKeys(state, deletion.lease, bounds),
  );
}

/** Whether a grant or the end of a lease must wait for a deletion under way. */
export function touchesLease(state: StoreState, id: bigint): boolean {
  return state.deletions.some(({ lease, from, to }) =>
    lease === 0n ? hasLeaseKeys(state, id, { from, to, reverse: false }) : lease === id,
  );
}

/**
 * Goes on with the oldest deletion.
 * @returns whether more is left
 */
export function deleteStep(state: StoreState): boolean {
  const [deletion] = state.deletions;
  if (deletion === undefined) return false;
  assert(!state.hasOpenEffects, 'a deletion goes on between entries', deletion.main);
  const { lease, to, next, main, sub, compactRevision } = deletion;
  const { deleteStepKeysMax } = state.limits;
  const bounds = { from: next, to, reverse: false, lends: true };
  const found =
    lease === 0n
      ? findInBounds(state, bounds, deleteStepKeysMax)
      : findLeaseKeys(state, lease, bounds, deleteStepKeysMax);
  const write = { state, main, sub, compactRevision };
  let stepBytes = 0;
  let last: Buffer | undefined;
  for (const [key, record] of found) {
    if (stepBytes >= STEP_BYTES_MAX) break;
    if (deletion.hasPrevKvs) stepBytes += keepPair(state, deletion, record);
    removeKey(write, key, record);
    last = key;
  }
  deletion.sub = write.sub;
  if (last !== undefined) deletion.next = Buffer.concat([last, ZERO_BYTE]);
  else end(state, deletion);
  return state.deletions.length > 0;
}

/** Keeps a pair for the answer, unless they are too many. Returns its bytes. */
function keepPair(state: StoreState, deletion: Deletion, record: Buffer): number {
  if (deletion.prevKvs === undefined) return 0;
  const kv = readHead(state, record);
  const pairBytes = kv.key.length + kv.value.length + PAIR_BYTES;
  deletion.prevBytes += pairBytes;
  if (deletion.prevBytes > DELETE_ANSWER_BYTES_MAX) deletion.prevKvs = undefined;
  else deletion.prevKvs.push(kv);
  return pairBytes;
}

function end(state: StoreState, deletion: Deletion): void {
  state.deletions.splice(state.deletions.indexOf(deletion), 1);
  const { main: revision, sub: deleted, prevKvs, lease } = deletion;
  if (lease !== 0n) return;
  const answer = prevKvs === undefined ? ErrorCode.AnswerForgotten : { revision, deleted, prevKvs };
  state.endedDeletions.push({ revision, answer });
  rememberEnd(state, deletion);
}

function findLeaseKeys(
  state: StoreState,
  lease: bigint,
  bounds: ScanBounds,
  countMax: number,
): FoundKey[] {
  const found: FoundKey[] = [];
  scanLeaseKeys(state, lease, bounds, (key) => {
    const record = state.map.get(Table.Keys, key);
    assert(record !== undefined, 'a key that hangs on a lease is there');
    found.push([key, record]);
    return found.length < countMax;
  });
  return found;
}
