/**
 * Brings a log back at start: reads every segment, decides what a crash may have left and what is
 * damage, cuts an unfinished group off, and makes stable what it found.
 *
 * Rules (docs/STORAGE.md gives the reasons):
 * - Segments are numbered without gaps, groups are numbered through all of them.
 * - All but the newest segment were synced whole: there a bad group is damage.
 * - In the newest, an unfinished group at the end is cut; a good group behind a bad one is damage.
 * - What is read may be in the page cache only: the last group is written again before it is relied
 *   on.
 */

import { join } from 'node:path';
import {
  type Entry,
  FaultKind,
  type HardState,
  NO_NODE,
  NodeFault,
  type SnapshotMeta,
  WAL_EXTEND_BYTES,
} from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import type { Disk, FileId } from '../disk.ts';
import { makeSegmentNow } from './begin-segment.ts';
import { zeroPieces } from './group.ts';
import { GROUP_HEADER_BYTES } from './group-header.ts';
import { judgeTail, readGroups, type SegmentExtent, type SegmentTail } from './read-segment.ts';
import { createReplay, type Replay, replayGroup } from './replay.ts';
import {
  damaged,
  decodeSegmentHead,
  type LogOwner,
  SEGMENT_DRAFT_NAME,
  type SegmentHead,
  segmentSequence,
} from './segment-head.ts';
import { noteGroup, type Segment } from './segments.ts';

/** What a log is recovered from. */
export type RecoverOptions = LogOwner & {
  readonly disk: Disk;
  /** The log's own directory; it exists. */
  readonly directory: string;
  /** Whether an empty directory is a new log rather than a lost one. */
  readonly mayCreate: boolean;
  /** The marker a new log starts from: index 0 and the first configuration. */
  readonly initial: SnapshotMeta;
  /** Draws a segment's salt: an integer in [0, bound). */
  readonly randomBelow: (bound: number) => number;
};

/** An unfinished group that was cut off: worth a line in the node's own log. */
export type TornTail = {
  readonly path: string;
  readonly offset: number;
  /** May be 0: only the file's length betrayed the crash. */
  readonly droppedBytes: number;
};

/** What the log held. */
export type Recovered = {
  readonly isNew: boolean;
  readonly hardState: HardState;
  /** The newest marker: the log starts behind it. */
  readonly snapshot: SnapshotMeta;
  /** The entries after the marker, without a gap. Given away. */
  readonly entries: Entry[];
  readonly torn: TornTail | undefined;
  readonly segmentCount: number;
};

/** Where the log goes on. */
export type LogEnd = {
  readonly segments: Segment[];
  readonly file: FileId;
  readonly salt: number;
  readonly offset: number;
  readonly allocatedBytes: number;
  readonly nextGroup: number;
};

/** The segment read last; its bytes are overwritten by the next. */
type Last = { head: SegmentHead; path: string; bytes: Buffer; extent: SegmentExtent };

/** Salts are drawn below this. */
export const SALT_BOUND = 0x1_0000_0000;

const EMPTY_HARD_STATE: HardState = { term: 0, vote: NO_NODE, commit: 0 };

/**
 * Recovers the log in a directory, or makes a new one.
 *
 * @throws NodeFault LogMissing, LogCorrupt, LogForeign, LogNewer, DiskFailed
 */
export function recoverLog(options: RecoverOptions): { recovered: Recovered; end: LogEnd } {
  const { disk, directory } = options;
  try {
    const names = disk.listNow(directory);
    if (names.includes(SEGMENT_DRAFT_NAME)) disk.removeNow(join(directory, SEGMENT_DRAFT_NAME));
    const segmentNames = names.filter((name) => segmentSequence(name) > 0).sort();
    if (segmentNames.length > 0) return readLog(options, segmentNames);
    if (options.mayCreate) return createLog(options);
  } catch (error) {
    if (error instanceof NodeFault) throw error;
    throw new NodeFault(FaultKind.DiskFailed, 'the log cannot be read or written', {
      path: directory,
      remedy: 'see the cause, mend the disk or its permissions, then start again',
      cause: error,
    });
  }
  throw new NodeFault(FaultKind.LogMissing, 'this member has run before, and its log is gone', {
    path: directory,
    remedy:
      'restore it, or remove the member from the cluster and add it again with an empty directory',
  });
}

function createLog(options: RecoverOptions): { recovered: Recovered; end: LogEnd } {
  const { disk, directory, initial } = options;
  const head: SegmentHead = {
    clusterId: options.clusterId,
    nodeId: options.nodeId,
    salt: options.randomBelow(SALT_BOUND),
    sequence: 1,
    firstIndex: initial.index + 1,
    firstGroup: 1,
  };
  const hardState: HardState = { ...EMPTY_HARD_STATE, commit: initial.index };
  const state = { hardState, base: initial, lastIndex: initial.index };
  const { path, file, beginning } = makeSegmentNow(disk, directory, head, state);
  return {
    recovered: {
      isNew: true,
      hardState,
      snapshot: initial,
      entries: [],
      torn: undefined,
      segmentCount: 1,
    },
    end: {
      segments: [{ sequence: 1, path, lastIndex: 0 }],
      file,
      salt: head.salt,
      offset: beginning.end,
      allocatedBytes: beginning.allocatedBytes,
      nextGroup: 2,
    },
  };
}

function readLog(
  options: RecoverOptions,
  names: readonly string[],
): { recovered: Recovered; end: LogEnd } {
  const segments: Segment[] = [];
  const replay = createReplay(EMPTY_HARD_STATE, options.initial);
  let last: Last | undefined;
  let scratch: Buffer = Buffer.alloc(0);
  for (const name of names) {
    const path = join(options.directory, name);
    const sequence = segmentSequence(name);
    const before = segments.at(-1);
    if (before !== undefined && sequence !== before.sequence + 1) {
      throw damaged(path, undefined, `segment ${before.sequence + 1} before it is missing`);
    }
    const bytes = readFile(options.disk, path, scratch);
    scratch = bytes.length > scratch.length ? bytes : scratch;
    const head = decodeSegmentHead(bytes, path, name, options);
    if (last !== undefined && head.firstGroup !== last.extent.nextGroup) {
      const found = `group ${head.firstGroup} follows in segment ${sequence}`;
      const what = `group ${last.extent.nextGroup} is not whole, though ${found}`;
      throw damaged(last.path, last.extent.end, what);
    }
    segments.push({ sequence, path, lastIndex: 0 });
    last = { head, path, bytes, extent: replaySegment(replay, segments, head, path, bytes) };
  }
  assert(last !== undefined, 'a log that is read has a segment');
  if (last.extent.isSealed) {
    throw damaged(
      last.path,
      last.extent.end,
      `segment ${last.head.sequence + 1} after it is missing`,
    );
  }
  if (replay.firstIndex > replay.base.index + 1) {
    const lost = `${replay.base.index + 1} to ${replay.firstIndex - 1}`;
    const what = `entries ${lost} before it are missing`;
    throw damaged(segments[0]?.path ?? last.path, undefined, what);
  }
  const tail = judgeTail(last.bytes, last.head, last.path, last.extent);
  const isTorn = tail.droppedBytes > 0 || tail.isRagged;
  return {
    recovered: {
      isNew: false,
      hardState: withinLog(replay),
      snapshot: replay.base,
      entries: replay.entries,
      torn: isTorn
        ? { path: last.path, offset: last.extent.end, droppedBytes: tail.droppedBytes }
        : undefined,
      segmentCount: segments.length,
    },
    end: mendEnd(options.disk, options.directory, segments, last, tail),
  };
}

function replaySegment(
  replay: Replay,
  segments: readonly Segment[],
  head: SegmentHead,
  path: string,
  bytes: Buffer,
): SegmentExtent {
  return readGroups(bytes, head, path, (header, payload, offset) => {
    const fault = replayGroup(replay, header, payload, head.firstIndex);
    if (fault !== undefined) {
      throw damaged(path, offset + GROUP_HEADER_BYTES + fault.offset, fault.why);
    }
    noteGroup(segments, replay.voidFrom, replay.groupLastIndex);
  });
}

/** A commit index may be written before the entries it counts: it means those that are here. */
function withinLog(replay: Replay): HardState {
  const { term, vote, commit } = replay.hardState;
  const known = Math.max(replay.base.index, Math.min(commit, replay.lastIndex));
  return { term, vote, commit: known };
}

/**
 * Makes the newest segment fit to go on with: its name and its last group stable, zeros behind it.
 * The last group is written again as it is: after a failed sync the kernel may hold pages it
 * believes clean, so a sync alone would promise nothing.
 */
function mendEnd(
  disk: Disk,
  directory: string,
  segments: Segment[],
  last: Last,
  tail: SegmentTail,
): LogEnd {
  const { end, lastOffset, nextGroup } = last.extent;
  const { length } = last.bytes;
  const allocatedBytes = Math.ceil(Math.max(end, length) / WAL_EXTEND_BYTES) * WAL_EXTEND_BYTES;
  const zeroFrom = Math.min(end, length);
  const zeroTo = tail.isRagged ? allocatedBytes : end + tail.droppedBytes;

  disk.syncDirectoryNow(directory);
  const file = disk.openNow(last.path);
  const lastGroup = last.bytes.subarray(lastOffset, zeroFrom);
  disk.writeNow(file, [lastGroup, ...zeroPieces(zeroTo - zeroFrom)], lastOffset);
  return {
    segments,
    file,
    salt: last.head.salt,
    offset: end,
    allocatedBytes,
    nextGroup,
  };
}

/** Reads a file whole, into `scratch` if it fits: fresh memory costs more than the read. */
function readFile(disk: Disk, path: string, scratch: Buffer): Buffer {
  const file = disk.openNow(path);
  try {
    const sizeBytes = disk.sizeNow(file);
    const target = scratch.length < sizeBytes ? Buffer.allocUnsafe(sizeBytes) : scratch;
    return target.subarray(0, disk.readNow(file, target.subarray(0, sizeBytes), 0));
  } finally {
    disk.closeNow(file);
  }
}
