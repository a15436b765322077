/**
 * Elections (thesis 3.4, 3.6.1), asked beforehand as pre-votes (9.6) so that a member that cannot
 * win does not disturb, and refused while a leader is heard of (4.2.3, check-quorum).
 *
 * A vote is given to one candidate a term, whose log is at least as up to date as the voter's.
 */

import type { Message, NodeId } from '../../../include/node.ts';
import { MessageType, NO_NODE, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { lastIndexOf, lastTermOf } from './log.ts';
import { draft, post } from './message.ts';
import { Verdict, verdictOf } from './quorum.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './role.ts';
import type { Raft } from './state.ts';
import { drawElectionTimeout, mayCampaign } from './state.ts';

/** The context of a Vote whose candidate was told to campaign by the leader (thesis 3.10). */
export const CONTEXT_TRANSFER = 1;

/** Asks the voters whether they would vote for this one. */
export function startPreVote(raft: Raft, reason: string): void {
  assert(mayCampaign(raft), 'only voters campaign', raft.id);
  if (raft.hastyCampaignsLeft > 0) raft.hastyCampaignsLeft -= 1;
  becomePreCandidate(raft, reason);
  requestVotes(raft, MessageType.PreVote, 0);
  raft.votes.set(raft.id, true);
  countVotes(raft);
}

/**
 * Campaigns in the next term.
 *
 * @param context CONTEXT_TRANSFER on the leader's order, else 0
 */
export function startElection(raft: Raft, reason: string, context: number): void {
  assert(mayCampaign(raft), 'only voters campaign', raft.id);
  becomeCandidate(raft, reason);
  requestVotes(raft, MessageType.Vote, context);
}

/** A candidate's own vote is on disk: from now on it counts. */
export function countOwnVote(raft: Raft): void {
  if (raft.role !== Role.Candidate) return;
  const { persistedTerm, persistedVote } = raft.writes;
  if (persistedTerm !== raft.term || persistedVote !== raft.id) return;
  raft.votes.set(raft.id, true);
  countVotes(raft);
}

/** Answers a PreVote or a Vote of at least this term, whoever asks. */
export function handleVoteRequest(raft: Raft, message: Message): void {
  const isPreVote = message.type === MessageType.PreVote;
  // Whether its vote counts is the candidate's to know: a learner may have been promoted by an
  // entry that it has not received, and without its vote nobody might ever win (thesis 4.2.1).
  const isFree = raft.vote === NO_NODE && raft.leader === NO_NODE;
  const mayVote = raft.vote === message.from || isFree || (isPreVote && message.term > raft.term);
  const isGranted = mayVote && isUpToDate(raft, message);
  if (isGranted && !isPreVote) castVote(raft, message.from);

  const type = isPreVote ? MessageType.PreVoteReply : MessageType.VoteReply;
  const reply = draft(raft, type, message.from);
  reply.reject = !isGranted;
  if (isGranted) reply.term = message.term;
  post(raft, reply);
  raft.outbox.events.push({
    kind: 'vote',
    candidate: message.from,
    term: message.term,
    granted: isGranted,
    pre: isPreVote,
  });
}

/** Counts an answer to the campaign under way; the first one of each voter holds. */
export function handleVoteReply(raft: Raft, message: Message): void {
  const isPreVote = message.type === MessageType.PreVoteReply;
  if (raft.role !== (isPreVote ? Role.PreCandidate : Role.Candidate)) return;
  const isOfCampaign = message.term === raft.term + (isPreVote && !message.reject ? 1 : 0);
  if (!isOfCampaign) return;
  if (!raft.progress.has(message.from) || raft.votes.has(message.from)) return;
  raft.votes.set(message.from, !message.reject);
  countVotes(raft);
}

function countVotes(raft: Raft): void {
  const { voters, outgoing } = raft.configuration;
  const verdict = verdictOf(voters, outgoing, raft.votes);
  if (verdict === Verdict.Lost) {
    // Tried again when the timeout drawn now has passed: a short one in a hinted election.
    becomeFollower(raft, raft.term, NO_NODE, 'a majority refused');
    return;
  }
  if (verdict === Verdict.Pending) return;
  if (raft.role === Role.PreCandidate) {
    startElection(raft, 'a majority would vote for it', 0);
  } else if (raft.votes.get(raft.id) === true) {
    // Not before its own vote is on disk, though others suffice: it might forget that it led.
    becomeLeader(raft);
  }
}

function requestVotes(raft: Raft, type: MessageType, context: number): void {
  for (const peer of raft.others) {
    if (peer.isLearner) continue;
    const message = draft(raft, type, peer.id);
    if (type === MessageType.PreVote) message.term = raft.term + 1;
    message.index = lastIndexOf(raft.log);
    message.logTerm = lastTermOf(raft.log);
    message.context = context;
    post(raft, message);
  }
}

/** Thesis 3.6.1: the later last term wins, then the longer log. */
function isUpToDate(raft: Raft, message: Message): boolean {
  const lastTerm = lastTermOf(raft.log);
  if (message.logTerm !== lastTerm) return message.logTerm > lastTerm;
  return message.index >= lastIndexOf(raft.log);
}

function castVote(raft: Raft, candidate: NodeId): void {
  if (raft.role === Role.PreCandidate) {
    becomeFollower(raft, raft.term, NO_NODE, 'voted for another');
  }
  assert(raft.role === Role.Follower, 'only a follower votes for another', raft.role);
  raft.vote = candidate;
  raft.electionElapsedTicks = 0;
  raft.hastyCampaignsLeft = 0; // Give the candidate the time of an ordinary election.
  drawElectionTimeout(raft);
}
