/**
 * Dropping entries from memory (thesis 5.1). Only what is applied, committed and on disk goes;
 * a member that needs what is gone gets a snapshot. The file on disk is the loop's to cut.
 */

import type { LogIndex } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { forgetBefore } from './configurations.ts';
import { dropUpTo, entryAt, sizeOf } from './log.ts';
import { NOT_KEPT } from './progress.ts';
import type { Raft } from './state.ts';

/** Drops entries up to `index`, as far as they may go. */
export function compact(raft: Raft, index: LogIndex): void {
  const reachable = Math.min(index, droppableIndex(raft));
  if (reachable > raft.log.startIndex) drop(raft, reachable);
}

/** How much of the log stays in memory. */
export type CompactionLimits = {
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** While members catch up from a snapshot, what they need stays up to this. */
  readonly catchUpBytesMax: number;
};

/**
 * Drops the oldest entries, as far as they may go, until the limits hold.
 *
 * @param indexMax nothing behind it is dropped: what the store has made durable
 */
export function compactTo(raft: Raft, limits: CompactionLimits, indexMax: LogIndex): void {
  const { entriesMax, bytesMax, catchUpBytesMax } = limits;
  assert(entriesMax >= 0, 'a count is no debt', entriesMax);
  const { log } = raft;
  const reachable = Math.min(droppableIndex(raft), indexMax);
  const kept = keptFrom(raft);
  let index = log.startIndex;
  let count = log.entries.length - log.head;
  let sizeBytes = log.sizeBytes;
  while (index < reachable && (count > entriesMax || sizeBytes > bytesMax)) {
    if (index >= kept && sizeBytes <= catchUpBytesMax) break;
    index += 1;
    count -= 1;
    sizeBytes -= sizeOf(entryAt(log, index));
  }
  if (index > log.startIndex) drop(raft, index);
}

function drop(raft: Raft, index: LogIndex): void {
  dropUpTo(raft.log, index);
  forgetBefore(raft.configurations, index);
}

/** The first of the places behind which the log is kept for members that catch up. */
function keptFrom(raft: Raft): LogIndex {
  let index = NOT_KEPT;
  for (const progress of raft.others) index = Math.min(index, progress.keptFrom);
  return index;
}

function droppableIndex(raft: Raft): LogIndex {
  const { log, writes } = raft;
  return Math.min(log.handedOutIndex, log.commitIndex, writes.persistedIndex);
}
