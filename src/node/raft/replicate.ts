/**
 * The leader's side of replication: which Append each member gets when a Ready is taken
 * (thesis 3.5, 10.2.1), and heartbeats.
 *
 * All sending of entries happens in flushAppends, once a Ready: whatever was proposed and
 * acknowledged since the last one is told each peer in as few Appends as the limits allow.
 *
 * Limits: appendBytesMax an Append, the window of inflights.ts a peer.
 */

import type { Entry, LogIndex } from '../../../include/node.ts';
import { MessageType, NO_ENTRIES, ProgressState, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { addInflight, isFull } from './inflights.ts';
import { boundSlice, lastIndexOf, sizeOf, sliceLog, termAt } from './log.ts';
import { draft, post } from './message.ts';
import type { Progress } from './progress.ts';
import { becomeSnapshot } from './progress.ts';
import type { Raft } from './state.ts';

/** Entries cut for one Append. Peers in step are sent the same array: cut once, not once a peer. */
type Chunk = { from: LogIndex; entries: readonly Entry[]; sizeBytes: number };

/** Sends every peer what it lacks and may have. */
export function flushAppends(raft: Raft): void {
  assert(raft.role === Role.Leader, 'a leader replicates', raft.role);
  raft.areAppendsDue = false;
  const chunk: Chunk = { from: 0, entries: NO_ENTRIES, sizeBytes: 0 };
  for (const progress of raft.others) {
    switch (progress.state) {
      case ProgressState.Probe:
        probe(raft, progress, chunk);
        break;
      case ProgressState.Replicate:
        pipeline(raft, progress, chunk);
        break;
      case ProgressState.Snapshot:
        break;
    }
  }
}

/**
 * A peer in step is owed an Append if it does not know the newest commit index. That index goes
 * along with the next entries; only when none come within a tick, or when a read of the peer waits
 * for it, does it travel alone: a lone put costs each follower one exchange instead of two.
 */
export function oweCommit(raft: Raft, progress: Progress): void {
  if (progress.state !== ProgressState.Replicate) return;
  if (progress.commitSent >= raft.log.commitIndex) return;
  progress.isAppendOwed = true;
  raft.areAppendsDue = true;
}

/** Tells one peer that the leader lives, what is committed, and the newest read sequence. */
export function sendHeartbeat(raft: Raft, progress: Progress): void {
  const message = draft(raft, MessageType.Heartbeat, progress.id);
  // Not beyond match: the peer's log is only known to agree up to there.
  message.commit = Math.min(progress.match, raft.log.commitIndex);
  message.context = raft.reads.sequence;
  progress.commitSent = Math.max(progress.commitSent, message.commit);
  post(raft, message);
}

function probe(raft: Raft, progress: Progress, chunk: Chunk): void {
  if (progress.isProbeSent) return;
  if (isBehindLog(raft, progress)) {
    wantSnapshot(raft, progress);
    return;
  }
  cutChunk(raft, progress.next, chunk);
  sendAppend(raft, progress, chunk.entries);
  progress.isProbeSent = true;
}

function pipeline(raft: Raft, progress: Progress, chunk: Chunk): void {
  if (isBehindLog(raft, progress)) {
    wantSnapshot(raft, progress);
    return;
  }
  const lastIndex = lastIndexOf(raft.log);
  while (progress.next <= lastIndex && !isFull(progress.inflights)) {
    cutChunk(raft, progress.next, chunk);
    sendAppend(raft, progress, chunk.entries);
    progress.next += chunk.entries.length;
    addInflight(progress.inflights, progress.next - 1, chunk.sizeBytes);
  }
  if (progress.isAppendOwed) sendAppend(raft, progress, NO_ENTRIES);
}

function isBehindLog(raft: Raft, progress: Progress): boolean {
  return progress.next <= raft.log.startIndex;
}

/** A dead peer would only waste a stream: it is asked for once the peer has been heard of. */
function wantSnapshot(raft: Raft, progress: Progress): void {
  if (!progress.isActive) return;
  becomeSnapshot(progress, raft.log.startIndex);
  raft.outbox.snapshotsWanted.push({ to: progress.id });
}

function sendAppend(raft: Raft, progress: Progress, entries: readonly Entry[]): void {
  const message = draft(raft, MessageType.Append, progress.id);
  message.index = progress.next - 1;
  message.logTerm = termAt(raft.log, message.index);
  message.commit = raft.log.commitIndex;
  message.entries = entries;
  progress.commitSent = message.commit;
  progress.isAppendOwed = false;
  assert(message.logTerm >= 0, 'what precedes an Append is in the log', message.index);
  post(raft, message);
}

/** Cuts the entries from `from` that fit one Append, unless `chunk` holds them already. */
function cutChunk(raft: Raft, from: LogIndex, chunk: Chunk): void {
  if (chunk.from === from) return;
  const { log, settings } = raft;
  const lastIndex = lastIndexOf(log);
  chunk.from = from;
  chunk.sizeBytes = 0;
  chunk.entries = NO_ENTRIES;
  if (from > lastIndex) return;
  chunk.entries = sliceLog(log, from, boundSlice(log, from, lastIndex, settings.appendBytesMax));
  for (const entry of chunk.entries) chunk.sizeBytes += sizeOf(entry);
}
