/**
 * Time, as the core knows it: the loop calls tick at a steady pace.
 *
 * A leader sends heartbeats and checks that a majority answers (check-quorum: thesis 6.2, a leader
 * cut off steps down so that its clients look elsewhere). Everyone else waits for a leader to fall
 * silent (3.4).
 */

import { NO_NODE, ProgressState, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { startPreVote } from './election.ts';
import { NOT_KEPT, type Progress } from './progress.ts';
import { agreedValue } from './quorum.ts';
import { tickReads } from './read-index.ts';
import { oweCommit, sendHeartbeat } from './replicate.ts';
import { becomeFollower, followLeader } from './role.ts';
import type { Raft } from './state.ts';
import { drawElectionTimeout, mayCampaign } from './state.ts';
import { tickTransfer } from './transfer.ts';

/** Counts one tick. */
export function tick(raft: Raft): void {
  if (raft.role === Role.Leader) {
    tickLeader(raft);
  } else {
    tickReads(raft);
    tickElection(raft);
  }
}

function tickElection(raft: Raft): void {
  assert(raft.role !== Role.Leader, 'a leader counts heartbeats', raft.id, raft.term);
  raft.electionElapsedTicks += 1;
  if (raft.electionElapsedTicks < raft.electionTimeoutTicks) return;
  if (mayCampaign(raft)) {
    startPreVote(raft, 'no leader was heard of');
    return;
  }

  // A learner cannot win and must not disturb; it only stops asking a leader that is gone.
  raft.electionElapsedTicks = 0;
  drawElectionTimeout(raft);
  followLeader(raft, NO_NODE);
}

function tickLeader(raft: Raft): void {
  raft.electionElapsedTicks += 1;
  if (raft.electionElapsedTicks >= raft.settings.electionTicks) {
    raft.electionElapsedTicks = 0;
    if (!checkQuorum(raft)) {
      becomeFollower(raft, raft.term, NO_NODE, 'no majority was heard of');
      return;
    }
  }
  tickTransfer(raft);
  for (const progress of raft.others) oweCommit(raft, progress);
  raft.heartbeatElapsedTicks += 1;
  if (raft.heartbeatElapsedTicks < raft.settings.heartbeatTicks) return;
  raft.heartbeatElapsedTicks = 0;
  for (const progress of raft.others) {
    progress.hasReplied = false;
    sendHeartbeat(raft, progress);
  }
}

/** Whether a majority was heard of since the last check; begins to listen anew. */
function checkQuorum(raft: Raft): boolean {
  const isHeard = agreedValue(raft.voters, raft.outgoing, activityOf) >= 1;
  for (const progress of raft.others) {
    // Of a snapshot on its way the sender says what becomes of it.
    const isSilent = !progress.isActive && progress.state !== ProgressState.Snapshot;
    if (isSilent) progress.keptFrom = NOT_KEPT;
    progress.isActive = false;
  }
  return isHeard;
}

function activityOf(progress: Progress): number {
  return progress.isActive ? 1 : 0;
}
