/**
 * What was handed to the disk, and what the disk has confirmed.
 *
 * A leader counts its own copy of an entry, and a candidate its vote for itself, only once they are
 * synced here, though it sends to others at once (thesis 10.2.1). Each Ready that must be synced
 * gets a number; the core remembers what each covers. When entries are overwritten while their
 * write is under way, the writes that carried them are cut back at once: a late report can then
 * confirm nothing but what is still in the log, even if the same index and term came back since.
 *
 * Invariants: persistedIndex <= handedIndex; pending numbers ascend, and no pending write covers
 * more than handedIndex.
 */

import type { HardState, LogIndex, NodeId, Term } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { Ring } from '../../ring.ts';

/** One write under way. */
type Write = {
  readonly number: number;
  /** The last entry it and those before it leave on disk; lowered when entries are overwritten. */
  lastIndex: LogIndex;
  readonly term: Term;
  readonly vote: NodeId;
};

/** The disk as the core knows it. */
export type Writes = {
  /** The last entry handed out to be written. */
  handedIndex: LogIndex;
  /** The hard state last handed out. */
  handedHardState: HardState;
  /** Entries up to here are on disk. */
  persistedIndex: LogIndex;
  /** Term and vote on disk. */
  persistedTerm: Term;
  persistedVote: NodeId;
  /** The newest number given to a write. */
  newestNumber: number;
  /** The newest number confirmed. */
  confirmedNumber: number;
  readonly pending: Ring<Write>;
};

/** Makes the record for a member whose disk holds `hardState` and entries up to `lastIndex`. */
export function createWrites(hardState: HardState, lastIndex: LogIndex): Writes {
  return {
    handedIndex: lastIndex,
    handedHardState: hardState,
    persistedIndex: lastIndex,
    persistedTerm: hardState.term,
    persistedVote: hardState.vote,
    newestNumber: 0,
    confirmedNumber: 0,
    pending: new Ring<Write>(),
  };
}

/** Notes a write that leaves `lastIndex` and `hardState` on disk; returns its number. */
export function startWrite(writes: Writes, lastIndex: LogIndex, hardState: HardState): number {
  writes.newestNumber += 1;
  writes.handedIndex = lastIndex;
  const { term, vote } = hardState;
  writes.pending.push({ number: writes.newestNumber, lastIndex, term, vote });
  return writes.newestNumber;
}

/** Takes the disk's word for all writes up to `number`. */
export function finishWrites(writes: Writes, number: number): void {
  assert(number <= writes.newestNumber, 'a confirmed write was begun', number, writes.newestNumber);
  let write = writes.pending.peek();
  while (write !== undefined && write.number <= number) {
    if (write.lastIndex > writes.persistedIndex) writes.persistedIndex = write.lastIndex;
    writes.persistedTerm = write.term;
    writes.persistedVote = write.vote;
    writes.confirmedNumber = write.number;
    writes.pending.shift();
    write = writes.pending.peek();
  }
}

/** The entry at `index` and all behind it are about to be overwritten. */
export function forgetWritesFrom(writes: Writes, index: LogIndex): void {
  const keptIndex = index - 1;
  if (writes.handedIndex > keptIndex) writes.handedIndex = keptIndex;
  if (writes.persistedIndex > keptIndex) writes.persistedIndex = keptIndex;
  for (let i = 0; i < writes.pending.count; i += 1) {
    const write = writes.pending.at(i)!;
    if (write.lastIndex > keptIndex) write.lastIndex = keptIndex;
  }
}

/** Asserts the invariants above. */
export function checkWrites(writes: Writes): void {
  const { handedIndex, persistedIndex, newestNumber, confirmedNumber, pending } = writes;
  assert(persistedIndex <= handedIndex, 'what is on disk was handed out', persistedIndex);
  assert(newestNumber - confirmedNumber === pending.count, 'each write is pending or confirmed');
  for (let i = 0; i < pending.count; i += 1) {
    const write = pending.at(i)!;
    assert(write.number === confirmedNumber + 1 + i, 'pending writes ascend', write.number);
    assert(write.lastIndex <= handedIndex, 'a write covers what is still in the log', handedIndex);
  }
}
