/**
 * The four roles and every way from one to another (thesis figure 3.3, with 9.6's pre-candidate).
 *
 *              timeout, hint              majority would vote
 *   Follower ----------------> PreCandidate ----------------> Candidate
 *      ^  ^                         |                          |    | majority voted
 *      |  +---- leader, loss -------+----- leader, loss -------+    v
 *      +------------ later term, no quorum heard ---------------- Leader
 *
 * A transition leaves nothing of the old role behind: votes, transfer and waiting reads end here.
 */

import type { NodeId, Term } from '../../../include/node.ts';
import { NO_NODE, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { countOwnCopy } from './commit.ts';
import { lastIndexOf } from './log.ts';
import { resetProgress } from './progress.ts';
import { openTerm } from './propose.ts';
import { refuseReads } from './read-index.ts';
import type { Raft } from './state.ts';
import { drawElectionTimeout } from './state.ts';

/** Follows `leader`, or nobody yet, in `term`. */
export function becomeFollower(raft: Raft, term: Term, leader: NodeId, reason: string): void {
  assert(term >= raft.term, 'terms never fall', term, raft.term);
  assert(leader !== raft.id, 'nobody follows himself', raft.id);
  const isNewTerm = term > raft.term;
  const isNewRole = raft.role !== Role.Follower;
  if (isNewTerm) {
    raft.term = term;
    raft.vote = NO_NODE;
  }
  if (isNewRole) enterRole(raft, Role.Follower, reason);
  if (isNewTerm || isNewRole) refuseReads(raft);
  // Whoever led before leads anew in a new term, if at all: that is worth an event.
  if (isNewTerm && raft.leader === leader) raft.leader = NO_NODE;
  followLeader(raft, leader);
}

/** Notes who leads. A leader heard of ends any haste. */
export function followLeader(raft: Raft, leader: NodeId): void {
  if (leader !== NO_NODE) raft.electionElapsedTicks = 0;
  if (raft.leader === leader) return;
  refuseReads(raft);
  setLeader(raft, leader);
  if (leader === NO_NODE) return;
  raft.hastyCampaignsLeft = 0;
  drawElectionTimeout(raft);
}

/** Asks whether an election could be won; term and vote stay (thesis 9.6). */
export function becomePreCandidate(raft: Raft, reason: string): void {
  assert(raft.role !== Role.Leader, 'a leader does not campaign', raft.term);
  enterRole(raft, Role.PreCandidate, reason);
  refuseReads(raft);
  setLeader(raft, NO_NODE);
}

/** Campaigns in a new term, with a vote for itself that counts once it is on disk. */
export function becomeCandidate(raft: Raft, reason: string): void {
  assert(raft.role !== Role.Leader, 'a leader does not campaign', raft.term);
  raft.term += 1;
  raft.vote = raft.id;
  enterRole(raft, Role.Candidate, reason);
  refuseReads(raft);
  setLeader(raft, NO_NODE);
}

/** Leads, from a won election. */
export function becomeLeader(raft: Raft): void {
  assert(raft.role === Role.Candidate, 'only a candidate becomes leader', raft.role);
  assert(raft.vote === raft.id, 'a leader voted for itself', raft.vote);
  enterRole(raft, Role.Leader, 'a majority voted for it');
  setLeader(raft, raft.id);
  raft.hastyCampaignsLeft = 0;
  raft.heartbeatElapsedTicks = 0;
  const lastIndex = lastIndexOf(raft.log);
  for (const progress of raft.progress.values()) resetProgress(progress, lastIndex);
  const own = raft.progress.get(raft.id);
  if (own !== undefined) own.isActive = true;
  openTerm(raft);
  countOwnCopy(raft);
}

function enterRole(raft: Raft, role: Role, reason: string): void {
  raft.role = role;
  raft.votes.clear();
  raft.transferTarget = NO_NODE;
  raft.transferElapsedTicks = 0;
  raft.areAppendsDue = false;
  raft.uncommittedBytes = 0;
  raft.electionElapsedTicks = 0;
  drawElectionTimeout(raft);
  raft.outbox.events.push({ kind: 'role', role, term: raft.term, reason });
}

function setLeader(raft: Raft, leader: NodeId): void {
  if (raft.leader === leader) return;
  raft.leader = leader;
  raft.outbox.events.push({ kind: 'leader', leader, term: raft.term });
}
