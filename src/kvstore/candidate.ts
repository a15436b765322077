/**
 * A key found by a range, before its value is fetched: filters, sorting and the limit come first,
 * and most of them need no value.
 */

import { type KeyValue, Table } from '../../include/kvstore.ts';
import { assert } from '../assert.ts';
import { createRevisionOf, headKey, headMain, leaseOf, versionOf } from './key-record.ts';
import {
  isDeletion,
  jumpKey,
  jumpMain,
  NO_VALUE,
  prevKey,
  prevMain,
  storedValue,
  toKeyValue,
} from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** A key as of some revision. */
export type Candidate = {
  readonly key: Buffer;
  readonly modRevision: number;
  readonly createRevision: number;
  readonly version: number;
  /** What Keys holds of the key, where its newest revision is the one meant. */
  readonly keyRecord: Buffer | undefined;
  /** What Revisions holds of the revision, once fetched. */
  revisionRecord: Buffer | undefined;
};

/** The key as of its newest revision. */
export function newestOf(key: Buffer, keyRecord: Buffer): Candidate {
  return {
    key,
    modRevision: headMain(keyRecord),
    createRevision: createRevisionOf(keyRecord),
    version: versionOf(keyRecord),
    keyRecord,
    revisionRecord: undefined,
  };
}

/**
 * The key as of a revision, not older than what is compacted.
 * @param chain the key's record, of Keys or of Tombstones
 * @param isDeleted whether it is of Tombstones
 * @returns undefined when the key did not exist then
 */
export function asOf(
  state: StoreState,
  key: Buffer,
  chain: Buffer,
  isDeleted: boolean,
  revision: number,
): Candidate | undefined {
  if (headMain(chain) <= revision) return isDeleted ? undefined : newestOf(key, chain);
  const found = findInChain(state, chain, revision);
  if (found === undefined || isDeletion(found.record)) return undefined;
  const { createRevision, version } = toKeyValue(found.record, found.main, NO_VALUE);
  return {
    key,
    modRevision: found.main,
    createRevision,
    version,
    keyRecord: undefined,
    revisionRecord: found.record,
  };
}

/**
 * Walks a chain from its newest revision, which is too new, to the newest one not above `revision`.
 */
function findInChain(
  state: StoreState,
  chain: Buffer,
  revision: number,
): { readonly record: Buffer; readonly main: number } | undefined {
  let key = headKey(chain);
  for (;;) {
    const record = state.map.get(Table.Revisions, key);
    assert(record !== undefined, 'a chain leads through revisions that are there', revision);
    const prev = prevMain(record);
    if (prev === 0) return undefined;
    if (prev <= revision) {
      const found = state.map.get(Table.Revisions, prevKey(record));
      // A deletion that is compacted may be gone: then the key was not there.
      return found === undefined ? undefined : { record: found, main: prev };
    }
    key = jumpMain(record) > revision ? jumpKey(record) : prevKey(record);
  }
}

/** The candidate with its revision's record, which holds the value. */
export function fetch(state: StoreState, candidate: Candidate): Buffer {
  if (candidate.revisionRecord === undefined) {
    assert(candidate.keyRecord !== undefined, 'a candidate has one of its records');
    candidate.revisionRecord = newestRevision(state, candidate.keyRecord);
  }
  return candidate.revisionRecord;
}

/** What Revisions holds of the newest revision of a key. */
export function newestRevision(state: StoreState, keyRecord: Buffer): Buffer {
  const record = state.map.get(Table.Revisions, headKey(keyRecord));
  assert(record !== undefined, 'the newest revision of a key is there', headMain(keyRecord));
  return record;
}

/** The answer's pair with its value. */
export function toPair(state: StoreState, candidate: Candidate): KeyValue {
  const record = fetch(state, candidate);
  return toKeyValue(record, candidate.modRevision, storedValue(record));
}

/** The answer's pair without its value, which need not be fetched. */
export function toKeyOnly(candidate: Candidate): KeyValue {
  const { key, modRevision, createRevision, version, keyRecord, revisionRecord } = candidate;
  const lease =
    keyRecord === undefined ? leaseOfRevision(revisionRecord, modRevision) : leaseOf(keyRecord);
  return { key, value: NO_VALUE, createRevision, modRevision, version, lease };
}

function leaseOfRevision(record: Buffer | undefined, modRevision: number): bigint {
  return record === undefined ? 0n : toKeyValue(record, modRevision, NO_VALUE).lease;
}
