/**
 * The first bytes of a segment: its head, the opening group that repeats what older segments say, and
 * zeros. With them a segment stands on its own, and older ones can go.
 */

import {
  type HardState,
  type LogIndex,
  type SnapshotMeta,
  WAL_BLOCK_BYTES,
} from '../../../include/node.ts';
import { addMarker, allocatedAfter, createGroup, sealGroup } from './group.ts';
import { GroupFlag, groupBytes } from './group-header.ts';
import { MarkerKind } from './records.ts';
import { encodeSegmentHead, type SegmentHead } from './segment-head.ts';

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

/** Encodes the beginning of a segment. */
export function beginSegment(head: SegmentHead, state: LogState): SegmentBeginning {
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
