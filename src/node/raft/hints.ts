/**
 * What the loop may tell the core about connections. All hints are harmless when false: they change
 * when something is asked, never what is answered.
 *
 * A lost leader. When its process dies its connections break at once. A follower told so forgets
 * that it heard a leader, so that it votes for others, and asks for pre-votes after a delay by
 * rank: its place, by id, among the voters not known to be lost. The first asks at once; the others
 * come in lostLeaderStaggerTicks after each other, so that they rarely compete, and only if those
 * before them failed.
 *
 * A campaign that the hint began may fail because others have not noticed yet, because the
 * candidate's log is behind, or because votes split. It is then repeated after a random delay of
 * one to 1 + voters staggers instead of an election timeout. This cannot go on for ever: after
 * HASTY_CAMPAIGNS_MAX campaigns, after a vote for another, and when a leader is heard of, ordinary
 * timeouts are back, and with them the liveness of ordinary Raft. It cannot unseat a leader that
 * works either: those who hear from it refuse (election.ts), and a pre-vote changes no term.
 *
 * A cluster that starts. Members that can reach a majority need not wait a whole timeout for a
 * leader that cannot be: electSoon, by the same ranks and with the same bounds.
 */

import type { NodeId } from '../../../include/node.ts';
import { HASTY_CAMPAIGNS_MAX, NO_NODE, ProgressState, Role } from '../../../include/node.ts';
import { startPreVote } from './election.ts';
import { lastIndexOf } from './log.ts';
import type { Progress } from './progress.ts';
import { becomeProbe, NOT_KEPT } from './progress.ts';
import { refuseRunning } from './read-index.ts';
import { followLeader } from './role.ts';
import type { Raft } from './state.ts';
import { mayCampaign } from './state.ts';
import { abortTransfer } from './transfer.ts';

/** The connection to `id` broke, or cannot be made. */
export function peerLost(raft: Raft, id: NodeId): void {
  const progress = raft.progress.get(id);
  if (progress === undefined || id === raft.id) return;
  raft.lostPeers.add(id);
  if (raft.role === Role.Leader) {
    loseFollower(raft, progress);
  } else if (raft.leader === id) {
    loseLeader(raft);
  }
}

/** Messages to `id` may have been dropped, though the connection stands or is new. */
export function peerUnreachable(raft: Raft, id: NodeId): void {
  if (raft.role !== Role.Leader) {
    // The question for a read index may be among them.
    if (raft.leader === id && raft.reads.running.length > 0) refuseRunning(raft);
    return;
  }
  const progress = raft.progress.get(id);
  if (progress === undefined || id === raft.id) return;
  if (progress.state === ProgressState.Replicate) becomeProbe(progress, progress.match + 1);
}

/**
 * The snapshot that snapshotsWanted asked for is through, or has failed.
 *
 * @param ok whether `to` has it whole; if not, it is asked for again when `to` is heard of
 * @param index the snapshot's index
 */
export function snapshotSent(raft: Raft, to: NodeId, ok: boolean, index: number): void {
  const progress = raft.progress.get(to);
  if (raft.role !== Role.Leader || progress === undefined) return;
  if (progress.state !== ProgressState.Snapshot) return;
  const sentIndex = ok ? Math.min(index, lastIndexOf(raft.log)) : 0;
  if (!ok) progress.keptFrom = NOT_KEPT;
  becomeProbe(progress, sentIndex + 1);
  // Its acknowledgement or the next heartbeat's reply goes on from here.
  progress.isProbeSent = true;
}

/**
 * A majority can be reached and, since this member started, no leader was heard of: an election
 * need not wait a whole timeout. A leader that there is gets one heartbeat's time to be heard of
 * first. To be called once a start: each call allows another series of hasty campaigns.
 */
export function electSoon(raft: Raft): void {
  if (raft.role !== Role.Follower || raft.leader !== NO_NODE || !mayCampaign(raft)) return;
  if (raft.hastyCampaignsLeft > 0) return;
  const { heartbeatTicks, lostLeaderStaggerTicks } = raft.settings;
  const isAlone = raft.others.length === 0;
  raft.hastyCampaignsLeft = HASTY_CAMPAIGNS_MAX;
  raft.electionElapsedTicks = 0;
  raft.electionTimeoutTicks = isAlone
    ? 1
    : heartbeatTicks + 1 + rankOf(raft) * lostLeaderStaggerTicks;
}

function loseFollower(raft: Raft, progress: Progress): void {
  progress.isActive = false;
  if (progress.state !== ProgressState.Snapshot) {
    becomeProbe(progress, progress.match + 1);
    progress.keptFrom = NOT_KEPT;
  }
  if (raft.transferTarget === progress.id) abortTransfer(raft, 'the target was lost');
}

function loseLeader(raft: Raft): void {
  followLeader(raft, NO_NODE);
  if (!mayCampaign(raft)) return;
  raft.hastyCampaignsLeft = HASTY_CAMPAIGNS_MAX;
  const rank = rankOf(raft);
  if (rank === 0) {
    startPreVote(raft, 'the leader was lost');
    return;
  }
  raft.electionElapsedTicks = 0;
  raft.electionTimeoutTicks = rank * raft.settings.lostLeaderStaggerTicks;
}

/** This member's place by id among the voters not known to be lost. */
function rankOf(raft: Raft): number {
  let rank = 0;
  for (const voter of raft.voters) {
    if (voter.id < raft.id && !raft.lostPeers.has(voter.id)) rank += 1;
  }
  return rank;
}
