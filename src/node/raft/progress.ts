/**
 * What a leader knows of one member, and how fast it may send to it.
 *
 *             success                        entries wanted are compacted
 *   Probe ----------------> Replicate          (from Probe or Replicate)
 *     ^  <----------------                     ----------------------> Snapshot
 *     |    refusal, loss                                                  |
 *     +-------------------------------------------------------------------+
 *             snapshot sent, failed, or overtaken by an acknowledgement
 *
 * Probe: the place where the logs agree is unknown, one Append at a time finds it. Replicate: it is
 * known, Appends are pipelined up to the window (thesis 10.2.1). Snapshot: nothing is sent.
 *
 * Invariants: match < next; the window is empty unless Replicate.
 *
 * From its snapshot on, until it has caught up or is lost, the log that a member still needs is
 * kept for it: writes go on while a large snapshot travels, and without what they added it would
 * only need another.
 */

import type { LogIndex, NodeId } from '../../../include/node.ts';
import { ProgressState } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import type { Inflights } from './inflights.ts';
import { checkInflights, clearInflights, createInflights } from './inflights.ts';

/** One member as its leader sees it. A leader keeps one of itself too. */
export type Progress = {
  readonly id: NodeId;
  isLearner: boolean;
  state: ProgressState;
  /** The highest index known to be on the member's disk. */
  match: LogIndex;
  /** The next index to be sent. */
  next: LogIndex;
  /** In Probe: one Append is out, the next waits for a reply to it or to a heartbeat. */
  isProbeSent: boolean;
  /** One Append is owed even if it carries nothing new: it finds out what was lost. */
  isAppendOwed: boolean;
  /** The commit index last sent. */
  commitSent: LogIndex;
  /** An AppendReply came since the last heartbeat tick: nothing is stuck. */
  hasReplied: boolean;
  /** Heard from since the last check of the quorum. */
  isActive: boolean;
  /** The newest read sequence echoed (thesis 6.4). */
  readEcho: number;
  /** The log behind it is kept for the member, which catches up from a snapshot; or NOT_KEPT. */
  keptFrom: LogIndex;
  readonly inflights: Inflights;
};

/** No log is kept for a member. */
export const NOT_KEPT = Number.POSITIVE_INFINITY;

/** Makes the progress of a member of which nothing is known. */
export function createProgress(
  id: NodeId,
  inflightMessagesMax: number,
  inflightBytesMax: number,
): Progress {
  return {
    id,
    isLearner: false,
    state: ProgressState.Probe,
    match: 0,
    next: 1,
    isProbeSent: false,
    isAppendOwed: false,
    commitSent: 0,
    hasReplied: false,
    isActive: false,
    readEcho: 0,
    keptFrom: NOT_KEPT,
    inflights: createInflights(inflightMessagesMax, inflightBytesMax),
  };
}

/** Forgets everything: a new leader begins, optimistic that logs agree up to its last entry. */
export function resetProgress(progress: Progress, lastIndex: LogIndex): void {
  progress.state = ProgressState.Probe;
  progress.match = 0;
  progress.next = lastIndex + 1;
  progress.isProbeSent = false;
  progress.isAppendOwed = false;
  progress.commitSent = 0;
  progress.hasReplied = false;
  progress.isActive = false;
  progress.readEcho = 0;
  progress.keptFrom = NOT_KEPT;
  clearInflights(progress.inflights);
}

/** Falls back to finding where the logs agree, from behind what is certain. */
export function becomeProbe(progress: Progress, next: LogIndex): void {
  progress.state = ProgressState.Probe;
  progress.next = Math.max(next, progress.match + 1);
  progress.isProbeSent = false;
  progress.isAppendOwed = false;
  clearInflights(progress.inflights);
}

/** Starts to pipeline: the logs agree up to match. */
export function becomeReplicate(progress: Progress): void {
  progress.state = ProgressState.Replicate;
  progress.next = progress.match + 1;
  progress.isProbeSent = false;
  clearInflights(progress.inflights);
}

/** Stops sending until a snapshot is through. @param startIndex where the log begins */
export function becomeSnapshot(progress: Progress, startIndex: LogIndex): void {
  progress.state = ProgressState.Snapshot;
  progress.keptFrom = startIndex;
  progress.isProbeSent = false;
  progress.isAppendOwed = false;
  clearInflights(progress.inflights);
}

/** Takes in that everything up to `index` is on the member's disk; whether that is news. */
export function advanceMatch(progress: Progress, index: LogIndex): boolean {
  if (index >= progress.next) progress.next = index + 1;
  if (index <= progress.match) return false;
  progress.match = index;
  if (progress.keptFrom < index) progress.keptFrom = index;
  return true;
}

/**
 * Takes in a refusal: the member does not have what comes before the entry after `refused`.
 *
 * @param hint the highest index that may match, as far as both sides know
 * @returns false for an old refusal, overtaken by what is known since
 */
export function retreat(progress: Progress, refused: LogIndex, hint: LogIndex): boolean {
  if (progress.state === ProgressState.Snapshot) return false;
  if (progress.state === ProgressState.Replicate) {
    if (refused <= progress.match || refused >= progress.next) return false;
    becomeProbe(progress, progress.match + 1);
    return true;
  }
  if (refused !== progress.next - 1) return false;
  progress.next = Math.max(Math.min(refused, hint + 1), progress.match + 1);
  progress.isProbeSent = false;
  return true;
}

/** Asserts the invariants above. */
export function checkProgress(progress: Progress, lastIndex: LogIndex): void {
  const { match, next, state, inflights } = progress;
  assert(match < next, 'what is known is not sent again', match, next);
  assert(match <= lastIndex, 'a member has no more than its leader', match, lastIndex);
  assert(next <= lastIndex + 1, 'the next entry is at most one behind the last', next, lastIndex);
  const isPipelined = state === ProgressState.Replicate;
  assert(isPipelined || inflights.count === 0, 'only pipelined Appends are on the way', state);
  checkInflights(inflights);
}
