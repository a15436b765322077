/** How others read a core. The single getters are for hot paths, raftStatus for people. */

import type { LogIndex, NodeId, PeerProgress, RaftStatus, Term } from '../../../include/node.ts';
import { Role } from '../../../include/node.ts';
import { newestOf } from './configurations.ts';
import { lastIndexOf, lastTermOf } from './log.ts';
import type { Raft } from './state.ts';
import { isVoter } from './state.ts';

/** Whether this member leads, as far as it knows. */
export function isLeader(raft: Raft): boolean {
  return raft.role === Role.Leader;
}

/** The member that leads, as far as this one knows; NO_NODE if it knows none. */
export function leaderOf(raft: Raft): NodeId {
  return raft.leader;
}

/** The current term. */
export function termOf(raft: Raft): Term {
  return raft.term;
}

/** The index of the last entry: after an accepted proposal, the proposal's. */
export function lastIndex(raft: Raft): LogIndex {
  return lastIndexOf(raft.log);
}

/** The last index known to be committed. */
export function commitIndex(raft: Raft): LogIndex {
  return raft.log.commitIndex;
}

/** The place before the first entry in memory. */
export function startIndex(raft: Raft): LogIndex {
  return raft.log.startIndex;
}

/** The term of the entry at that place. */
export function startTerm(raft: Raft): Term {
  return raft.log.startTerm;
}

/** Everything worth telling, copied. */
export function raftStatus(raft: Raft): RaftStatus {
  const { log, writes } = raft;
  return {
    id: raft.id,
    role: raft.role,
    isLearner: !isVoter(raft),
    term: raft.term,
    vote: raft.vote,
    leader: raft.leader,
    startIndex: log.startIndex,
    lastIndex: lastIndexOf(log),
    lastTerm: lastTermOf(log),
    commitIndex: log.commitIndex,
    handedOutIndex: log.handedOutIndex,
    persistedIndex: writes.persistedIndex,
    logEntries: log.entries.length - log.head,
    logBytes: log.sizeBytes,
    uncommittedBytes: raft.uncommittedBytes,
    transferTarget: raft.transferTarget,
    configuration: raft.configuration,
    configurationIndex: newestOf(raft.configurations).index,
    progress: isLeader(raft) ? progressOf(raft) : [],
  };
}

function progressOf(raft: Raft): PeerProgress[] {
  return raft.others.map((peer) => ({
    id: peer.id,
    isLearner: peer.isLearner,
    state: peer.state,
    match: peer.match,
    next: peer.next,
    isActive: peer.isActive,
    inflightCount: peer.inflights.count,
  }));
}
