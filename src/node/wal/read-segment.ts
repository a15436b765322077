/**
 * Reads a segment's bytes: the groups from its start, and what to think of what follows the last
 * good one.
 *
 * At most one group of a log is unsynced at any time, and it is the last one written. So behind the
 * last good group of the newest segment there may be nothing (zeros), or pieces of exactly one
 * group that nobody was told about. A good group behind a bad one proves that the bad one was
 * synced: damage.
 */

import { crc32 } from 'node:zlib';
import { WAL_BLOCK_BYTES, WAL_EXTEND_BYTES } from '../../../include/node.ts';
import {
  decodeGroupHeader,
  GROUP_HEADER_BYTES,
  GroupFlag,
  type GroupHeader,
  groupBytes,
} from './group-header.ts';
import { damaged, type SegmentHead } from './segment-head.ts';

/** Takes one group. `payload` is given away; `offset` is where the group starts. */
export type GroupVisitor = (header: GroupHeader, payload: Buffer, offset: number) => void;

/** How far a segment is good. */
export type SegmentExtent = {
  /** Where the last good group starts. */
  readonly lastOffset: number;
  /** Just behind it. */
  readonly end: number;
  /** The number a group at `end` would have. */
  readonly nextGroup: number;
  /** Whether the segment says that it has a successor. */
  readonly isSealed: boolean;
};

/** What lies behind the last good group of the newest segment. */
export type SegmentTail = {
  /** Bytes of an unfinished group; 0 when all is zero. */
  readonly droppedBytes: number;
  /** The segment's length is none that a finished write leaves. */
  readonly isRagged: boolean;
};

const ZEROS = Buffer.alloc(64 * 1024);

/**
 * Visits the groups of a segment up to the first that is not good.
 *
 * @param bytes the whole segment; borrowed
 * @throws NodeFault LogCorrupt when not even the first group is good: it was synced before the
 *   segment had its name
 */
export function readGroups(
  bytes: Buffer,
  head: SegmentHead,
  path: string,
  visit: GroupVisitor,
): SegmentExtent {
  let offset = WAL_BLOCK_BYTES;
  let lastOffset = offset;
  let group = head.firstGroup;
  let isSealed = false;
  for (;;) {
    const header = decodeGroupHeader(bytes, offset, head.salt);
    if (header === undefined || header.group !== group) break;
    if ((header.flags & GroupFlag.Sealing) !== 0) {
      isSealed = true;
      break;
    }
    const start = offset + GROUP_HEADER_BYTES;
    const payload = bytes.subarray(start, start + header.payloadBytes);
    if (payload.length < header.payloadBytes || crc32(payload) !== header.payloadCrc) break;

    // A copy: entries keep views of it, and a view would keep the whole segment in memory.
    visit(header, Buffer.from(payload), offset);
    lastOffset = offset;
    offset += groupBytes(header.payloadBytes);
    group += 1;
  }
  if (group === head.firstGroup) throw damaged(path, offset, 'its first group is not whole');
  return { lastOffset, end: offset, nextGroup: group, isSealed };
}

/**
 * Judges what follows the last good group of the newest segment.
 *
 * @throws NodeFault LogCorrupt when a good group lies there: the ones between were acknowledged
 */
export function judgeTail(
  bytes: Buffer,
  head: SegmentHead,
  path: string,
  extent: SegmentExtent,
): SegmentTail {
  const { end, nextGroup } = extent;
  const used = usedBytes(bytes, end);
  for (let offset = end; offset < used; offset += WAL_BLOCK_BYTES) {
    const header = decodeGroupHeader(bytes, offset, head.salt);
    if (header === undefined) continue;
    // The unfinished group's own header may be whole.
    if (offset === end && header.group === nextGroup) continue;
    const found = `group ${header.group} follows at ${offset}`;
    throw damaged(path, end, `group ${nextGroup} is not whole, though ${found}`);
  }
  return {
    droppedBytes: Math.max(0, used - end),
    isRagged: bytes.length < end || bytes.length % WAL_EXTEND_BYTES !== 0,
  };
}

/** The end of the last byte from `from` on that is not zero, or `from`. */
function usedBytes(bytes: Buffer, from: number): number {
  let end = bytes.length;
  while (end > from) {
    const start = Math.max(from, end - ZEROS.length);
    const piece = bytes.subarray(start, end);
    if (!piece.equals(ZEROS.subarray(0, piece.length))) break;
    end = start;
  }
  while (end > from && bytes[end - 1] === 0) end -= 1;
  return Math.max(end, from);
}
