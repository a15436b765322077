/**
 * The invariants of one core, for tests and the simulator to assert after every step. It walks the
 * whole log; production asserts where state changes instead.
 */

import { EntryType, NO_NODE, ProgressState, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { newestOf } from './configurations.ts';
import { checkLog, entryAt, lastIndexOf, lastTermOf, sizeOf } from './log.ts';
import { checkProgress } from './progress.ts';
import type { Raft } from './state.ts';
import { mayCampaign } from './state.ts';
import { checkWrites } from './writes.ts';

/** Asserts what must hold of a core between any two calls. */
export function checkRaft(raft: Raft): void {
  const { log, writes } = raft;
  checkLog(log);
  checkWrites(writes);
  assert(writes.handedIndex <= lastIndexOf(log), 'the disk gets what is in the log');
  assert(writes.handedIndex >= log.commitIndex || raft.role !== Role.Leader, 'a leader writes');
  assert(lastTermOf(log) <= raft.term, 'no entry is of a term to come', lastTermOf(log), raft.term);
  assert(writes.persistedTerm <= raft.term, 'terms never fall', writes.persistedTerm, raft.term);
  checkRole(raft);
  checkReads(raft);
  checkMembers(raft);
  checkConfigurations(raft);
  if (raft.role === Role.Leader) checkLeader(raft);
}

function checkRole(raft: Raft): void {
  const isLeading = raft.role === Role.Leader;
  assert(isLeading === (raft.leader === raft.id), 'a leader knows itself', raft.role, raft.leader);
  assert(isLeading || raft.transferTarget === NO_NODE, 'only a leader hands over');
  assert(isLeading || !raft.areAppendsDue, 'only a leader replicates', raft.role);
  assert(isLeading || raft.uncommittedBytes === 0, 'only a leader proposes', raft.role);
  if (raft.role === Role.Follower) {
    assert(raft.votes.size === 0, 'a follower counts no votes', raft.votes.size);
    return;
  }
  // A leader may be leaving.
  assert(isLeading || mayCampaign(raft), 'only a voter campaigns', raft.id, raft.role);
  if (raft.role === Role.PreCandidate) {
    assert(raft.leader === NO_NODE, 'a campaign knows no leader', raft.leader);
    return;
  }
  assert(raft.vote === raft.id, 'a candidate votes for itself', raft.vote);
  if (raft.role === Role.Candidate) assert(raft.leader === NO_NODE, 'a campaign knows no leader');
}

function checkReads(raft: Raft): void {
  const { open, running } = raft.reads;
  const isLost = raft.leader === NO_NODE;
  assert(!isLost || open.length === 0, 'reads wait for a leader', open.length);
  assert(!isLost || running.length === 0, 'reads wait for a leader', running.length);
  if (raft.role === Role.Leader) return;
  const isOwn = open.every((read) => read.from === raft.id);
  assert(isOwn, 'only a leader answers others', raft.id);
}

function checkMembers(raft: Raft): void {
  const { voters, outgoing, learners } = raft.configuration;
  const ids = new Set([...voters, ...outgoing, ...learners]);
  assert(raft.progress.size === ids.size, 'every member has a progress', raft.progress.size);
  for (const id of ids) assert(raft.progress.has(id), 'every member has a progress', id);
  assert(raft.voters.length === voters.length, 'the voters count', raft.voters.length);
  assert(raft.outgoing.length === outgoing.length, 'and those that leave', raft.outgoing.length);
  for (let i = 1; i < raft.others.length; i += 1) {
    assert(raft.others[i - 1]!.id < raft.others[i]!.id, 'peers ascend', i);
  }
}

function checkConfigurations(raft: Raft): void {
  const { log, configurations } = raft;
  const { configuration } = newestOf(configurations);
  assert(configuration === raft.configuration, 'the last configuration is in force', raft.id);
  for (const [slot, { index }] of configurations.entries()) {
    if (slot === 0) {
      assert(index <= log.startIndex, 'the start of the log has a configuration', index);
      continue;
    }
    assert(index > configurations[slot - 1]!.index, 'configurations ascend', index);
    assert(index > log.startIndex, 'what is behind the start is forgotten', index, log.startIndex);
    const { type } = entryAt(log, index);
    assert(type === EntryType.Configuration, 'a configuration is an entry', index, type);
  }
}

function checkLeader(raft: Raft): void {
  const { log, writes } = raft;
  assert(writes.persistedTerm === raft.term, 'a leader has its term on disk', raft.term);
  assert(writes.persistedVote === raft.id, 'a leader has its vote on disk', raft.id);
  assert(raft.termStartIndex > log.startIndex || log.commitIndex >= raft.termStartIndex, 'a term');
  let sizeBytes = 0;
  for (let index = log.commitIndex + 1; index <= lastIndexOf(log); index += 1) {
    sizeBytes += sizeOf(entryAt(log, index));
  }
  assert(sizeBytes === raft.uncommittedBytes, 'a leader knows what is uncommitted', sizeBytes);
  for (const progress of raft.progress.values()) checkProgress(progress, lastIndexOf(log));
  for (const peer of raft.others) {
    const isBehind = peer.state === ProgressState.Replicate && peer.match < log.startIndex;
    assert(!isBehind || peer.inflights.count >= 0, 'a window is there', peer.id);
  }
  const match = raft.progress.get(raft.id)?.match ?? 0;
  assert(match <= writes.persistedIndex, 'a leader counts what is on disk', match);
}
