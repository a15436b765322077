/**
 * What a leader does with what members answer: acknowledgements move match and commit indexes,
 * refusals find where logs agree, echoes confirm reads (thesis 3.5, 3.6.2, 6.4).
 */

import type { Message } from '../../../include/node.ts';
import { MessageType, ProgressState, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { advanceCommit } from './commit.ts';
import { freeInflights } from './inflights.ts';
import { lastIndexOf, lastIndexWithin } from './log.ts';
import type { Progress } from './progress.ts';
import { advanceMatch, becomeReplicate, NOT_KEPT, retreat } from './progress.ts';
import { confirmRound, takeRemoteRead } from './read-index.ts';
import type { Raft } from './state.ts';
import { continueTransfer } from './transfer.ts';

/** Handles a message of a member in the current term. */
export function stepLeader(raft: Raft, message: Message): void {
  assert(raft.role === Role.Leader, 'a leader leads', raft.role);
  const progress = raft.progress.get(message.from);
  if (progress === undefined) return;
  if (!progress.isActive) {
    progress.isActive = true;
    raft.areAppendsDue = true; // A snapshot may have waited for this.
  }
  switch (message.type) {
    case MessageType.AppendReply:
      progress.hasReplied = true;
      if (message.reject) handleRefusal(raft, progress, message);
      else handleAcknowledgement(raft, progress, message);
      return;
    case MessageType.HeartbeatReply:
      handleHeartbeatReply(raft, progress, message);
      return;
    case MessageType.ReadIndex:
      takeRemoteRead(raft, message);
      return;
  }
}

function handleAcknowledgement(raft: Raft, progress: Progress, message: Message): void {
  const { index } = message;
  if (index > lastIndexOf(raft.log)) return;
  const isNews = advanceMatch(progress, index);
  if (progress.match >= raft.log.commitIndex) progress.keptFrom = NOT_KEPT;
  switch (progress.state) {
    case ProgressState.Probe:
      if (isNews || index === progress.match) becomeReplicate(progress);
      break;
    case ProgressState.Snapshot:
      if (progress.match >= raft.log.startIndex) becomeReplicate(progress);
      break;
    case ProgressState.Replicate:
      freeInflights(progress.inflights, index);
      break;
  }
  raft.areAppendsDue = true;
  if (!isNews) return;
  if (!progress.isLearner) advanceCommit(raft);
  continueTransfer(raft, progress);
}

/**
 * The member's hint skips terms of its log that ours lacks; looking the hint's term up here skips
 * terms of ours that its log lacks.
 */
function handleRefusal(raft: Raft, progress: Progress, message: Message): void {
  const { log } = raft;
  const hint =
    message.hint <= log.startIndex
      ? message.hint
      : lastIndexWithin(log, log.startIndex, message.hint, message.logTerm);
  if (retreat(progress, message.index, hint)) raft.areAppendsDue = true;
}

function handleHeartbeatReply(raft: Raft, progress: Progress, message: Message): void {
  // Silence since the last tick: Appends or their replies were lost, and with a full window or a
  // probe out nothing would ever move again. One Append finds out.
  const isBehind = progress.match < lastIndexOf(raft.log);
  const isProbing = progress.state === ProgressState.Probe;
  if (!progress.hasReplied && (isBehind || isProbing)) {
    progress.isProbeSent = false;
    progress.isAppendOwed = true;
    raft.areAppendsDue = true;
  }
  continueTransfer(raft, progress);
  if (message.context <= progress.readEcho || message.context > raft.reads.sequence) return;
  progress.readEcho = message.context;
  confirmRound(raft);
}
