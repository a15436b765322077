/**
 * The header of a group: all that one write and one sync put on disk together. A group is valid as
 * a whole or not at all, since a crash may keep later sectors of a write and lose earlier ones.
 *
 * Layout, big-endian: magic u32 | header crc u32 | group u64 | payload bytes u32 | payload crc u32
 * | block u32 | flags u32 | term u64 | commit u64 | vote u32 | zeros up to 64 bytes | payload |
 * zeros up to the next multiple of WAL_BLOCK_BYTES. The header crc covers what follows it up to 64
 * bytes and is seeded with the segment's salt; block is the group's own place in the file. Every
 * group carries the whole hard state, so that no older group is needed for it.
 */

import { crc32 } from 'node:zlib';
import { type HardState, NO_NODE, NODE_ID_MAX, WAL_BLOCK_BYTES } from '../../../include/node.ts';
import { readCounter, writeCounter } from './counter.ts';

/** Bytes before the payload. */
export const GROUP_HEADER_BYTES = 64;

/** What a group is besides a batch of records; bits of `flags`. */
export const GroupFlag = {
  None: 0,
  /** The first group of a segment: it repeats the newest marker. */
  Opening: 1,
  /** The last words of a segment; bears the number of its successor's first group. */
  Sealing: 2,
  /** Written by an orderly stop: what stands before it was acknowledged. */
  Closing: 4,
} as const;

/** A decoded header. */
export type GroupHeader = {
  readonly group: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly flags: number;
  readonly hardState: HardState;
};

const MAGIC = 0x6b76_6731; // 'kvg1'
const MAGIC_BYTES = 4;
const COVERED_OFFSET = 8;
const VOTE_NONE = 0xffff_ffff;

/** Bytes a group takes in its file. */
export function groupBytes(payloadBytes: number): number {
  const blocks = Math.ceil((GROUP_HEADER_BYTES + payloadBytes) / WAL_BLOCK_BYTES);
  return blocks * WAL_BLOCK_BYTES;
}

/**
 * Fills in the header at the start of `bytes`.
 *
 * @param view over the same bytes
 * @param offset where in the segment the group will stand
 */
export function encodeGroupHeader(
  bytes: Buffer,
  view: DataView,
  header: GroupHeader,
  offset: number,
  salt: number,
): void {
  view.setUint32(0, MAGIC);
  writeCounter(view, 8, header.group);
  view.setUint32(16, header.payloadBytes);
  view.setUint32(20, header.payloadCrc);
  view.setUint32(24, offset / WAL_BLOCK_BYTES);
  view.setUint32(28, header.flags);
  writeCounter(view, 32, header.hardState.term);
  writeCounter(view, 40, header.hardState.commit);
  view.setUint32(48, header.hardState.vote === NO_NODE ? VOTE_NONE : header.hardState.vote);
  bytes.fill(0, 52, GROUP_HEADER_BYTES);
  view.setUint32(MAGIC_BYTES, crc32(bytes.subarray(COVERED_OFFSET, GROUP_HEADER_BYTES), salt));
}

/**
 * Reads the header at `offset` of a segment's bytes, or returns undefined when none is there: too
 * few bytes, another magic, a wrong checksum, or the header of another place.
 */
export function decodeGroupHeader(
  segment: Buffer,
  offset: number,
  salt: number,
): GroupHeader | undefined {
  if (segment.length - offset < GROUP_HEADER_BYTES) return undefined;
  if (segment.readUInt32BE(offset) !== MAGIC) return undefined;
  const covered = segment.subarray(offset + COVERED_OFFSET, offset + GROUP_HEADER_BYTES);
  if (crc32(covered, salt) !== segment.readUInt32BE(offset + MAGIC_BYTES)) return undefined;
  if (segment.readUInt32BE(offset + 24) !== offset / WAL_BLOCK_BYTES) return undefined;

  const vote = segment.readUInt32BE(offset + 48);
  return {
    group: readCounter(segment, offset + 8),
    payloadBytes: segment.readUInt32BE(offset + 16),
    payloadCrc: segment.readUInt32BE(offset + 20),
    flags: segment.readUInt32BE(offset + 28),
    hardState: {
      term: readCounter(segment, offset + 32),
      vote: vote > NODE_ID_MAX ? NO_NODE : vote,
      commit: readCounter(segment, offset + 40),
    },
  };
}
