/**
 * What comes out: one Ready, everything the loop has to do. Taking it counts as doing it: entries
 * are handed to the disk and to the store once each, and there is no second call to acknowledge
 * them but persisted, for the disk.
 *
 * Limit: COMMITTED_BYTES_MAX of committed entries a Ready, but at least one; hasReady then tells
 * that there is more.
 */

import type { Entry, HardState, LogIndex, Ready } from '../../../include/node.ts';
import { COMMITTED_BYTES_MAX, NO_ENTRIES, Role } from '../../../include/node.ts';
import { countOwnCopy } from './commit.ts';
import { countOwnVote } from './election.ts';
import { boundSlice, lastIndexOf, sliceLog } from './log.ts';
import { continueChange, isChangeDue } from './members.ts';
import { isRoundDue, startRound } from './read-index.ts';
import { flushAppends } from './replicate.ts';
import type { Outbox, Raft } from './state.ts';
import { finishWrites, startWrite } from './writes.ts';

const NONE: readonly never[] = Object.freeze([]);

/** Nothing to do. */
const IDLE: Ready = Object.freeze({
  messages: NONE,
  hardState: undefined,
  mustSync: false,
  writeNumber: 0,
  snapshot: undefined,
  entries: NO_ENTRIES,
  messagesAfterSync: NONE,
  committed: NO_ENTRIES,
  reads: NONE,
  readsRefused: NONE,
  snapshotsWanted: NONE,
  events: NONE,
});

/** Whether a Ready would hold anything. True may turn out empty; false never hides anything. */
export function hasReady(raft: Raft): boolean {
  return raft.areAppendsDue || isChangeDue(raft) || isRoundDue(raft) || hasOutput(raft);
}

/** Hands out all there is to do; Ready tells in which order. */
export function ready(raft: Raft): Ready {
  if (isChangeDue(raft)) continueChange(raft);
  if (isRoundDue(raft)) startRound(raft);
  if (raft.areAppendsDue) flushAppends(raft);
  if (!hasOutput(raft)) return IDLE;

  const { log, writes, outbox } = raft;
  const lastIndex = lastIndexOf(log);
  const { snapshot } = outbox;
  const before = writes.handedHardState;
  const hardState = takeHardState(raft);
  const isNewVote = raft.term !== before.term || raft.vote !== before.vote;
  const mustSync = isNewVote || snapshot !== undefined || writes.handedIndex < lastIndex;
  const entries =
    writes.handedIndex < lastIndex ? sliceLog(log, writes.handedIndex + 1, lastIndex) : NO_ENTRIES;
  const writeNumber = mustSync ? startWrite(writes, lastIndex, writes.handedHardState) : 0;
  const output: Ready = {
    messages: take(outbox, 'messages'),
    hardState,
    mustSync,
    writeNumber,
    snapshot,
    entries,
    messagesAfterSync: take(outbox, 'messagesAfterSync'),
    committed: takeCommitted(raft),
    reads: take(outbox, 'reads'),
    readsRefused: take(outbox, 'readsRefused'),
    snapshotsWanted: take(outbox, 'snapshotsWanted'),
    events: take(outbox, 'events'),
  };
  outbox.snapshot = undefined;
  return output;
}

/**
 * The disk has synced the write of this number and all before it. What was waiting for that
 * counts from now on: a leader's own copies, a candidate's vote for itself.
 */
export function persisted(raft: Raft, writeNumber: number): void {
  finishWrites(raft.writes, writeNumber);
  if (raft.role === Role.Leader) countOwnCopy(raft);
  else countOwnVote(raft);
}

function hasOutput(raft: Raft): boolean {
  const { outbox, log, writes } = raft;
  const before = writes.handedHardState;
  return (
    outbox.messages.length > 0 ||
    outbox.messagesAfterSync.length > 0 ||
    writes.handedIndex < lastIndexOf(log) ||
    log.handedOutIndex < log.commitIndex ||
    before.commit !== commitToRecord(raft) ||
    before.term !== raft.term ||
    before.vote !== raft.vote ||
    outbox.reads.length > 0 ||
    outbox.readsRefused.length > 0 ||
    outbox.events.length > 0 ||
    outbox.snapshotsWanted.length > 0 ||
    outbox.snapshot !== undefined
  );
}

function takeHardState(raft: Raft): HardState | undefined {
  const before = raft.writes.handedHardState;
  const now: HardState = { term: raft.term, vote: raft.vote, commit: commitToRecord(raft) };
  if (now.term === before.term && now.vote === before.vote && now.commit === before.commit) {
    return undefined;
  }
  raft.writes.handedHardState = now;
  return now;
}

/**
 * The commit index that may be written now: it covers nothing that the same write brings. A crash
 * that keeps half of a write then never leaves a commit index over entries that it did not mean.
 */
function commitToRecord(raft: Raft): LogIndex {
  const { outbox, log, writes } = raft;
  const before = writes.handedHardState.commit;
  if (outbox.snapshot !== undefined) return before;
  return Math.max(before, Math.min(log.commitIndex, writes.handedIndex));
}

function takeCommitted(raft: Raft): readonly Entry[] {
  const { log } = raft;
  const from = log.handedOutIndex + 1;
  if (from > log.commitIndex) return NO_ENTRIES;
  const to = boundSlice(log, from, log.commitIndex, COMMITTED_BYTES_MAX);
  log.handedOutIndex = to;
  return sliceLog(log, from, to);
}

/** Gives a queue away and puts a new one in its place. */
function take<Key extends Exclude<keyof Outbox, 'snapshot'>>(
  outbox: Outbox,
  key: Key,
): Outbox[Key] | typeof NONE {
  const queue = outbox[key];
  if (queue.length === 0) return NONE;
  (outbox[key] as readonly unknown[]) = [];
  return queue;
}
