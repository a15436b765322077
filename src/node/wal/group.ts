/**
 * A group while it gathers: records are encoded into chunks of memory that one write takes as they
 * are.
 *
 * Invariants: once sealed, a group is the disk's until its write has called back, and only then
 * reset. Data is copied once, into a chunk; large data is not copied at all but given to the write
 * by reference, which is sound because an entry's data is never written to again.
 */

import { crc32 } from 'node:zlib';
import {
  ENTRY_DATA_BYTES_MAX,
  ENTRY_OVERHEAD_BYTES,
  type Entry,
  type HardState,
  type LogIndex,
  type SnapshotMeta,
  WAL_BLOCK_BYTES,
  WAL_EXTEND_BYTES,
} from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { writeCounter } from './counter.ts';
import { encodeGroupHeader, GROUP_HEADER_BYTES, groupBytes } from './group-header.ts';
import { encodeMarker, MarkerKind } from './records.ts';

/** A group that gathers, is being written, or lies ready for use. */
export type Group = {
  /** Whole pieces of the group, in their order; slices of chunks, or large data as it came. */
  readonly pieces: Buffer[];
  /** The chunk kept through resets; it starts with the header. */
  readonly home: Buffer;
  readonly homeView: DataView;
  /** The chunk being filled, from `sliceStart` (not yet in `pieces`) to `used`. */
  chunk: Buffer;
  view: DataView;
  sliceStart: number;
  used: number;
  payloadBytes: number;
  /** The newest ticket whose records are all in this group or before it. */
  ticket: number;
  /** Whether someone waits for it. */
  mustSync: boolean;
  /** Entries from this index on that earlier groups wrote are void; Infinity when none is. */
  voidFrom: LogIndex;
  /** The log's last index behind this group, or -1 when the group does not change it. */
  lastIndex: LogIndex;
  /** The newest marker in this group. */
  base: SnapshotMeta | undefined;
};

/** Where and as what a group is written. */
export type GroupPlace = {
  readonly group: number;
  readonly flags: number;
  readonly hardState: HardState;
  readonly offset: number;
  readonly salt: number;
  /** Bytes of the segment that are written already, as groups or as zeros. */
  readonly allocatedBytes: number;
};

/** Memory is taken in pieces of this; a group of ordinary size fits into one. */
const CHUNK_BYTES = 1024 * 1024;

/** Data of at least this many bytes is written from where it lies. */
const BY_REFERENCE_BYTES = 32 * 1024;

/** Zeros for padding and for extending a segment. */
const ZEROS = Buffer.alloc(WAL_EXTEND_BYTES);

/** Makes an empty group. */
export function createGroup(): Group {
  const home = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const view = new DataView(home.buffer, home.byteOffset, home.length);
  const group: Group = {
    pieces: [],
    home,
    homeView: view,
    chunk: home,
    view,
    sliceStart: 0,
    used: 0,
    payloadBytes: 0,
    ticket: 0,
    mustSync: false,
    voidFrom: Number.POSITIVE_INFINITY,
    lastIndex: -1,
    base: undefined,
  };
  resetGroup(group);
  return group;
}

/** Makes a group that was written ready for use. */
export function resetGroup(group: Group): void {
  group.pieces.length = 0;
  group.chunk = group.home;
  group.view = group.homeView;
  group.sliceStart = 0;
  group.used = GROUP_HEADER_BYTES;
  group.payloadBytes = 0;
  group.ticket = 0;
  group.mustSync = false;
  group.voidFrom = Number.POSITIVE_INFINITY;
  group.lastIndex = -1;
  group.base = undefined;
}

/** Adds an entry. `data` is kept by reference until the group is written if it is large. */
export function addEntry(group: Group, entry: Entry): void {
  const { data, index } = entry;
  const sizeBytes = data.length;
  assert(sizeBytes <= ENTRY_DATA_BYTES_MAX, 'an entry has its limit', sizeBytes);
  const byReference = sizeBytes >= BY_REFERENCE_BYTES;
  const needed = byReference ? ENTRY_OVERHEAD_BYTES : ENTRY_OVERHEAD_BYTES + sizeBytes;
  if (group.chunk.length - group.used < needed) takeChunk(group);

  const { view, used } = group;
  view.setUint8(used, entry.type);
  view.setUint32(used + 1, sizeBytes);
  writeCounter(view, used + 5, entry.term);
  writeCounter(view, used + 13, index);
  if (!byReference) group.chunk.set(data, used + ENTRY_OVERHEAD_BYTES);
  group.used = used + needed;
  if (byReference) {
    endSlice(group);
    group.pieces.push(data);
  }
  group.payloadBytes += ENTRY_OVERHEAD_BYTES + sizeBytes;
  if (index < group.voidFrom) group.voidFrom = index;
  group.lastIndex = index;
}

/** Adds a marker. */
export function addMarker(group: Group, kind: MarkerKind, meta: SnapshotMeta): void {
  const bytes = encodeMarker(kind, meta);
  if (group.chunk.length - group.used < bytes.length) takeChunk(group);
  group.chunk.set(bytes, group.used);
  group.used += bytes.length;
  group.payloadBytes += bytes.length;
  group.base = meta;
  if (kind === MarkerKind.Anew) {
    group.voidFrom = 0;
    group.lastIndex = meta.index;
  }
}

/**
 * Finishes a group for its place: header, checksums, padding, and zeros that extend the segment
 * when the group reaches beyond what is allocated.
 *
 * @returns the pieces to write; the group's until it is reset
 */
export function sealGroup(group: Group, place: GroupPlace): readonly Buffer[] {
  endSlice(group);
  const { pieces } = group;
  const first = pieces[0];
  assert(first !== undefined, 'a group has its header');
  let payloadCrc = crc32(first.subarray(GROUP_HEADER_BYTES));
  for (let slot = 1; slot < pieces.length; slot += 1) payloadCrc = crc32(pieces[slot]!, payloadCrc);
  encodeGroupHeader(
    first,
    group.homeView,
    {
      group: place.group,
      payloadBytes: group.payloadBytes,
      payloadCrc,
      flags: place.flags,
      hardState: place.hardState,
    },
    place.offset,
    place.salt,
  );
  const groupEnd = place.offset + groupBytes(group.payloadBytes);
  const allocated = allocatedAfter(groupEnd, place.allocatedBytes);
  const writeEnd = allocated > place.allocatedBytes ? allocated : groupEnd;
  addZeros(group, writeEnd - place.offset - GROUP_HEADER_BYTES - group.payloadBytes);
  return pieces;
}

/** How far a segment is allocated once something that ends at `end` is written. */
export function allocatedAfter(end: number, allocatedBytes: number): number {
  if (end <= allocatedBytes) return allocatedBytes;
  return Math.ceil(end / WAL_EXTEND_BYTES) * WAL_EXTEND_BYTES;
}

/** Zeros to write: shared, never to be changed. */
export function zeroPieces(sizeBytes: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let left = sizeBytes; left > 0; left -= ZEROS.length) {
    pieces.push(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }
  return pieces;
}

function addZeros(group: Group, zeroBytes: number): void {
  // A short padding fits behind the last slice: one buffer, and so the cheaper kind of write.
  if (
    group.pieces.length === 1 &&
    zeroBytes <= Math.min(WAL_BLOCK_BYTES, CHUNK_BYTES - group.used)
  ) {
    group.home.fill(0, group.used, group.used + zeroBytes);
    group.pieces[0] = group.home.subarray(0, group.used + zeroBytes);
    return;
  }
  group.pieces.push(...zeroPieces(zeroBytes));
}

function endSlice(group: Group): void {
  if (group.used === group.sliceStart) return;
  group.pieces.push(group.chunk.subarray(group.sliceStart, group.used));
  group.sliceStart = group.used;
}

function takeChunk(group: Group): void {
  endSlice(group);
  group.chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  group.view = new DataView(group.chunk.buffer, group.chunk.byteOffset, CHUNK_BYTES);
  group.sliceStart = 0;
  group.used = 0;
}
