/**
 * Changing who belongs to the cluster (thesis 4), one change at a time.
 *
 * A change of the voters goes through a joint configuration, in which both the old and the new
 * voters must agree (4.3); once that is committed the leader appends the new one alone. A change of
 * anything else (learners, what is known of members) cannot split a majority: one entry does.
 *
 *   propose --> joint in force --committed--> new in force --committed--> a leader that is out
 *                                                                         resigns
 *
 * A leader may lead a cluster that it does not belong to any more until the change is committed; it
 * does not count itself (4.2.2). Then it tells the voter that is furthest to take over at once.
 */

import type { Configuration, LogIndex, NodeId, Roster } from '../../../include/node.ts';
import { ChangeResult, EntryType, MessageType, NO_NODE, Role } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { encodeConfiguration } from '../../configuration.ts';
import { advanceCommit } from './commit.ts';
import { configurationAsOf, newestOf } from './configurations.ts';
import { lastIndexOf } from './log.ts';
import { draft, post } from './message.ts';
import type { Progress } from './progress.ts';
import { appendOwn } from './propose.ts';
import { confirmRound } from './read-index.ts';
import { flushAppends } from './replicate.ts';
import { becomeFollower } from './role.ts';
import type { Raft } from './state.ts';
import { enforceConfiguration, isVoter } from './state.ts';
import { abortTransfer } from './transfer.ts';

/**
 * Starts a change to `target`. If accepted, it has taken place when an entry of this term from here
 * on is committed and no joint configuration is in force any more.
 *
 * @param target not joint, with a voter; its lists have no member in common
 */
export function changeConfiguration(raft: Raft, target: Configuration): ChangeResult {
  assert(target.voters.length > 0, 'somebody votes', target.voters.length);
  assert(target.outgoing.length === 0, 'what is aimed at is not joint', target.outgoing.length);
  const learners = new Set(target.learners);
  assert(!target.voters.some((id) => learners.has(id)), 'a voter is no learner');
  if (raft.role !== Role.Leader) return ChangeResult.NotLeader;
  if (raft.transferTarget !== NO_NODE) return ChangeResult.Transferring;
  const { configuration, log } = raft;
  const isSettled = newestOf(raft.configurations).index <= log.commitIndex;
  // Before its term's first entry is committed a leader does not know what is (thesis 6.4).
  const isReady = log.commitIndex >= raft.termStartIndex;
  if (!isSettled || !isReady || configuration.outgoing.length > 0) return ChangeResult.Pending;

  const hasSameVoters = isSameList(target.voters, configuration.voters);
  appendConfiguration(raft, hasSameVoters ? target : jointOf(configuration, target));
  return ChangeResult.Accepted;
}

/** Who belonged to the cluster when the entry at `index` was the last; from startIndex on. */
export function configurationAt(raft: Raft, index: LogIndex): Configuration {
  return configurationAsOf(raft.configurations, index);
}

/** Whether a leader has a change to carry on: what is in force is committed, and not the end. */
export function isChangeDue(raft: Raft): boolean {
  if (raft.role !== Role.Leader) return false;
  if (raft.configuration.outgoing.length === 0 && isVoter(raft)) return false;
  return newestOf(raft.configurations).index <= raft.log.commitIndex;
}

/** Carries the change on; isChangeDue must hold. */
export function continueChange(raft: Raft): void {
  assert(isChangeDue(raft), 'a change goes on when it is committed', raft.role);
  const { configuration } = raft;
  if (configuration.outgoing.length > 0) appendConfiguration(raft, finalOf(configuration));
  else resign(raft);
}

function appendConfiguration(raft: Raft, configuration: Configuration): void {
  appendOwn(raft, EntryType.Configuration, encodeConfiguration(configuration));
  enforceConfiguration(raft);
  const target = raft.progress.get(raft.transferTarget);
  const isTargetGone = target === undefined || target.isLearner;
  if (raft.transferTarget !== NO_NODE && isTargetGone) {
    abortTransfer(raft, 'the target is no voter any more');
  }
  // A smaller majority may be there already.
  advanceCommit(raft);
  confirmRound(raft);
}

/** What lies between: both lists of voters count, everybody is known. */
function jointOf(from: Configuration, to: Configuration): Configuration {
  const roster = joinRosters(from.roster, to.roster);
  const { voters, learners } = to;
  const joint = { voters, outgoing: from.voters, learners };
  return roster === undefined ? joint : { ...joint, roster };
}

/** What a joint configuration leads to. */
function finalOf({ voters, learners, roster }: Configuration): Configuration {
  const final = { voters, outgoing: [], learners };
  if (roster === undefined) return final;
  const ids = new Set([...voters, ...learners]);
  const members = roster.members.filter(({ id }) => ids.has(id));
  return { ...final, roster: { nextId: roster.nextId, members } };
}

/** The members of both, as the later one knows them. */
function joinRosters(from: Roster | undefined, to: Roster | undefined): Roster | undefined {
  if (from === undefined || to === undefined) return to;
  const ids = new Set(to.members.map(({ id }) => id));
  const leaving = from.members.filter(({ id }) => !ids.has(id));
  const members = [...to.members, ...leaving].sort((a, b) => a.id - b.id);
  return { nextId: to.nextId, members };
}

/** Stops to lead a cluster that it is out of: all learn of the commit, the best takes over. */
function resign(raft: Raft): void {
  for (const peer of raft.others) peer.isAppendOwed = true;
  flushAppends(raft);
  const successor = bestSuccessor(raft);
  if (successor !== undefined) post(raft, draft(raft, MessageType.TimeoutNow, successor));
  becomeFollower(raft, raft.term, NO_NODE, 'it is no voter any more');
}

/** The voter with the longest log, if it has all of this one's: others could not win. */
function bestSuccessor(raft: Raft): NodeId | undefined {
  const isWhole = (voter: Progress): boolean => voter.match === lastIndexOf(raft.log);
  return raft.voters.find((voter) => voter.isActive && isWhole(voter))?.id;
}

function isSameList(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, slot) => id === b[slot]);
}
