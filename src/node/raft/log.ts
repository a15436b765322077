/**
 * The part of the replicated log that is in memory: everything after the last snapshot or
 * compaction (thesis 3.5, 5.1).
 *
 *   index:  startIndex | first ........ commitIndex ........ lastIndex
 *   slot:              | head ................................ entries.length - 1
 *
 * Invariants: indexes have no gap, terms never fall; startIndex <= commitIndex <= lastIndex; what
 * is committed is never truncated. handedOutIndex, the last entry given to the store, is not above
 * commitIndex but for a restart (RaftOptions.applied).
 *
 * Slots before head belong to compacted entries; they are cleared at once, so that the data can be
 * collected, and cut off when they outnumber the rest, so that a compaction costs constant time an
 * entry.
 */

import type { Entry, LogIndex, SnapshotMeta, Term } from '../../../include/node.ts';
import { ENTRY_OVERHEAD_BYTES, EntryType } from '../../../include/node.ts';
import { assert } from '../../assert.ts';

/** The term of a place that this log does not know: before its start or after its end. */
export const TERM_UNKNOWN = -1;

/** Fills the slots of compacted entries. */
const GONE: Entry = { index: 0, term: 0, type: EntryType.Empty, data: Buffer.alloc(0) };

/** The log in memory. */
export type Log = {
  /** The place before the first entry in memory, and its term. */
  startIndex: LogIndex;
  startTerm: Term;
  entries: Entry[];
  /** The slot of the entry at startIndex + 1. */
  head: number;
  commitIndex: LogIndex;
  handedOutIndex: LogIndex;
  /** Of the entries in memory, with ENTRY_OVERHEAD_BYTES each. */
  sizeBytes: number;
};

/**
 * Makes the log of a member that starts.
 *
 * @param entries what the disk holds after the snapshot; copied
 * @param commitIndex the last commit index known. It only shortens a restart: one that the log
 *   does not reach is not believed at all, since the entries there may not be those it meant
 * @param applied entries up to here are never handed out
 */
export function createLog(
  snapshot: SnapshotMeta,
  entries: readonly Entry[],
  commitIndex: LogIndex,
  applied: LogIndex,
): Log {
  const lastIndex = snapshot.index + entries.length;
  const isCovered = commitIndex > snapshot.index && commitIndex <= lastIndex;
  assert(applied >= snapshot.index, 'a snapshot is applied', applied, snapshot.index);
  const log: Log = {
    startIndex: snapshot.index,
    startTerm: snapshot.term,
    entries: entries.slice(),
    head: 0,
    commitIndex: isCovered ? commitIndex : snapshot.index,
    handedOutIndex: applied,
    sizeBytes: 0,
  };
  for (const entry of entries) log.sizeBytes += sizeOf(entry);
  checkLog(log);
  return log;
}

/** What an entry weighs against every limit of bytes. */
export function sizeOf(entry: Entry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

/** The index of the last entry, or startIndex without entries. */
export function lastIndexOf(log: Log): LogIndex {
  return log.startIndex + log.entries.length - log.head;
}

/** The term of the last entry. */
export function lastTermOf(log: Log): Term {
  return log.entries.length === log.head
    ? log.startTerm
    : log.entries[log.entries.length - 1]!.term;
}

/** The term of the entry at `index`, or TERM_UNKNOWN. */
export function termAt(log: Log, index: LogIndex): Term {
  if (index === log.startIndex) return log.startTerm;
  if (index < log.startIndex || index > lastIndexOf(log)) return TERM_UNKNOWN;
  return log.entries[log.head + index - log.startIndex - 1]!.term;
}

/** The entry at `index`, which must be in memory. */
export function entryAt(log: Log, index: LogIndex): Entry {
  assert(index > log.startIndex, 'an entry is still in memory', index, log.startIndex);
  assert(index <= lastIndexOf(log), 'an entry is in the log', index, lastIndexOf(log));
  return log.entries[log.head + index - log.startIndex - 1]!;
}

/** Adds one entry behind the last. */
export function appendEntry(log: Log, entry: Entry): void {
  assert(entry.index === lastIndexOf(log) + 1, 'the log has no gap', entry.index);
  assert(entry.term >= lastTermOf(log), 'terms never fall', entry.term, lastTermOf(log));
  log.entries.push(entry);
  log.sizeBytes += sizeOf(entry);
}

/** Drops the entry at `index` and all behind it; they must not be committed. */
export function truncateLog(log: Log, index: LogIndex): void {
  assert(index > log.commitIndex, 'a committed entry is never dropped', index, log.commitIndex);
  const end = log.head + index - log.startIndex - 1;
  for (let slot = end; slot < log.entries.length; slot += 1) {
    log.sizeBytes -= sizeOf(log.entries[slot]!);
  }
  log.entries.length = Math.min(end, log.entries.length);
}

/** The entries from `from` to `to`, both included; a new array of the same entries. */
export function sliceLog(log: Log, from: LogIndex, to: LogIndex): Entry[] {
  assert(from > log.startIndex, 'a slice is in memory', from, log.startIndex);
  assert(to <= lastIndexOf(log), 'a slice is in the log', to, lastIndexOf(log));
  const offset = log.head - log.startIndex - 1;
  return log.entries.slice(from + offset, to + offset + 1);
}

/** How far a slice from `from` may go within `bytesMax`: at least one entry, not beyond `to`. */
export function boundSlice(log: Log, from: LogIndex, to: LogIndex, bytesMax: number): LogIndex {
  assert(from <= to, 'a slice has an entry', from, to);
  const offset = log.head - log.startIndex - 1;
  let sizeBytes = sizeOf(log.entries[from + offset]!);
  let end = from;
  while (end < to) {
    sizeBytes += sizeOf(log.entries[end + 1 + offset]!);
    if (sizeBytes > bytesMax) break;
    end += 1;
  }
  return end;
}

/**
 * The highest place from `floor` to `index` whose term is at most `term`, or `floor`. Terms never
 * fall, so halving finds it. Both sides of a conflict use it to skip whole terms (Raft paper 5.3).
 */
export function lastIndexWithin(log: Log, floor: LogIndex, index: LogIndex, term: Term): LogIndex {
  assert(floor >= log.startIndex, 'the floor of a search is known', floor, log.startIndex);
  let low = floor;
  let high = Math.min(index, lastIndexOf(log));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (termAt(log, middle) <= term) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Raises the commit index; never lowers it. */
export function commitTo(log: Log, index: LogIndex): void {
  assert(index <= lastIndexOf(log), 'what is committed is in the log', index, lastIndexOf(log));
  if (index > log.commitIndex) log.commitIndex = index;
}

/** Drops the entries up to `index` from memory; its index and term become the log's start. */
export function dropUpTo(log: Log, index: LogIndex): void {
  assert(index > log.startIndex, 'a compaction moves on', index, log.startIndex);
  assert(index <= log.commitIndex, 'only what is committed is compacted', index, log.commitIndex);
  const headNow = log.head + index - log.startIndex;
  log.startTerm = log.entries[headNow - 1]!.term;
  for (let slot = log.head; slot < headNow; slot += 1) log.sizeBytes -= sizeOf(log.entries[slot]!);
  log.entries.fill(GONE, log.head, headNow);
  log.head = headNow;
  log.startIndex = index;
  if (log.head * 2 < log.entries.length) return;
  log.entries = log.entries.slice(log.head);
  log.head = 0;
}

/** Starts anew behind a snapshot that is ahead of what is committed. */
export function restoreLog(log: Log, snapshot: SnapshotMeta): void {
  assert(snapshot.index > log.commitIndex, 'a snapshot moves on', snapshot.index, log.commitIndex);
  log.startIndex = snapshot.index;
  log.startTerm = snapshot.term;
  log.entries = [];
  log.head = 0;
  log.commitIndex = snapshot.index;
  // Even if the store was ahead after a restart: it is swapped for the snapshot's state.
  log.handedOutIndex = snapshot.index;
  log.sizeBytes = 0;
}

/** Asserts the invariants above; walks the whole log, for tests and the start. */
export function checkLog(log: Log): void {
  let index = log.startIndex;
  let term = log.startTerm;
  let sizeBytes = 0;
  for (let slot = log.head; slot < log.entries.length; slot += 1) {
    const entry = log.entries[slot]!;
    assert(entry.index === index + 1, 'the log has no gap', entry.index, index);
    assert(entry.term >= term, 'terms never fall', entry.term, term);
    index = entry.index;
    term = entry.term;
    sizeBytes += sizeOf(entry);
  }
  assert(sizeBytes === log.sizeBytes, 'the log knows its bytes', sizeBytes, log.sizeBytes);
  assert(log.startIndex <= log.commitIndex, 'the start is committed', log.startIndex);
  assert(log.commitIndex <= index, 'what is committed is in the log', log.commitIndex, index);
  assert(log.handedOutIndex >= log.startIndex, 'the start is applied', log.handedOutIndex);
}
