/**
 * What Keys and Tombstones hold of a key: where its newest revision is, and enough of its older
 * ones to link the next.
 *
 *   offset  bytes  field
 *   0       4      index: how many revisions the key's chain has, the newest included
 *   4       8      create revision; 0 of a deletion
 *   12      8      version; 0 of a deletion
 *   20      8      lease
 *   28      12 n   the chain's landmarks, oldest first: revision keys (main u64, sub u32)
 *
 * The revisions of a key form a chain, numbered from 1. Each knows the one before it (prev) and a
 * landmark (jump): number i jumps to i with its lowest set bit cleared, as in a Fenwick tree, so
 * that any older revision is found in O(log² n) steps however long the chain is.
 *
 *   1 <- 2 <- 3 <- 4 <- 5 <- 6 <- 7       prev
 *        2 <- 3    4 <- 5                 jump
 *                  4 <------- 6 <- 7
 *
 * To link number i + 1 one must know i and the jumps that lead on from it, one for each set bit of
 * i: the landmarks, the last of which is the newest revision itself. Their keys end the record.
 *
 * Invariant: a record has as many landmarks as its index has bits set, each newer than the last.
 */

import { assert } from '../assert.ts';
import type { Arena } from './arena.ts';

/** Bytes of a revision key. */
export const REVISION_KEY_BYTES = 12;

const INDEX_OFFSET = 0;
const CREATE_OFFSET = 4;
const VERSION_OFFSET = 12;
const LEASE_OFFSET = 20;
const LANDMARKS_OFFSET = 28;

/**
 * Chains start anew at a compaction; four thousand million puts of one key between two are too
 * many.
 */
const INDEX_MAX = 0xffff_fffe;

/** The upper half of the largest counter, Number.MAX_SAFE_INTEGER. */
const COUNTER_HIGH_MAX = 0x1f_ffff;

/** Reads a counter of 8 bytes, at most Number.MAX_SAFE_INTEGER. */
export function readCounter(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset) * 0x1_0000_0000 + bytes.readUInt32BE(offset + 4);
}

/** Writes a counter of 8 bytes. */
export function writeCounter(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value / 0x1_0000_0000);
  view.setUint32(offset + 4, value >>> 0);
}

/** Whether 8 bytes are a counter. */
export function isCounter(bytes: Buffer, offset: number): boolean {
  return bytes.readUInt32BE(offset) <= COUNTER_HIGH_MAX;
}

/** Whether there is a counter at each of these offsets. */
export function areCounters(bytes: Buffer, offsets: readonly number[]): boolean {
  return offsets.every((offset) => isCounter(bytes, offset));
}

/** Reads a lease: 64 bits, signed as in etcd. */
export function readLease(bytes: Buffer, offset: number): bigint {
  // Nearly all are 0, and making a bigint costs.
  if (bytes.readUInt32BE(offset) === 0 && bytes.readUInt32BE(offset + 4) === 0) return 0n;
  return bytes.readBigInt64BE(offset);
}

/** Writes a lease. */
export function writeLease(view: DataView, offset: number, lease: bigint): void {
  if (lease === 0n) writeCounter(view, offset, 0);
  else view.setBigInt64(offset, lease);
}

/** Makes the key of a revision. */
export function encodeRevisionKey(main: number, sub: number): Buffer {
  const key = Buffer.allocUnsafe(REVISION_KEY_BYTES);
  key.writeUInt32BE(Math.floor(main / 0x1_0000_0000), 0);
  key.writeUInt32BE(main >>> 0, 4);
  key.writeUInt32BE(sub, 8);
  return key;
}

/** Whether bytes are the key of a revision. */
export function isRevisionKey(key: Buffer): boolean {
  return key.length === REVISION_KEY_BYTES && isCounter(key, 0);
}

/** Whether bytes are the record of a key. */
export function isKeyRecord(record: Buffer): boolean {
  if (record.length < LANDMARKS_OFFSET + REVISION_KEY_BYTES) return false;
  const landmarkBytes = countBits(chainIndexOf(record)) * REVISION_KEY_BYTES;
  if (record.length !== LANDMARKS_OFFSET + landmarkBytes) return false;
  return areLandmarks(record) && areCounters(record, [CREATE_OFFSET, VERSION_OFFSET]);
}

function areLandmarks(record: Buffer): boolean {
  for (let offset = LANDMARKS_OFFSET; offset < record.length; offset += REVISION_KEY_BYTES) {
    if (!isCounter(record, offset)) return false;
    if (offset > LANDMARKS_OFFSET && !isAfterLast(record, offset)) return false;
  }
  return true;
}

/** Whether the landmark at an offset is newer than the one before it. */
function isAfterLast(record: Buffer, offset: number): boolean {
  const last = offset - REVISION_KEY_BYTES;
  return record.compare(record, last, offset, offset, offset + REVISION_KEY_BYTES) > 0;
}

/** The key of the newest revision. A view of the record. */
export function headKey(record: Buffer): Buffer {
  return record.subarray(record.length - REVISION_KEY_BYTES);
}

/** The newest revision's main. */
export function headMain(record: Buffer): number {
  return readCounter(record, record.length - REVISION_KEY_BYTES);
}

/** The newest revision's sub. */
export function headSub(record: Buffer): number {
  return record.readUInt32BE(record.length - 4);
}

/** Whether the newest revision is older than another. */
export function isHeadBefore(record: Buffer, main: number, sub: number): boolean {
  const head = headMain(record);
  return head < main || (head === main && headSub(record) < sub);
}

/** The revision that created the key. */
export function createRevisionOf(record: Buffer): number {
  return readCounter(record, CREATE_OFFSET);
}

/** How many puts the key has seen since it was created. */
export function versionOf(record: Buffer): number {
  return readCounter(record, VERSION_OFFSET);
}

/** The lease the key hangs on. */
export function leaseOf(record: Buffer): bigint {
  return readLease(record, LEASE_OFFSET);
}

/** How many revisions the chain has. */
export function chainIndexOf(record: Buffer): number {
  return record.readUInt32BE(INDEX_OFFSET);
}

/** What a revision does to a key. */
export type KeyChange = {
  readonly main: number;
  readonly sub: number;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: bigint;
};

/**
 * Where the next revision of a chain jumps to.
 * @param chain the key's record; undefined when the revision is its first
 * @param startsAnew whether all but the newest revision of the chain are compacted
 * @returns the offset in `chain` of a revision key; -1 for none
 */
export function jumpOffset(chain: Buffer | undefined, startsAnew: boolean): number {
  const kept = keptLandmarks(chain, startsAnew);
  return kept === 0 ? -1 : LANDMARKS_OFFSET + (kept - 1) * REVISION_KEY_BYTES;
}

/** The record of a key after a change; `chain` and `startsAnew` as in jumpOffset. */
export function encodeKeyRecord(
  arena: Arena,
  chain: Buffer | undefined,
  startsAnew: boolean,
  change: KeyChange,
): Buffer {
  const kept = keptLandmarks(chain, startsAnew);
  const keptBytes = kept * REVISION_KEY_BYTES;
  const offset = arena.reserve(LANDMARKS_OFFSET + keptBytes + REVISION_KEY_BYTES);
  const { bytes, view } = arena;
  view.setUint32(offset + INDEX_OFFSET, nextIndex(chain, startsAnew));
  writeCounter(view, offset + CREATE_OFFSET, change.createRevision);
  writeCounter(view, offset + VERSION_OFFSET, change.version);
  writeLease(view, offset + LEASE_OFFSET, change.lease);
  const landmarks = offset + LANDMARKS_OFFSET;
  if (kept > 0) chain?.copy(bytes, landmarks, LANDMARKS_OFFSET, LANDMARKS_OFFSET + keptBytes);
  writeCounter(view, landmarks + keptBytes, change.main);
  view.setUint32(landmarks + keptBytes + 8, change.sub);
  return arena.piece();
}

function nextIndex(chain: Buffer | undefined, startsAnew: boolean): number {
  if (chain === undefined) return 1;
  if (startsAnew) return 2;
  const index = chainIndexOf(chain);
  assert(index <= INDEX_MAX, 'a chain of revisions is longer than its index counts', index);
  return index + 1;
}

/** How many landmarks of a chain its next revision keeps: all but those for the bits it clears. */
function keptLandmarks(chain: Buffer | undefined, startsAnew: boolean): number {
  if (chain === undefined || startsAnew) return 0;
  return countBits(nextIndex(chain, false)) - 1;
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
