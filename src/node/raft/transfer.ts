/**
 * Handing leadership over (thesis 3.10): the leader takes no more proposals, waits until the target
 * has its whole log, and tells it to campaign at once. The target's votes are asked with
 * CONTEXT_TRANSFER, so that those who still hear the old leader answer too.
 *
 * It ends with a later term, or after an election timeout with the event transfer-aborted. Should
 * the target win after that, it is an election like any other.
 */

import type { NodeId } from '../../../include/node.ts';
import { MessageType, NO_NODE, Role, TransferResult } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { lastIndexOf } from './log.ts';
import { draft, post } from './message.ts';
import type { Progress } from './progress.ts';
import type { Raft } from './state.ts';

/** Starts to hand leadership to `target`; a transfer to another member under way is aborted. */
export function transferLeader(raft: Raft, target: NodeId): TransferResult {
  if (raft.role !== Role.Leader) return TransferResult.NotLeader;
  if (target === raft.id) return TransferResult.AlreadyLeader;
  const progress = raft.progress.get(target);
  if (progress === undefined) return TransferResult.UnknownTarget;
  if (progress.isLearner) return TransferResult.LearnerTarget;
  if (raft.transferTarget === target) return TransferResult.Accepted;

  if (raft.transferTarget !== NO_NODE) abortTransfer(raft, 'another target was chosen');
  raft.transferTarget = target;
  raft.transferElapsedTicks = 0;
  progress.isAppendOwed = true; // Finds out at once whether anything was lost on the way.
  raft.areAppendsDue = true;
  continueTransfer(raft, progress);
  return TransferResult.Accepted;
}

/** Sends the order if `progress` is the target's and it has caught up; harmless if it had it. */
export function continueTransfer(raft: Raft, progress: Progress): void {
  if (progress.id !== raft.transferTarget) return;
  if (progress.match !== lastIndexOf(raft.log)) return;
  post(raft, draft(raft, MessageType.TimeoutNow, progress.id));
}

/** Counts a tick of a transfer under way. */
export function tickTransfer(raft: Raft): void {
  if (raft.transferTarget === NO_NODE) return;
  raft.transferElapsedTicks += 1;
  if (raft.transferElapsedTicks >= raft.settings.electionTicks) {
    abortTransfer(raft, 'the target did not take over within an election timeout');
  }
}

/** Goes on leading. */
export function abortTransfer(raft: Raft, reason: string): void {
  assert(raft.transferTarget !== NO_NODE, 'a transfer is under way', raft.id);
  raft.outbox.events.push({ kind: 'transfer-aborted', target: raft.transferTarget, reason });
  raft.transferTarget = NO_NODE;
  raft.transferElapsedTicks = 0;
}
