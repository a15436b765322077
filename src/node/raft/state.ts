/**
 * The state of one core: a plain object, made by createRaft, changed only by the functions of this
 * folder. Others read it through status.ts.
 *
 * Server state as in figure 3.1 of the thesis (term, vote, log, commit index; next and match index
 * by peer), and what kvorum adds: reads, transfer, hints, and the queues that a Ready empties.
 */

import type {
  Configuration,
  LogIndex,
  Message,
  NodeId,
  RaftEvent,
  RaftOptions,
  ReadGrant,
  SnapshotMeta,
  SnapshotWanted,
  Term,
} from '../../../include/node.ts';
import { NO_NODE, Role, TERM_MAX } from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import type { Configurations } from './configurations.ts';
import { configurationAsOf, createConfigurations, newestOf } from './configurations.ts';
import type { Log } from './log.ts';
import { createLog, lastIndexOf, lastTermOf } from './log.ts';
import type { Progress } from './progress.ts';
import { createProgress, resetProgress } from './progress.ts';
import type { Writes } from './writes.ts';
import { createWrites } from './writes.ts';

/** The options that stay in force. */
export type RaftSettings = Omit<
  RaftOptions,
  'id' | 'snapshot' | 'hardState' | 'entries' | 'applied'
>;

/** A read that waits for a read index. */
export type PendingRead = {
  /** The member that asks; the own id for a read of this member. */
  readonly from: NodeId;
  /** Of this member: the number given to readIndex. Of another: its read sequence. */
  readonly id: number;
};

/** The reads of one member; read-index.ts tells how they move. */
export type Reads = {
  /** Of the newest round; never used twice, not even across restarts but for chance. */
  sequence: number;
  /** Asked since the running round began. */
  open: PendingRead[];
  /** Of the round under way; empty when none is. */
  running: PendingRead[];
  /** On a leader: the commit index when the round began. */
  runningIndex: LogIndex;
  /** On a follower: how long the leader has owed an answer. */
  runningTicks: number;
};

/** What the next Ready will hand out. */
export type Outbox = {
  messages: Message[];
  messagesAfterSync: Message[];
  snapshot: SnapshotMeta | undefined;
  reads: ReadGrant[];
  readsRefused: number[];
  snapshotsWanted: SnapshotWanted[];
  events: RaftEvent[];
};

/** One core. */
export type Raft = {
  readonly id: NodeId;
  readonly settings: RaftSettings;

  term: Term;
  vote: NodeId;
  role: Role;
  leader: NodeId;
  readonly log: Log;
  readonly writes: Writes;

  /** Those that the log holds; `configuration` is the last one, in force. */
  readonly configurations: Configurations;
  configuration: Configuration;
  /** All members by id, this one included. */
  readonly progress: Map<NodeId, Progress>;
  /** All but this one, ascending; and those that count, with this one. */
  others: Progress[];
  voters: Progress[];
  outgoing: Progress[];

  /** Answers to the campaign under way, the own one included. */
  readonly votes: Map<NodeId, boolean>;
  /**
   * Since a leader was heard of, a vote was granted or a campaign began; on a leader, since it last
   * checked its quorum.
   */
  electionElapsedTicks: number;
  /** When electionElapsedTicks reaches it, this member campaigns. */
  electionTimeoutTicks: number;
  heartbeatElapsedTicks: number;
  /** Campaigns that may still follow each other quickly; 0 outside a hinted election. */
  hastyCampaignsLeft: number;
  /** Members whose connection broke and that were not heard of since. */
  readonly lostPeers: Set<NodeId>;

  /** On a leader: the index of its first entry; reads wait until that is committed (thesis 6.4). */
  termStartIndex: LogIndex;
  /** On a leader: the bytes of the entries behind the commit index. */
  uncommittedBytes: number;
  /** On a leader: some peer may have something to be sent. */
  areAppendsDue: boolean;
  transferTarget: NodeId;
  transferElapsedTicks: number;

  readonly reads: Reads;
  readonly outbox: Outbox;
};

/**
 * Makes a core from what the disk holds. It starts as a follower.
 *
 * A log whose last entry is of a later term than the hard state is what a crash between two records
 * of one write leaves: that write was never confirmed, so no vote of that term was sent either.
 */
export function createRaft(options: RaftOptions): Raft {
  checkOptions(options);
  const { id, snapshot, hardState, entries, applied, ...settings } = options;
  const log = createLog(snapshot, entries, hardState.commit, applied);
  const configurations = createConfigurations(snapshot.index, snapshot.configuration, entries);
  const { configuration } = newestOf(configurations);
  const isTorn = lastTermOf(log) > hardState.term;
  const raft: Raft = {
    id,
    settings,
    term: isTorn ? lastTermOf(log) : hardState.term,
    vote: isTorn ? NO_NODE : hardState.vote,
    role: Role.Follower,
    leader: NO_NODE,
    log,
    writes: createWrites({ ...hardState, commit: log.commitIndex }, lastIndexOf(log)),
    configurations,
    configuration,
    progress: new Map(),
    others: [],
    voters: [],
    outgoing: [],
    votes: new Map(),
    electionElapsedTicks: 0,
    electionTimeoutTicks: 0,
    heartbeatElapsedTicks: 0,
    hastyCampaignsLeft: 0,
    lostPeers: new Set(),
    termStartIndex: 0,
    uncommittedBytes: 0,
    areAppendsDue: false,
    transferTarget: NO_NODE,
    transferElapsedTicks: 0,
    reads: createReads(settings),
    outbox: createOutbox(),
  };
  installConfiguration(raft, configuration);
  drawElectionTimeout(raft);
  return raft;
}

/** Whether this member's vote counts. */
export function isVoter(raft: Raft): boolean {
  const { voters, outgoing } = raft.configuration;
  return voters.includes(raft.id) || outgoing.includes(raft.id);
}

/**
 * Whether this member may campaign: its vote counts, or it did until an entry that may not be
 * committed. Then its log may be the only one that can win, though its own vote does not count in
 * it (thesis 4.2.2).
 */
export function mayCampaign(raft: Raft): boolean {
  if (isVoter(raft)) return true;
  const { configurations, log, id } = raft;
  if (newestOf(configurations).index <= log.commitIndex) return false;
  const { voters, outgoing } = configurationAsOf(configurations, log.commitIndex);
  return voters.includes(id) || outgoing.includes(id);
}

/**
 * Draws the next election timeout: from [n, 2n) ticks, so that members rarely campaign together
 * (thesis 3.4). After a hint that the leader is gone, from a range as wide as the voters are many,
 * in units of the stagger, for a bounded number of campaigns: see lost-leader.ts.
 */
export function drawElectionTimeout(raft: Raft): void {
  const { electionTicks, lostLeaderStaggerTicks, randomBelow } = raft.settings;
  const staggerTicks = Math.max(1, lostLeaderStaggerTicks);
  const hastyTicks = staggerTicks * (1 + raft.voters.length);
  raft.electionTimeoutTicks =
    raft.hastyCampaignsLeft > 0 && hastyTicks < electionTicks
      ? staggerTicks + randomBelow(hastyTicks - staggerTicks)
      : electionTicks + randomBelow(electionTicks);
}

/** Makes the last configuration of the log the one in force, if it is not yet. */
export function enforceConfiguration(raft: Raft): void {
  const { index, configuration } = newestOf(raft.configurations);
  if (configuration === raft.configuration) return;
  installConfiguration(raft, configuration);
  raft.outbox.events.push({ kind: 'configuration', index, of: configuration });
}

/** Progress is kept of members that stay. */
function installConfiguration(raft: Raft, configuration: Configuration): void {
  const { voters, outgoing, learners } = configuration;
  const { inflightMessagesMax, inflightBytesMax } = raft.settings;
  raft.configuration = configuration;
  const ids = new Set([...voters, ...outgoing, ...learners]);
  for (const id of raft.progress.keys()) {
    if (ids.has(id)) continue;
    raft.progress.delete(id);
    raft.lostPeers.delete(id);
  }
  for (const id of ids) {
    if (raft.progress.has(id)) continue;
    const progress = createProgress(id, inflightMessagesMax, inflightBytesMax);
    resetProgress(progress, lastIndexOf(raft.log));
    // It had no time yet to be heard of: the next check of the quorum must not count that.
    progress.isActive = raft.role === Role.Leader;
    raft.progress.set(id, progress);
  }
  const members = [...raft.progress.values()].sort((a, b) => a.id - b.id);
  for (const member of members) {
    member.isLearner = !voters.includes(member.id) && !outgoing.includes(member.id);
  }
  raft.others = members.filter((member) => member.id !== raft.id);
  raft.voters = members.filter((member) => voters.includes(member.id));
  raft.outgoing = members.filter((member) => outgoing.includes(member.id));
}

function createReads(settings: RaftSettings): Reads {
  // A late answer to a read of an earlier life must not answer one of this life: start elsewhere.
  const sequence = settings.randomBelow(2 ** 31) * 2 ** 20;
  return { sequence, open: [], running: [], runningIndex: 0, runningTicks: 0 };
}

function createOutbox(): Outbox {
  return {
    messages: [],
    messagesAfterSync: [],
    snapshot: undefined,
    reads: [],
    readsRefused: [],
    snapshotsWanted: [],
    events: [],
  };
}

function checkOptions(options: RaftOptions): void {
  const { id, hardState, heartbeatTicks, electionTicks } = options;
  assert(id >= 0, 'a member has an id', id);
  assert(heartbeatTicks > 0, 'heartbeats take time', heartbeatTicks);
  assert(electionTicks > heartbeatTicks, 'an election waits out a heartbeat', electionTicks);
  assert(options.lostLeaderStaggerTicks >= 0, 'a stagger is no time travel');
  assert(options.appendBytesMax > 0, 'an Append may carry something', options.appendBytesMax);
  assert(options.uncommittedBytesMax > 0, 'something may be proposed', options.uncommittedBytesMax);
  assert(hardState.term >= 0, 'terms count from 0', hardState.term);
  assert(hardState.term <= TERM_MAX, 'a term fits', hardState.term, TERM_MAX);
}
