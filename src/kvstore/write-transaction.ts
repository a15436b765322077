/**
 * Writes that share one main revision: a put, a deletion, and several of them when transactions
 * come.
 *
 * Each key changed takes the next sub revision. The main revision is used up only if something
 * changed. A write sees what earlier ones of the same transaction did, since they are in the map
 * already; so whatever may be refused is checked before the first write.
 */

import {
  type DeleteRangeRequest,
  type DeleteRangeResult,
  type KeyValue,
  type PutRequest,
  type PutResult,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { boundsOf, isSingleKey } from './key-range.ts';
import {
  createRevisionOf,
  encodeKeyRecord,
  encodeRevisionKey,
  headKey,
  headMain,
  type KeyChange,
  leaseOf,
  versionOf,
} from './key-record.ts';
import {
  encodeRevision,
  NO_VALUE,
  RevisionKind,
  storedKey,
  storedValue,
  toKeyValue,
} from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** Writes of one main revision. */
export type WriteTransaction = {
  readonly state: StoreState;
  /** The revision that the writes make. */
  readonly main: number;
  /** How many keys were changed: the next one's sub revision. */
  sub: number;
};

/** Starts a transaction. Finish it before the next one. */
export function beginWrite(state: StoreState): WriteTransaction {
  return { state, main: state.revision + 1, sub: 0 };
}

/**
 * Ends a transaction.
 * @returns the revision made, or the current one when nothing was changed
 */
export function finishWrite(transaction: WriteTransaction): number {
  const { state } = transaction;
  assert(transaction.main === state.revision + 1, 'write transactions do not overlap');
  if (transaction.sub > 0) state.revision = transaction.main;
  state.hasOpenEffects = true;
  return state.revision;
}

/** Puts a key. Refuses before it writes. The request is borrowed. */
export function put(
  transaction: WriteTransaction,
  request: PutRequest,
): Omit<PutResult, 'revision'> | ErrorCode {
  const { map } = transaction.state;
  // Leases do not exist yet: none can be found. Their attachment belongs here and in removeKey.
  if (request.lease !== 0n) return ErrorCode.LeaseNotFound;
  const known = map.get(Table.Keys, request.key);
  if ((request.ignoreValue || request.ignoreLease) && known === undefined) {
    return ErrorCode.KeyNotFound;
  }
  const before =
    known !== undefined && (request.prevKv || request.ignoreValue)
      ? readHead(transaction.state, known)
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
  const { state } = transaction;
  const prevKvs: KeyValue[] = [];
  const found: [key: Buffer, record: Buffer][] = [];
  if (isSingleKey(request)) {
    const record = state.map.get(Table.Keys, request.key);
    if (record !== undefined) found.push([request.key, record]);
  } else {
    state.map.scan(Table.Keys, boundsOf(request), (key, record) => {
      found.push([key, record]);
      return true;
    });
  }
  for (const [key, record] of found) {
    if (request.prevKv) prevKvs.push(readHead(state, record));
    removeKey(transaction, key, record);
  }
  return { deleted: found.length, prevKvs };
}

/** The pair that a key's record points at. */
function readHead(state: StoreState, record: Buffer): KeyValue {
  const revision = state.map.get(Table.Revisions, headKey(record));
  assert(revision !== undefined, 'the newest revision of a key is there', headMain(record));
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
  const startsAnew = chain !== undefined && headMain(chain) <= state.compactRevision;
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
  // The key's bytes are in the revision's record: nothing of the request is kept.
  map.put(Table.Keys, storedKey(revision), encodeKeyRecord(arena, chain, startsAnew, change));
  if (known === undefined) state.keyCount += 1;
  transaction.sub += 1;
}

function removeKey(transaction: WriteTransaction, key: Buffer, known: Buffer): void {
  const { state, main, sub } = transaction;
  const { map, arena } = state;
  const startsAnew = headMain(known) <= state.compactRevision;
  const change: KeyChange = { main, sub, createRevision: 0, version: 0, lease: 0n };
  const kind = RevisionKind.Deletion;
  const revision = encodeRevision(arena, kind, known, startsAnew, change, key, NO_VALUE);
  const ownKey = storedKey(revision);
  map.put(Table.Revisions, encodeRevisionKey(main, sub), revision);
  map.put(Table.Tombstones, ownKey, encodeKeyRecord(arena, known, startsAnew, change));
  map.delete(Table.Keys, ownKey);
  state.keyCount -= 1;
  state.tombstoneCount += 1;
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
  state.map.delete(Table.Tombstones, Buffer.from(key));
  state.tombstoneCount -= 1;
  return headMain(record) <= state.compactRevision ? undefined : record;
}
