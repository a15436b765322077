/**
 * What is kept of leases:
 *
 *   Leases       lease i64 -> seconds granted u64 | seconds left at the last checkpoint u64
 *                             | index of the entry that granted it u64
 *   LeaseKeys    lease i64, key -> nothing
 *
 * Nothing of it is kept in memory: a store may have a million leases, and only a write with a lease
 * looks here.
 *
 * Invariant: LeaseKeys has a pair for each live key whose record names a lease, and no other; a
 * lease that is named is in Leases.
 */

import { KEY_BYTES_MAX, type Lease, type ScanBounds, Table } from '../../include/kvstore.ts';
import { areCounters, readCounter, readLease, writeCounter, writeLease } from './key-record.ts';
import { ALL_PAIRS } from './pair-cursor.ts';
import { NO_VALUE } from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** Bytes of a lease's id. */
const LEASE_BYTES = 8;

/** The longest key of any table: a lease and a key. */
export const TABLE_KEY_BYTES_MAX: number = LEASE_BYTES + KEY_BYTES_MAX;

const LEASE_RECORD_BYTES = 24;
const COUNTER_OFFSETS = [0, 8, 16];

/** Whether a pair can be one of Leases. */
export function isLeasePair(key: Buffer, record: Buffer): boolean {
  if (key.length !== LEASE_BYTES || record.length !== LEASE_RECORD_BYTES) return false;
  return areCounters(record, COUNTER_OFFSETS);
}

/** Whether a pair can be one of LeaseKeys. */
export function isLeaseKey(key: Buffer, value: Buffer): boolean {
  return key.length > LEASE_BYTES && value.length === 0;
}

/** The lease of an id; undefined when there is none. */
export function findLease(state: StoreState, id: bigint): Lease | undefined {
  const record = state.map.get(Table.Leases, leaseKey(state, id));
  return record === undefined ? undefined : decodeLease(id, record);
}

/** Whether there is a lease of an id. */
export function hasLease(state: StoreState, id: bigint): boolean {
  return state.map.get(Table.Leases, leaseKey(state, id)) !== undefined;
}

/** Writes a lease, new or changed. */
export function putLease(state: StoreState, lease: Lease): void {
  const key = leaseKey(state, lease.id);
  const offset = state.arena.reserve(LEASE_RECORD_BYTES);
  writeCounter(state.arena.view, offset, lease.ttlSeconds);
  writeCounter(state.arena.view, offset + 8, lease.remainingSeconds);
  writeCounter(state.arena.view, offset + 16, lease.grantIndex);
  state.map.put(Table.Leases, key, state.arena.piece());
}

/** Removes a lease, which must not have keys. */
export function deleteLease(state: StoreState, id: bigint): void {
  state.map.delete(Table.Leases, leaseKey(state, id));
}

/** Visits leases by their ids as unsigned numbers, from one on, until `visit` returns false. */
export function visitLeases(
  state: StoreState,
  visit: (lease: Lease) => unknown,
  from: bigint = 0n,
): void {
  const bounds = { from: Buffer.from(leaseKey(state, from)), to: undefined, reverse: false };
  state.map.scan(
    Table.Leases,
    bounds,
    (key, record) => visit(decodeLease(readLease(key, 0), record)) !== false,
  );
}

/** Visits the keys in bounds that hang on a lease, in key order. Views of the table's keys. */
export function scanLeaseKeys(
  state: StoreState,
  id: bigint,
  bounds: ScanBounds,
  visit: (key: Buffer) => boolean,
): void {
  state.map.scan(Table.LeaseKeys, attachmentBounds(state, id, bounds), (key) =>
    visit(key.subarray(LEASE_BYTES)),
  );
}

/** Whether any key in bounds hangs on a lease. */
export function hasLeaseKeys(state: StoreState, id: bigint, bounds: ScanBounds): boolean {
  let isAny = false;
  scanLeaseKeys(state, id, bounds, () => {
    isAny = true;
    return false;
  });
  return isAny;
}

/** The last key that hangs on a lease. */
export function lastLeaseKey(state: StoreState, id: bigint): Buffer | undefined {
  let last: Buffer | undefined;
  const bounds = { ...attachmentBounds(state, id, ALL_PAIRS), reverse: true };
  state.map.scan(Table.LeaseKeys, bounds, (key) => {
    last = key.subarray(LEASE_BYTES);
    return false;
  });
  return last;
}

/** Counts the keys in bounds that hang on a lease, up to about `countMax`. */
export function countLeaseKeys(
  state: StoreState,
  id: bigint,
  bounds: ScanBounds,
  countMax: number,
): number {
  const { count } = state.map.countSome(
    Table.LeaseKeys,
    attachmentBounds(state, id, bounds),
    countMax,
  );
  return count;
}

/** Hangs a key, which is borrowed, on a lease. */
export function attachKey(state: StoreState, id: bigint, key: Buffer): void {
  state.map.put(Table.LeaseKeys, attachment(state, id, key), NO_VALUE);
}

/** Takes a key, which is borrowed, off a lease. */
export function detachKey(state: StoreState, id: bigint, key: Buffer): void {
  state.map.delete(Table.LeaseKeys, attachment(state, id, key));
}

function decodeLease(id: bigint, record: Buffer): Lease {
  return {
    id,
    ttlSeconds: readCounter(record, 0),
    remainingSeconds: readCounter(record, 8),
    grantIndex: readCounter(record, 16),
  };
}

function leaseKey(state: StoreState, id: bigint): Buffer {
  const offset = state.arena.reserve(LEASE_BYTES);
  writeLease(state.arena.view, offset, id);
  return state.arena.piece();
}

function attachment(state: StoreState, id: bigint, key: Buffer): Buffer {
  const offset = state.arena.reserve(LEASE_BYTES + key.length);
  writeLease(state.arena.view, offset, id);
  state.arena.bytes.set(key, offset + LEASE_BYTES);
  return state.arena.piece();
}

/** Behind the last lease, which is -1 since ids are ordered as bytes, there is no other. */
function attachmentBounds(state: StoreState, id: bigint, { from, to }: ScanBounds): ScanBounds {
  const behind = id === -1n ? undefined : Buffer.from(leaseKey(state, id + 1n));
  return {
    from: Buffer.from(attachment(state, id, from)),
    to: to === undefined ? behind : Buffer.from(attachment(state, id, to)),
    reverse: false,
  };
}
