/**
 * Linearizable reads without a log entry (thesis 6.4). A read may be answered from the state at a
 * commit index that was current after the read was asked; the leader knows such an index once a
 * majority has confirmed, after the read came in, that it still leads.
 *
 * Reads move in rounds, one at a time:
 *
 *   readIndex -> open --(a Ready is taken, no round runs)--> running --(confirmed)--> granted
 *
 * A round has a sequence number. On the leader it travels in heartbeats, whose replies echo it: a
 * majority of echoes confirms the round, and at the next Ready whatever came in meanwhile begins
 * the next, without waiting for the tick. On a follower the round is one question to the leader,
 * which treats it as one read of its own. So a thousand reads of a turn cost one message a peer.
 *
 * A leader holds reads until its first entry is committed: before, it does not know what is.
 *
 * Limits: READS_WAITING_MAX open reads; beyond, refused. A follower's round that the leader does
 * not answer within an election timeout is refused; a leader's ends with its leadership at the
 * latest.
 */

import type { LogIndex, Message } from '../../../include/node.ts';
import { MessageType, NO_NODE, READS_WAITING_MAX, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { draft, post } from './message.ts';
import type { Progress } from './progress.ts';
import { agreedValue } from './quorum.ts';
import { oweCommit, sendHeartbeat } from './replicate.ts';
import type { PendingRead, Raft } from './state.ts';

/**
 * Asks for a read index. The answer comes in a Ready, in `reads` or in `readsRefused`.
 *
 * @param id the caller's number of the read, given back as it is
 */
export function readIndex(raft: Raft, id: number): void {
  const isLost = raft.role !== Role.Leader && raft.leader === NO_NODE;
  if (isLost || raft.reads.open.length >= READS_WAITING_MAX) {
    raft.outbox.readsRefused.push(id);
    return;
  }
  raft.reads.open.push({ from: raft.id, id });
}

/** Whether the next Ready begins a round. */
export function isRoundDue(raft: Raft): boolean {
  const { open, running } = raft.reads;
  if (open.length === 0 || running.length > 0) return false;
  return raft.role !== Role.Leader || raft.log.commitIndex >= raft.termStartIndex;
}

/** Begins a round with all open reads; isRoundDue must hold. */
export function startRound(raft: Raft): void {
  const { reads } = raft;
  assert(isRoundDue(raft), 'rounds do not overlap', reads.open.length, reads.running.length);
  reads.running = reads.open;
  reads.open = [];
  reads.sequence += 1;
  reads.runningTicks = 0;
  if (raft.role === Role.Leader) askMajority(raft);
  else askLeader(raft);
}

/** On a leader: grants the running round if a majority has echoed it. */
export function confirmRound(raft: Raft): void {
  const { reads } = raft;
  if (reads.running.length === 0) return;
  if (agreedValue(raft.voters, raft.outgoing, echoOf) < reads.sequence) return;
  grantRunning(raft, reads.runningIndex);
}

/** On a leader: another member asks for a read index. */
export function takeRemoteRead(raft: Raft, message: Message): void {
  assert(raft.role === Role.Leader, 'a leader answers reads', raft.role);
  if (raft.reads.open.length >= READS_WAITING_MAX) {
    refuseRemote(raft, message);
    return;
  }
  raft.reads.open.push({ from: message.from, id: message.context });
}

/** Tells another member that its read will not be answered here. */
export function refuseRemote(raft: Raft, asked: Message): void {
  replyTo(raft, { from: asked.from, id: asked.context }, undefined);
}

/** On a follower: the leader has answered a round. Answers to older rounds are ignored. */
export function handleReadIndexReply(raft: Raft, message: Message): void {
  const { reads } = raft;
  if (message.from !== raft.leader || message.context !== reads.sequence) return;
  if (reads.running.length === 0) return;
  if (message.reject) refuseRunning(raft);
  else grantRunning(raft, message.index);
}

/** On a follower: counts a tick of the running round. */
export function tickReads(raft: Raft): void {
  const { reads, settings } = raft;
  if (reads.running.length === 0) return;
  reads.runningTicks += 1;
  if (reads.runningTicks >= settings.electionTicks) refuseRunning(raft);
}

/** The running round has failed: its reads are to be asked again. */
export function refuseRunning(raft: Raft): void {
  const refused = raft.reads.running;
  raft.reads.running = [];
  for (const read of refused) refuse(raft, read);
}

/** Role, term or leader changes: no read that waits will be answered. */
export function refuseReads(raft: Raft): void {
  if (raft.reads.running.length > 0) refuseRunning(raft);
  if (raft.reads.open.length === 0) return;
  const refused = raft.reads.open;
  raft.reads.open = [];
  for (const read of refused) refuse(raft, read);
}

/** A leader alone in its configuration is a majority: the round is confirmed as it begins. */
function askMajority(raft: Raft): void {
  const { reads } = raft;
  reads.runningIndex = raft.log.commitIndex;
  for (const progress of raft.others) {
    if (!progress.isLearner) sendHeartbeat(raft, progress);
  }
  const own = raft.progress.get(raft.id);
  if (own !== undefined) own.readEcho = reads.sequence;
  confirmRound(raft);
}

function askLeader(raft: Raft): void {
  assert(raft.leader !== NO_NODE, 'without a leader reads are refused', raft.role);
  const message = draft(raft, MessageType.ReadIndex, raft.leader);
  message.context = raft.reads.sequence;
  post(raft, message);
}

function grantRunning(raft: Raft, index: LogIndex): void {
  const granted = raft.reads.running;
  raft.reads.running = [];
  for (const read of granted) {
    if (read.from === raft.id) {
      raft.outbox.reads.push({ id: read.id, index });
      continue;
    }
    replyTo(raft, read, index);
    // It answers only once it knows that the index is committed.
    const asker = raft.progress.get(read.from);
    if (asker !== undefined) oweCommit(raft, asker);
  }
}

function refuse(raft: Raft, read: PendingRead): void {
  if (read.from === raft.id) raft.outbox.readsRefused.push(read.id);
  else replyTo(raft, read, undefined);
}

/** @param index undefined refuses */
function replyTo(raft: Raft, read: PendingRead, index: LogIndex | undefined): void {
  const message = draft(raft, MessageType.ReadIndexReply, read.from);
  message.context = read.id;
  message.reject = index === undefined;
  message.index = index ?? 0;
  post(raft, message);
}

function echoOf(progress: Progress): number {
  return progress.readEcho;
}
