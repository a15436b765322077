/**
 * What a follower does with what its leader sends: the receiver's half of AppendEntries (thesis
 * figure 3.1, 3.5), heartbeats, snapshots (5.1) and the order to campaign (3.10).
 *
 * Nothing a message says may hurt: what contradicts committed entries is refused and reported.
 */

import type { Entry, LogIndex, Message, SnapshotMeta } from '../../../include/node.ts';
import { EntryType, MessageType, Role, TERM_MAX } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { decodeConfiguration } from '../../configuration.ts';
import { forgetFrom, noteEntry, restoreConfigurations } from './configurations.ts';
import { CONTEXT_TRANSFER, startElection } from './election.ts';
import {
  appendEntry,
  commitTo,
  lastIndexOf,
  lastIndexWithin,
  restoreLog,
  TERM_UNKNOWN,
  termAt,
  truncateLog,
} from './log.ts';
import { draft, post } from './message.ts';
import { handleReadIndexReply } from './read-index.ts';
import type { Raft } from './state.ts';
import { enforceConfiguration, mayCampaign } from './state.ts';
import { forgetWritesFrom } from './writes.ts';

/** Handles a message of the leader in the current term. */
export function stepFollower(
  raft: Raft,
  message: Message,
  snapshot: SnapshotMeta | undefined,
): void {
  assert(raft.role === Role.Follower, 'a follower follows', raft.role);
  assert(raft.leader === message.from, 'a follower has one leader', raft.leader, message.from);
  switch (message.type) {
    case MessageType.Append:
      handleAppend(raft, message);
      return;
    case MessageType.Heartbeat:
      handleHeartbeat(raft, message);
      return;
    case MessageType.Snapshot:
      if (snapshot !== undefined) handleSnapshot(raft, message, snapshot);
      return;
    case MessageType.ReadIndexReply:
      handleReadIndexReply(raft, message);
      return;
    case MessageType.TimeoutNow:
      if (mayCampaign(raft)) startElection(raft, 'the leader handed over', CONTEXT_TRANSFER);
      return;
  }
}

function handleAppend(raft: Raft, message: Message): void {
  const { log } = raft;
  if (!isWellFormed(message)) return;
  const previousTerm = termAt(log, message.index);
  if (message.index > log.commitIndex && previousTerm !== message.logTerm) {
    refuseAppend(raft, message);
    return;
  }
  const isKnown = previousTerm !== TERM_UNKNOWN;
  if (isKnown && previousTerm !== message.logTerm) {
    reportConflict(raft, message);
    return;
  }

  const conflict = findConflict(raft, message.entries);
  if (conflict < message.entries.length) {
    const index = message.index + conflict + 1;
    if (index <= log.commitIndex) {
      reportConflict(raft, message);
      return;
    }
    takeEntries(raft, message.entries, conflict, index);
  }
  const lastNewIndex = message.index + message.entries.length;
  commitTo(log, Math.min(message.commit, lastNewIndex));
  acknowledge(raft, Math.max(lastNewIndex, log.commitIndex));
}

/** The slot of the first entry that the log lacks or has with another term; the count if none. */
function findConflict(raft: Raft, entries: readonly Entry[]): number {
  const { log } = raft;
  for (let slot = 0; slot < entries.length; slot += 1) {
    const entry = entries[slot]!;
    if (entry.index < log.startIndex) continue; // In a snapshot, hence committed.
    if (termAt(log, entry.index) !== entry.term) return slot;
  }
  return entries.length;
}

/** Takes the entries from `slot`; whatever the log has from `index` on gives way (figure 3.1). */
function takeEntries(raft: Raft, entries: readonly Entry[], slot: number, index: LogIndex): void {
  if (index <= lastIndexOf(raft.log)) {
    forgetWritesFrom(raft.writes, index);
    truncateLog(raft.log, index);
    forgetFrom(raft.configurations, index);
  }
  for (let i = slot; i < entries.length; i += 1) {
    const entry = entries[i]!;
    appendEntry(raft.log, entry);
    noteEntry(raft.configurations, entry);
  }
  enforceConfiguration(raft);
}

/**
 * Tells the leader where the logs may still agree: the last entry at or before its own that is not
 * of a later term, so that a whole term is skipped a round trip (Raft paper 5.3).
 */
function refuseAppend(raft: Raft, message: Message): void {
  const { log } = raft;
  const reply = draft(raft, MessageType.AppendReply, message.from);
  reply.reject = true;
  reply.index = message.index;
  reply.hint = lastIndexWithin(log, log.commitIndex, message.index, message.logTerm);
  reply.logTerm = termAt(log, reply.hint);
  post(raft, reply);
}

function acknowledge(raft: Raft, index: LogIndex): void {
  assert(index <= lastIndexOf(raft.log), 'what is acknowledged is in the log', index);
  const reply = draft(raft, MessageType.AppendReply, raft.leader);
  reply.index = index;
  post(raft, reply);
}

function handleHeartbeat(raft: Raft, message: Message): void {
  // A commit index beyond the log means that this disk lost what it had acknowledged: the entries
  // must come first.
  if (message.commit <= lastIndexOf(raft.log)) commitTo(raft.log, message.commit);
  const reply = draft(raft, MessageType.HeartbeatReply, message.from);
  reply.context = message.context;
  post(raft, reply);
}

function handleSnapshot(raft: Raft, message: Message, snapshot: SnapshotMeta): void {
  const { log, writes } = raft;
  if (snapshot.index > TERM_MAX || snapshot.term > message.term) return;
  if (snapshot.index <= log.commitIndex) {
    acknowledge(raft, log.commitIndex);
    return;
  }
  if (termAt(log, snapshot.index) === snapshot.term) {
    // The log has it all: it is enough to know that it is committed.
    commitTo(log, snapshot.index);
    acknowledge(raft, snapshot.index);
    return;
  }
  forgetWritesFrom(writes, log.commitIndex + 1);
  restoreLog(log, snapshot);
  writes.handedIndex = snapshot.index;
  restoreConfigurations(raft.configurations, snapshot.index, snapshot.configuration);
  enforceConfiguration(raft);
  raft.outbox.snapshot = snapshot;
  acknowledge(raft, snapshot.index);
}

/**
 * Entries follow on each other and on `index`, in terms that do not fall and are not to come;
 * configurations can be understood.
 */
function isWellFormed(message: Message): boolean {
  let { index, logTerm: term } = message;
  if (index + message.entries.length > TERM_MAX) return false;
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < term) return false;
    const isOdd = entry.type === EntryType.Configuration && !decodeConfiguration(entry.data);
    if (isOdd) return false;
    index = entry.index;
    term = entry.term;
  }
  return term <= message.term;
}

function reportConflict(raft: Raft, message: Message): void {
  const { from, index } = message;
  raft.outbox.events.push({ kind: 'committed-conflict', from, index });
}
