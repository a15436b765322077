/**
 * What a log says, rebuilt group by group.
 *
 * Invariant: `entries` are those from `firstIndex` to `lastIndex`, without a gap. Until the end of
 * the replay `firstIndex` may lie beyond the marker: the oldest segments are gone, and a later
 * marker must then say that they were not needed.
 */

import type { Entry, HardState, LogIndex, SnapshotMeta } from '../../../include/node.ts';
import { GroupFlag, type GroupHeader } from './group-header.ts';
import { decodeRecords, MarkerKind, type RecordFault, type RecordVisitor } from './records.ts';

/** A log as far as it was read. */
export type Replay = {
  hardState: HardState;
  base: SnapshotMeta;
  firstIndex: LogIndex;
  lastIndex: LogIndex;
  entries: Entry[];
  /** What the last group did, as in Group: for the segments' accounts. */
  voidFrom: LogIndex;
  groupLastIndex: LogIndex;
};

/** Makes the state before the first group; the oldest segment's opening group fills it in. */
export function createReplay(hardState: HardState, base: SnapshotMeta): Replay {
  return {
    hardState,
    base,
    firstIndex: 0,
    lastIndex: -1,
    entries: [],
    voidFrom: Number.POSITIVE_INFINITY,
    groupLastIndex: -1,
  };
}

/**
 * Replays one group.
 *
 * @param firstIndex the first index that the segment's head names
 * @returns what cannot be, with its offset in the payload; undefined when all is well
 */
export function replayGroup(
  replay: Replay,
  header: GroupHeader,
  payload: Buffer,
  firstIndex: LogIndex,
): RecordFault | undefined {
  const { hardState } = header;
  if (hardState.term < replay.hardState.term) {
    return { offset: 0, why: `term ${hardState.term} after term ${replay.hardState.term}` };
  }
  replay.hardState = hardState;
  replay.voidFrom = Number.POSITIVE_INFINITY;
  replay.groupLastIndex = -1;
  const isOpening = (header.flags & GroupFlag.Opening) !== 0;
  return decodeRecords(payload, isOpening ? opening(replay, firstIndex) : following(replay));
}

/** The opening group of a segment repeats the newest marker; between segments both must agree. */
function opening(replay: Replay, firstIndex: LogIndex): RecordVisitor {
  return {
    entry: () => 'an entry in an opening group',
    marker: (_kind, meta) => {
      if (replay.lastIndex < 0) {
        replay.base = meta;
        replay.firstIndex = firstIndex;
        replay.lastIndex = firstIndex - 1;
        return undefined;
      }
      if (firstIndex !== replay.lastIndex + 1) {
        return `a segment from index ${firstIndex} on, though the log ends at ${replay.lastIndex}`;
      }
      if (meta.index === replay.base.index && meta.term === replay.base.term) return undefined;
      return `a repeated marker for index ${meta.index}, the log's is for ${replay.base.index}`;
    },
  };
}

function following(replay: Replay): RecordVisitor {
  return {
    entry: (entry) => replayEntry(replay, entry),
    marker: (kind, meta) =>
      kind === MarkerKind.Anew ? replayAnew(replay, meta) : replayCut(replay, meta),
  };
}

function replayEntry(replay: Replay, entry: Entry): string | undefined {
  const { index } = entry;
  if (index <= replay.base.index) return `entry ${index} below the marker ${replay.base.index}`;
  if (index > replay.lastIndex + 1) return `entry ${index} behind entry ${replay.lastIndex}`;
  if (index <= replay.firstIndex) {
    replay.entries.length = 0;
    replay.firstIndex = index;
  } else if (index <= replay.lastIndex) {
    replay.entries.length = index - replay.firstIndex;
  }
  replay.entries.push(entry);
  replay.lastIndex = index;
  replay.voidFrom = Math.min(replay.voidFrom, index);
  replay.groupLastIndex = index;
  return undefined;
}

function replayAnew(replay: Replay, meta: SnapshotMeta): string | undefined {
  if (meta.index < replay.base.index) return `a marker ${meta.index} below ${replay.base.index}`;
  replay.base = meta;
  replay.entries = [];
  replay.firstIndex = meta.index + 1;
  replay.lastIndex = meta.index;
  replay.voidFrom = 0;
  replay.groupLastIndex = meta.index;
  return undefined;
}

function replayCut(replay: Replay, meta: SnapshotMeta): string | undefined {
  if (meta.index < replay.base.index || meta.index > replay.lastIndex) {
    return `a marker ${meta.index}, outside ${replay.base.index} to ${replay.lastIndex}`;
  }
  const last = replay.entries[meta.index - replay.firstIndex];
  if (last !== undefined) {
    if (last.term !== meta.term) return `a marker of term ${meta.term} for term ${last.term}`;
    replay.entries = replay.entries.slice(meta.index - replay.firstIndex + 1);
    replay.firstIndex = meta.index + 1;
  }
  replay.base = meta;
  return undefined;
}
