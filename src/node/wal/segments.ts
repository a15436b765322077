/**
 * The segments of a log, oldest first, and which of them are still needed.
 *
 * Invariant: `lastIndex` of a segment is not below the highest index of an entry in it that no
 * later entry or marker has made void. A segment may go when that is not above the newest marker
 * and when all older ones are gone: what is left is always a run without gaps.
 */

import type { LogIndex, SnapshotMeta } from '../../../include/node.ts';

/** One segment. */
export type Segment = {
  readonly sequence: number;
  readonly path: string;
  lastIndex: LogIndex;
};

/** Notes what a group in the newest segment did to the log. Fields as in Group. */
export function noteGroup(
  segments: readonly Segment[],
  voidFrom: LogIndex,
  lastIndex: LogIndex,
): void {
  for (const segment of segments) {
    if (segment.lastIndex >= voidFrom) segment.lastIndex = Math.max(0, voidFrom - 1);
  }
  const newest = segments.at(-1);
  if (newest !== undefined && lastIndex > newest.lastIndex) newest.lastIndex = lastIndex;
}

/** The oldest segment, when nothing in it is needed. */
export function removableSegment(
  segments: readonly Segment[],
  base: SnapshotMeta,
): Segment | undefined {
  const oldest = segments[0];
  if (segments.length < 2 || oldest === undefined) return undefined;
  return oldest.lastIndex <= base.index ? oldest : undefined;
}
