/**
 * When an entry is committed: a majority has it on disk, and it is of the leader's own term; what
 * earlier terms left is then committed with it (thesis 3.6.2, figure 3.7).
 *
 * The leader is one of the majority, and like everyone by what its own disk has confirmed.
 */

import type { LogIndex } from '../../../include/node.ts';
import { Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { commitTo, entryAt, sizeOf, termAt } from './log.ts';
import type { Progress } from './progress.ts';
import { advanceMatch } from './progress.ts';
import { agreedValue } from './quorum.ts';
import type { Raft } from './state.ts';

/** On a leader: commits what a majority has; to be called whenever a match has moved. */
export function advanceCommit(raft: Raft): void {
  assert(raft.role === Role.Leader, 'a leader counts', raft.role);
  const { log } = raft;
  const index = agreedValue(raft.voters, raft.outgoing, matchOf);
  if (index <= log.commitIndex) return;
  if (termAt(log, index) !== raft.term) return;

  settleUncommitted(raft, index);
  commitTo(log, index);
}

/** On a leader: counts its own copy of what its disk has confirmed. */
export function countOwnCopy(raft: Raft): void {
  const own = raft.progress.get(raft.id);
  if (own === undefined) return; // It leads a cluster that it is leaving (thesis 4.2.2).
  if (advanceMatch(own, raft.writes.persistedIndex)) advanceCommit(raft);
}

function matchOf(progress: Progress): LogIndex {
  return progress.match;
}

/** What is committed no longer weighs against uncommittedBytesMax. */
function settleUncommitted(raft: Raft, index: LogIndex): void {
  for (let i = raft.log.commitIndex + 1; i <= index; i += 1) {
    raft.uncommittedBytes -= sizeOf(entryAt(raft.log, i));
  }
  assert(raft.uncommittedBytes >= 0, 'bytes are settled once', raft.uncommittedBytes);
}
