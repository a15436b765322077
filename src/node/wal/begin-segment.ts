/**
 * The first bytes of a segment: its head, the opening group that repeats what older segments say,
 * and zeros. With them a segment stands on its own, and older ones can go.
 */

import { join } from 'node:path';
import {
  type HardState,
  type LogIndex,
  type SnapshotMeta,
  WAL_BLOCK_BYTES,
} from '../../../include/node.ts';
import type { Disk, FileId } from '../disk.ts';
import { addMarker, allocatedAfter, createGroup, sealGroup } from './group.ts';
import { GroupFlag, groupBytes } from './group-header.ts';
import { MarkerKind } from './records.ts';
import {
  encodeSegmentHead,
  SEGMENT_DRAFT_NAME,
  type SegmentHead,
  segmentName,
} from './segment-head.ts';

/** What the log says where a segment begins. */
export type LogState = {
  readonly hardState: HardState;
  readonly base: SnapshotMeta;
  readonly lastIndex: LogIndex;
};

/** The first bytes of a segment, and how far they reach. */
export type SegmentBeginning = {
  readonly pieces: readonly Buffer[];
  /** Where the next group goes. */
  readonly end: number;
  readonly allocatedBytes: number;
};

/** A segment that is whole and has its name. */
export type MadeSegment = {
  readonly head: SegmentHead;
  readonly path: string;
  readonly file: FileId;
  readonly beginning: SegmentBeginning;
};

/** Makes a segment beside a running log: written as a draft, named when it is whole. */
export function makeSegment(
  disk: Disk,
  directory: string,
  head: SegmentHead,
  state: LogState,
  done: (error: Error | null, made: MadeSegment) => void,
): void {
  const beginning = beginSegment(head, state);
  const path = join(directory, segmentName(head.sequence, head.firstIndex));
  const draft = join(directory, SEGMENT_DRAFT_NAME);
  disk.create(draft, (createError, file) => {
    const made: MadeSegment = { head, path, file, beginning };
    if (createError !== null) return done(createError, made);
    disk.write(file, beginning.pieces, 0, (writeError) => {
      if (writeError !== null) return done(writeError, made);
      disk.rename(draft, path, (renameError) => done(renameError, made));
    });
  });
}

/** Makes the first segment of a log, as makeSegment does, while a node starts. */
export function makeSegmentNow(
  disk: Disk,
  directory: string,
  head: SegmentHead,
  state: LogState,
): MadeSegment {
  const beginning = beginSegment(head, state);
  const path = join(directory, segmentName(head.sequence, head.firstIndex));
  const draft = join(directory, SEGMENT_DRAFT_NAME);
  const file = disk.createNow(draft);
  disk.writeNow(file, beginning.pieces, 0);
  disk.renameNow(draft, path);
  return { head, path, file, beginning };
}

function beginSegment(head: SegmentHead, state: LogState): SegmentBeginning {
  const group = createGroup();
  addMarker(group, MarkerKind.Cut, state.base);
  const end = WAL_BLOCK_BYTES + groupBytes(group.payloadBytes);
  const pieces = sealGroup(group, {
    group: head.firstGroup,
    flags: GroupFlag.Opening,
    hardState: state.hardState,
    offset: WAL_BLOCK_BYTES,
    salt: head.salt,
    allocatedBytes: 0,
  });
  return {
    pieces: [encodeSegmentHead(head), ...pieces],
    end,
    allocatedBytes: allocatedAfter(end, 0),
  };
}
