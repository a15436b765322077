/**
 * Writes that share one main revision: a put, a deletion, the end of a lease, or several of them in
 * a transaction.
 *
 * Each key changed takes the next sub revision. The main revision is used up only if something
 * changed; from the first change on it is the store's. Writes and reads see what earlier writes of
 * the same transaction did, since that is in the map already; so whatever may be refused is checked
 * before the first write.
 */

import {
  type DeleteRangeRequest,
  type DeleteRangeResult,
  type KeyValue,
  type PutRequest,
  type PutResult,
  type ScanBounds,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { newestRevision } from './candidate.ts';
import { boundsOf, isSingleKey } from './key-range.ts';
import {
  createRevisionOf,
  encodeKeyRecord,
  encodeRevisionKey,
  headMain,
  type KeyChange,
  leaseOf,
  versionOf,
} from './key-record.ts';
import { attachKey, detachKey, hasLease } from './lease-table.ts';
import {
  encodeRevision,
  NO_VALUE,
  RevisionKind,
  storedValue,
  toKeyValue,
} from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** Writes of one main revision. */
export type WriteTransaction = {
  readonly state: StoreState;
  /** The revision that the writes make. */
  readonly main: number;
  /** What is compacted, as far as what is written depends on it. */
  readonly compactRevision: number;
  /** How many keys were changed: the next one's sub revision. */
  sub: number;
};

/** A live key and its record. */
export type FoundKey = readonly [key: Buffer, record: Buffer];

/** Starts a transaction. Finish it before the next one. */
export function beginWrite(state: StoreState): WriteTransaction {
  const { revision, compactRevision } = state;
  return { state, main: revision + 1, compactRevision, sub: 0 };
}

/**
 * Ends a transaction.
 * @returns the revision made, or the current one when nothing was changed
 */
export function finishWrite(transaction: WriteTransaction): number {
  const { state, main, sub } = transaction;
  const expected = sub > 0 ? main : main - 1;
  assert(state.revision === expected, 'write transactions do not overlap', state.revision, main);
  state.hasOpenEffects = true;
  return state.revision;
}

/** Puts a key. Refuses before it writes. The request is borrowed. */
export function put(
  transaction: WriteTransaction,
  request: PutRequest,
): Omit<PutResult, 'revision'> | ErrorCode {
  const { state } = transaction;
  const { map } = state;
  if (request.lease !== 0n && !hasLease(state, request.lease)) return ErrorCode.LeaseNotFound;
  const known = map.get(Table.Keys, request.key);
  if ((request.ignoreValue || request.ignoreLease) && known === undefined) {
    return ErrorCode.KeyNotFound;
  }
  const before =
    known !== undefined && (request.prevKv || request.ignoreValue)
      ? readHead(state, known)
      : undefined;
  const value = request.ignoreValue && before !== undefined ? before.value : request.value;
  const lease = request.ignoreLease && known !== undefined ? leaseOf(known) : request.lease;
  writeKey(transaction, request.key, known, value, lease);
  return { prevKv: request.prevKv ? before : undefined };
}

/** Deletes the keys of a range, in key order. The request is borrowed. */
export function deleteRange(
  transaction: WriteTransaction,
  request: DeleteRangeRequest,
): Omit<DeleteRangeResult, 'revision'> {
  const found = findKeys(transaction.state, request, Number.POSITIVE_INFINITY);
  return deleteFound(transaction, found, request.prevKv);
}

/** Deletes keys that were found, in their order. */
export function deleteFound(
  transaction: WriteTransaction,
  found: readonly FoundKey[],
  hasPrevKvs: boolean,
): Omit<DeleteRangeResult, 'revision'> {
  const prevKvs: KeyValue[] = [];
  for (const [key, record] of found) {
    if (hasPrevKvs) prevKvs.push(readHead(transaction.state, record));
    removeKey(transaction, key, record);
  }
  return { deleted: found.length, prevKvs };
}

/** The first keys that a request names. The request is borrowed. */
export function findKeys(
  state: StoreState,
  request: DeleteRangeRequest,
  countMax: number,
): FoundKey[] {
  if (!isSingleKey(request)) return findInBounds(state, boundsOf(request), countMax);
  const record = state.map.get(Table.Keys, request.key);
  return record === undefined ? [] : [[request.key, record]];
}

/** The first keys in bounds. */
export function findInBounds(state: StoreState, bounds: ScanBounds, countMax: number): FoundKey[] {
  const found: FoundKey[] = [];
  state.map.scan(Table.Keys, bounds, (key, record) => {
    found.push([key, record]);
    return found.length < countMax;
  });
  return found;
}

/** The pair that a key's record points at. */
export function readHead(state: StoreState, record: Buffer): KeyValue {
  const revision = newestRevision(state, record);
  return toKeyValue(revision, headMain(record), storedValue(revision));
}

function writeKey(
  transaction: WriteTransaction,
  key: Buffer,
  known: Buffer | undefined,
  value: Buffer,
  lease: bigint,
): void {
  const { state, main, sub } = transaction;
  const { map, arena } = state;
  const chain = known ?? takeTombstone(state, key);
  const startsAnew = chain !== undefined && headMain(chain) <= transaction.compactRevision;
  const change: KeyChange = {
    main,
    sub,
    createRevision: known === undefined ? main : createRevisionOf(known),
    version: known === undefined ? 1 : versionOf(known) + 1,
    lease,
  };
  const kind = RevisionKind.Put;
  const revision = encodeRevision(arena, kind, chain, startsAnew, change, key, value);
  map.put(Table.Revisions, encodeRevisionKey(main, sub), revision);
  map.put(Table.Keys, key, encodeKeyRecord(arena, chain, startsAnew, change));
  if (known === undefined) state.keyCount += 1;
  const leaseBefore = known === undefined ? 0n : leaseOf(known);
  if (lease !== leaseBefore) {
    if (leaseBefore !== 0n) detachKey(state, leaseBefore, key);
    if (lease !== 0n) attachKey(state, lease, key);
  }
  countChange(transaction);
}

/** Deletes a key, given its record. The key is borrowed. */
export function removeKey(transaction: WriteTransaction, key: Buffer, known: Buffer): void {
  const { state, main, sub } = transaction;
  const { map, arena } = state;
  const startsAnew = headMain(known) <= transaction.compactRevision;
  const change: KeyChange = { main, sub, createRevision: 0, version: 0, lease: 0n };
  const kind = RevisionKind.Deletion;
  const revision = encodeRevision(arena, kind, known, startsAnew, change, key, NO_VALUE);
  map.put(Table.Revisions, encodeRevisionKey(main, sub), revision);
  map.put(Table.Tombstones, key, encodeKeyRecord(arena, known, startsAnew, change));
  map.delete(Table.Keys, key);
  state.keyCount -= 1;
  state.tombstoneCount += 1;
  const lease = leaseOf(known);
  if (lease !== 0n) detachKey(state, lease, key);
  countChange(transaction);
}

/**
 * A deletion that goes on step by step has its revision already, and later ones may have theirs.
 */
function countChange(transaction: WriteTransaction): void {
  const { state, main } = transaction;
  if (state.revision < main) state.revision = main;
  transaction.sub += 1;
}

/**
 * Takes a deleted key's record away, for its creation anew. What is compacted counts as gone,
 * removed from the tables or not: members are not equally far with that, and must write the same.
 */
function takeTombstone(state: StoreState, key: Buffer): Buffer | undefined {
  if (state.tombstoneCount === 0) return undefined;
  const record = state.map.get(Table.Tombstones, key);
  if (record === undefined) return undefined;
  state.map.delete(Table.Tombstones, key);
  state.tombstoneCount -= 1;
  return headMain(record) < state.compactRevision ? undefined : record;
}
