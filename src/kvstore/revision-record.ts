/**
 * What Revisions holds of a revision: the only place a value is kept.
 *
 *   offset  bytes  field
 *   0       1      kind: 0 put, 1 deletion
 *   1       2      length of the key
 *   3       12     prev: the revision of the same key before this one; zeros for none
 *   15      12     jump: an older one (key-record.ts); zeros for none
 *   27      8      create revision; 0 of a deletion
 *   35      8      version; 0 of a deletion
 *   43      8      lease
 *   51             the key, then the value
 *
 * Prev and jump lead to older revisions, so that a chain ends. They may lead to one that a
 * compaction removed: it is then older than all that can be read.
 */

import type { KeyValue } from '../../include/kvstore.ts';
import { assert } from '../assert.ts';
import type { Arena } from './arena.ts';
import {
  areCounters,
  isHeadBefore,
  isRevisionKey,
  jumpOffset,
  type KeyChange,
  REVISION_KEY_BYTES,
  readCounter,
  readLease,
  writeCounter,
  writeLease,
} from './key-record.ts';

/** What a revision did to its key. */
export const RevisionKind = { Put: 0, Deletion: 1 } as const;
/** One of the values of RevisionKind. */
export type RevisionKind = (typeof RevisionKind)[keyof typeof RevisionKind];

const KEY_LENGTH_OFFSET = 1;
const PREV_OFFSET = 3;
const JUMP_OFFSET = 15;
const CREATE_OFFSET = 27;
const VERSION_OFFSET = 35;
const LEASE_OFFSET = 43;
const KEY_OFFSET = 51;

const COUNTER_OFFSETS = [PREV_OFFSET, JUMP_OFFSET, CREATE_OFFSET, VERSION_OFFSET];

/** The value of a key that is not shown or not there. */
export const NO_VALUE: Buffer = Buffer.alloc(0);

/**
 * Encodes a revision.
 * @param chain the key's record before it, undefined when it is the key's first
 * @param startsAnew whether all but the newest revision of the chain are compacted
 */
export function encodeRevision(
  arena: Arena,
  kind: RevisionKind,
  chain: Buffer | undefined,
  startsAnew: boolean,
  change: KeyChange,
  key: Buffer,
  value: Buffer,
): Buffer {
  const { main, sub } = change;
  const isLater = chain === undefined || isHeadBefore(chain, main, sub);
  assert(isLater, 'a revision leads to older ones', main, sub);
  const offset = arena.reserve(KEY_OFFSET + key.length + value.length);
  const { bytes, view } = arena;
  view.setUint8(offset, kind);
  view.setUint16(offset + KEY_LENGTH_OFFSET, key.length);
  const prev = chain === undefined ? -1 : chain.length - REVISION_KEY_BYTES;
  copyRevisionKey(view, offset + PREV_OFFSET, chain, prev);
  copyRevisionKey(view, offset + JUMP_OFFSET, chain, jumpOffset(chain, startsAnew));
  writeCounter(view, offset + CREATE_OFFSET, change.createRevision);
  writeCounter(view, offset + VERSION_OFFSET, change.version);
  writeLease(view, offset + LEASE_OFFSET, change.lease);
  bytes.set(key, offset + KEY_OFFSET);
  bytes.set(value, offset + KEY_OFFSET + key.length);
  return arena.piece();
}

function copyRevisionKey(
  view: DataView,
  to: number,
  from: Buffer | undefined,
  offset: number,
): void {
  const isThere = from !== undefined && offset >= 0;
  view.setUint32(to, isThere ? from.readUInt32BE(offset) : 0);
  view.setUint32(to + 4, isThere ? from.readUInt32BE(offset + 4) : 0);
  view.setUint32(to + 8, isThere ? from.readUInt32BE(offset + 8) : 0);
}

/** Whether these can be the key and the record of a revision. */
export function isRevisionPair(key: Buffer, record: Buffer): boolean {
  return isRevisionKey(key) && isRevisionRecord(record) && leadsBack(key, record);
}

function isRevisionRecord(record: Buffer): boolean {
  if (record.length < KEY_OFFSET) return false;
  const restBytes = record.length - KEY_OFFSET - record.readUInt16BE(KEY_LENGTH_OFFSET);
  const isRight = isDeletion(record) ? restBytes === 0 : record[0] === RevisionKind.Put;
  return isRight && restBytes >= 0 && areCounters(record, COUNTER_OFFSETS);
}

function leadsBack(key: Buffer, record: Buffer): boolean {
  return key.compare(prevKey(record)) > 0 && key.compare(jumpKey(record)) > 0;
}

/** Whether the revision deleted its key. */
export function isDeletion(record: Buffer): boolean {
  return record[0] === RevisionKind.Deletion;
}

/** The key that the revision changed. A view of the record. */
export function storedKey(record: Buffer): Buffer {
  return record.subarray(KEY_OFFSET, KEY_OFFSET + record.readUInt16BE(KEY_LENGTH_OFFSET));
}

/** The value it put. A view of the record. */
export function storedValue(record: Buffer): Buffer {
  return record.subarray(KEY_OFFSET + record.readUInt16BE(KEY_LENGTH_OFFSET));
}

/** Main revision of the one before it; 0 for none. */
export function prevMain(record: Buffer): number {
  return readCounter(record, PREV_OFFSET);
}

/** Key of the one before it. A view of the record. */
export function prevKey(record: Buffer): Buffer {
  return record.subarray(PREV_OFFSET, PREV_OFFSET + REVISION_KEY_BYTES);
}

/** Main revision of where it jumps to; 0 for nowhere. */
export function jumpMain(record: Buffer): number {
  return readCounter(record, JUMP_OFFSET);
}

/** Key of where it jumps to. A view of the record. */
export function jumpKey(record: Buffer): Buffer {
  return record.subarray(JUMP_OFFSET, JUMP_OFFSET + REVISION_KEY_BYTES);
}

/** The pair as the put left it. Its buffers are views of the record. */
export function toKeyValue(record: Buffer, modRevision: number, value: Buffer): KeyValue {
  return {
    key: storedKey(record),
    value,
    createRevision: readCounter(record, CREATE_OFFSET),
    modRevision,
    version: readCounter(record, VERSION_OFFSET),
    lease: readLease(record, LEASE_OFFSET),
  };
}
