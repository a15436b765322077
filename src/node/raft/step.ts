/**
 * Where messages enter. Terms are compared here and nowhere else (thesis 3.3): a later one is
 * adopted, an earlier one is answered so that its sender learns of the later, and only messages of
 * the current term reach the roles.
 *
 * A message may be old, doubled, reordered, of a stranger or senseless: it is then ignored.
 */

import type { Message, NodeId, SnapshotMeta, Term } from '../../../include/node.ts';
import { MessageType, NO_NODE, Role, TERM_MAX } from '../../../include/node.ts';
import { CONTEXT_TRANSFER, handleVoteReply, handleVoteRequest } from './election.ts';
import { draft, post } from './message.ts';
import { refuseRemote } from './read-index.ts';
import { becomeFollower, followLeader } from './role.ts';
import type { Raft } from './state.ts';
import { stepFollower } from './step-follower.ts';
import { stepLeader } from './step-leader.ts';

/**
 * Takes in one message of another member.
 *
 * @param message borrowed; its entries are kept, never copied
 */
export function step(raft: Raft, message: Message): void {
  enter(raft, message, undefined);
}

/**
 * Takes in a snapshot that has arrived whole. Whether it is taken shows in the next Ready: its
 * `snapshot` is set, or the log had it all and what arrived can be thrown away.
 *
 * @param from the leader that sent it
 * @param term the term it was sent in
 */
export function stepSnapshot(raft: Raft, from: NodeId, term: Term, snapshot: SnapshotMeta): void {
  const message = draft(raft, MessageType.Snapshot, raft.id);
  message.from = from;
  message.term = term;
  message.index = snapshot.index;
  message.logTerm = snapshot.term;
  enter(raft, message, snapshot);
}

/** @param snapshot what a message of type Snapshot brings; without it such a message is empty */
function enter(raft: Raft, message: Message, snapshot: SnapshotMeta | undefined): void {
  if (message.to !== raft.id || message.from === raft.id) return;
  if (message.term >= TERM_MAX) return;
  if (raft.lostPeers.size > 0) raft.lostPeers.delete(message.from);
  if (message.term < raft.term) {
    answerEarlierTerm(raft, message);
    return;
  }
  if (message.term > raft.term && !admitLaterTerm(raft, message)) return;
  switch (message.type) {
    case MessageType.PreVote:
    case MessageType.Vote:
      handleVoteRequest(raft, message);
      return;
    case MessageType.PreVoteReply:
    case MessageType.VoteReply:
      handleVoteReply(raft, message);
      return;
    case MessageType.Append:
    case MessageType.Heartbeat:
    case MessageType.Snapshot:
      if (!hearLeader(raft, message)) return;
      stepFollower(raft, message, snapshot);
      return;
    case MessageType.TimeoutNow:
    case MessageType.ReadIndexReply:
      if (raft.role !== Role.Follower || raft.leader !== message.from) return;
      stepFollower(raft, message, undefined);
      return;
    case MessageType.ReadIndex:
    case MessageType.AppendReply:
    case MessageType.HeartbeatReply:
      if (raft.role === Role.Leader) {
        stepLeader(raft, message);
        return;
      }
      if (message.type === MessageType.ReadIndex) refuseRemote(raft, message);
      return;
  }
}

/** Adopts the later term of a message, unless it is none yet; false to ignore the message. */
function admitLaterTerm(raft: Raft, message: Message): boolean {
  switch (message.type) {
    case MessageType.PreVote:
      return !hasLease(raft); // Asks about a term that nobody is in.
    case MessageType.Vote:
      if (message.context !== CONTEXT_TRANSFER && hasLease(raft)) return false;
      becomeFollower(raft, message.term, NO_NODE, 'a candidate is in a later term');
      return true;
    case MessageType.PreVoteReply:
      if (!message.reject) return true; // Of the term asked about.
      becomeFollower(raft, message.term, NO_NODE, 'a voter is in a later term');
      return true;
    case MessageType.Append:
    case MessageType.Heartbeat:
    case MessageType.Snapshot:
      becomeFollower(raft, message.term, message.from, 'a leader is in a later term');
      return true;
    default:
      becomeFollower(raft, message.term, NO_NODE, 'a member is in a later term');
      return true;
  }
}

/**
 * Whether a leader was heard of within an election timeout: then nobody else is voted for, since
 * whoever asks is cut off or hasty (thesis 4.2.3). A leader hears of itself as long as check-quorum
 * lets it lead.
 */
function hasLease(raft: Raft): boolean {
  return raft.leader !== NO_NODE && raft.electionElapsedTicks < raft.settings.electionTicks;
}

/**
 * Tells the sender about the current term where that moves the cluster on. A leader of an earlier
 * term that still reaches us would otherwise go on for ever, while we, in a later term, ignore it
 * and are ignored by those who follow it.
 */
function answerEarlierTerm(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.Append:
    case MessageType.Heartbeat:
      sendRefusal(raft, MessageType.AppendReply, message);
      return;
    case MessageType.PreVote:
      sendRefusal(raft, MessageType.PreVoteReply, message);
      return;
    case MessageType.Vote:
      sendRefusal(raft, MessageType.VoteReply, message);
      return;
    case MessageType.ReadIndex:
      refuseRemote(raft, message);
      return;
    default:
      return;
  }
}

function sendRefusal(raft: Raft, type: MessageType, message: Message): void {
  const reply = draft(raft, type, message.from);
  reply.reject = true;
  post(raft, reply);
}

/** Takes a leader's message of this term as its sign of life; false for a leader that cannot be. */
function hearLeader(raft: Raft, message: Message): boolean {
  if (raft.leader !== message.from && raft.leader !== NO_NODE) return false;
  if (raft.role === Role.Follower) followLeader(raft, message.from);
  else becomeFollower(raft, raft.term, message.from, 'a leader was heard of');
  return true;
}
