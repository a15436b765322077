/**
 * What a store remembers of deletions under way, and how the state's record keeps it:
 *
 *   count u32, each: revision u64 | compacted revision + 1 u64 | lease i64 | session u64
 *   | sequence u64 | keys deleted u32 | flags u8: 1 has an end, 2 answers pairs
 *   | first key | end | next key, each length u16 and bytes
 */

import type { KeyValue } from '../../include/kvstore.ts';
import { areCounters, readCounter, readLease, writeCounter, writeLease } from './key-record.ts';

/** One deletion under way. */
export type Deletion = {
  /** The revision it makes. */
  readonly main: number;
  /** Its keys lie from here on... */
  readonly from: Buffer;
  /** ...to before here; undefined: to the last. */
  readonly to: Buffer | undefined;
  /** Of these the keys that hang on this lease, which ended; 0n: all of them. */
  readonly lease: bigint;
  /** What was compacted when it was applied: members are not equally far, and write the same. */
  readonly compactRevision: number;
  /** Whether it answers the pairs it removes. */
  readonly hasPrevKvs: boolean;
  /** The session that asked for it, and the number of its write; 0 for none. */
  session: number;
  sequence: number;
  /** Where the next step starts. */
  next: Buffer;
  /** How many keys are deleted: the next one's sub revision. */
  sub: number;
  /** The pairs removed; undefined when there are too many, or some before a restart. Not kept. */
  prevKvs: KeyValue[] | undefined;
  prevBytes: number;
};

const COUNT_BYTES = 4;
const FIXED_BYTES = 5 * 8 + 4 + 1;
const COUNTER_OFFSETS = [0, 8, 24, 32];
const KEY_LENGTH_BYTES = 2;
const KEY_COUNT = 3;

const HAS_END = 1;
const HAS_PREV_KVS = 2;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Encodes all deletions under way. */
export function encodeDeletions(deletions: readonly Deletion[]): Buffer {
  const count = Buffer.alloc(COUNT_BYTES);
  count.writeUInt32BE(deletions.length);
  return Buffer.concat([count, ...deletions.flatMap(encodeDeletion)]);
}

function encodeDeletion(deletion: Deletion): Buffer[] {
  const { main, from, to, lease, compactRevision, hasPrevKvs, session, sequence } = deletion;
  const fixed = Buffer.alloc(FIXED_BYTES);
  const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength);
  writeCounter(view, 0, main);
  writeCounter(view, 8, compactRevision + 1);
  writeLease(view, 16, lease);
  writeCounter(view, 24, session);
  writeCounter(view, 32, sequence);
  view.setUint32(40, deletion.sub);
  view.setUint8(44, (to === undefined ? 0 : HAS_END) | (hasPrevKvs ? HAS_PREV_KVS : 0));
  return [fixed, ...[from, to ?? NO_BYTES, deletion.next].flatMap(encodeKey)];
}

function encodeKey(key: Buffer): Buffer[] {
  const length = Buffer.alloc(KEY_LENGTH_BYTES);
  length.writeUInt16BE(key.length);
  return [length, key];
}

/**
 * Decodes all of them. Their keys are views of the bytes.
 *
 * @returns undefined when the bytes are something else
 */
export function decodeDeletions(bytes: Buffer): Deletion[] | undefined {
  if (bytes.length < COUNT_BYTES) return undefined;
  const deletions: Deletion[] = [];
  let offset = COUNT_BYTES;
  for (let count = bytes.readUInt32BE(0); count > 0; count -= 1) {
    const fixed = bytes.subarray(offset, offset + FIXED_BYTES);
    if (fixed.length < FIXED_BYTES) return undefined;
    if (!areCounters(fixed, COUNTER_OFFSETS)) return undefined;
    offset += FIXED_BYTES;
    const keys: Buffer[] = [];
    for (let slot = 0; slot < KEY_COUNT; slot += 1) {
      if (offset + KEY_LENGTH_BYTES > bytes.length) return undefined;
      const start = offset + KEY_LENGTH_BYTES;
      offset = start + bytes.readUInt16BE(offset);
      if (offset > bytes.length) return undefined;
      keys.push(bytes.subarray(start, offset));
    }
    deletions.push(decodeDeletion(fixed, keys));
  }
  return offset === bytes.length ? deletions : undefined;
}

function decodeDeletion(fixed: Buffer, keys: readonly Buffer[]): Deletion {
  const [from = NO_BYTES, to = NO_BYTES, next = NO_BYTES] = keys;
  const flags = fixed.readUInt8(44);
  return {
    main: readCounter(fixed, 0),
    from,
    to: (flags & HAS_END) === 0 ? undefined : to,
    lease: readLease(fixed, 16),
    compactRevision: readCounter(fixed, 8) - 1,
    hasPrevKvs: (flags & HAS_PREV_KVS) !== 0,
    session: readCounter(fixed, 24),
    sequence: readCounter(fixed, 32),
    next,
    sub: fixed.readUInt32BE(40),
    prevKvs: undefined,
    prevBytes: 0,
  };
}
