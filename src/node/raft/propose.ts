/**
 * How entries enter the log of a leader (thesis 3.5). Proposing only appends: what is proposed in
 * one turn of the loop goes out together, when the next Ready is taken.
 *
 * Limit: uncommittedBytesMax of entries not yet committed; beyond, ProposeResult.Full. One entry is
 * always taken, however large.
 */

import type { Entry } from '../../../include/node.ts';
import {
  ENTRY_OVERHEAD_BYTES,
  EntryType,
  NO_NODE,
  ProposeResult,
  Role,
} from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { noteEntry } from './configurations.ts';
import { appendEntry, entryAt, lastIndexOf, sizeOf } from './log.ts';
import type { Raft } from './state.ts';

const NO_DATA = Buffer.alloc(0);

/**
 * Appends an entry to the leader's log. If accepted, its index is lastIndex(raft) and its term
 * raft's: it is committed when an entry of that index and term is handed out.
 *
 * @param type no configuration: see changeConfiguration
 * @param data kept; must never be written to again
 */
export function propose(raft: Raft, type: EntryType, data: Buffer): ProposeResult {
  assert(type !== EntryType.Configuration, 'a configuration is changed, not proposed');
  if (raft.role !== Role.Leader) return ProposeResult.NotLeader;
  if (raft.transferTarget !== NO_NODE) return ProposeResult.Transferring;
  const sizeBytes = data.length + ENTRY_OVERHEAD_BYTES;
  const isFirst = raft.uncommittedBytes === 0;
  if (!isFirst && raft.uncommittedBytes + sizeBytes > raft.settings.uncommittedBytesMax) {
    return ProposeResult.Full;
  }
  appendOwn(raft, type, data);
  return ProposeResult.Accepted;
}

/** A new leader's first steps in its log: what it inherits is weighed, its Empty entry appended. */
export function openTerm(raft: Raft): void {
  const { log } = raft;
  raft.uncommittedBytes = 0;
  for (let index = log.commitIndex + 1; index <= lastIndexOf(log); index += 1) {
    raft.uncommittedBytes += sizeOf(entryAt(log, index));
  }
  appendOwn(raft, EntryType.Empty, NO_DATA);
  raft.termStartIndex = lastIndexOf(log);
}

/** Appends an entry of the leader's own; a configuration is not yet enforced by that. */
export function appendOwn(raft: Raft, type: EntryType, data: Buffer): void {
  assert(raft.role === Role.Leader, 'a leader appends', raft.role);
  const entry: Entry = { index: lastIndexOf(raft.log) + 1, term: raft.term, type, data };
  appendEntry(raft.log, entry);
  noteEntry(raft.configurations, entry);
  raft.uncommittedBytes += sizeOf(entry);
  raft.areAppendsDue = true;
}
