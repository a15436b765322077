/**
 * A cluster of cores in memory, with a network that is a list and disks that are objects. Nothing
 * happens by itself: whoever uses it decides what is delivered, synced, crashed and when.
 *
 * A disk keeps what was synced. A Ready is queued until then, as a real loop would have it: its
 * messages leave at once, its messagesAfterSync and the call of persisted wait.
 */

import type {
  Configuration,
  Entry,
  HardState,
  Message,
  NodeId,
  RaftOptions,
  Ready,
  SnapshotMeta,
} from '../../include/node.ts';
import { EntryType, MessageType, NO_ENTRIES, NO_NODE } from '../../include/node.ts';
import { decodeConfiguration } from '../../src/configuration.ts';
import type { Raft } from '../../src/node/raft/raft.ts';
import {
  configurationAt,
  createRaft,
  hasReady,
  persisted,
  ready,
  snapshotSent,
  step,
  stepSnapshot,
} from '../../src/node/raft/raft.ts';

/** What a member's disk holds for good. */
export type Disk = { hardState: HardState; snapshot: SnapshotMeta; entries: Entry[] };

/** One member: its core, its disk, and a store that is the list of what was applied. */
export type Member = {
  readonly id: NodeId;
  raft: Raft;
  readonly disk: Disk;
  /** Readys whose sync is still to come. */
  unsynced: Ready[];
  /** What was applied, by index - 1. */
  applied: string[];
  /** A snapshot that has arrived and that the core may take. */
  arrived: ArrivedSnapshot | undefined;
  isUp: boolean;
};

/** A snapshot and the state that it stands for. */
export type ArrivedSnapshot = { readonly meta: SnapshotMeta; readonly applied: readonly string[] };

/** A message on its way, with a snapshot if it is of that type. */
export type Parcel = { readonly message: Message; readonly snapshot?: ArrivedSnapshot };

/** The tuning that all members share. */
export type ClusterSettings = Omit<
  RaftOptions,
  'id' | 'snapshot' | 'hardState' | 'entries' | 'applied' | 'randomBelow'
> & {
  /** The chance of each member. */
  readonly randomOf: (id: NodeId) => (bound: number) => number;
};

/** The whole. */
export type Cluster = {
  readonly settings: ClusterSettings;
  readonly configuration: Configuration;
  readonly members: Map<NodeId, Member>;
  wire: Parcel[];
};

/**
 * Small numbers that scripts can count: a heartbeat every other tick, member n campaigns after
 * 10 + n ticks without one. Read sequences, drawn from a large range, begin at 1.
 */
export const DEFAULT_SETTINGS: ClusterSettings = {
  heartbeatTicks: 2,
  electionTicks: 10,
  lostLeaderStaggerTicks: 2,
  appendBytesMax: 1_000,
  inflightMessagesMax: 4,
  inflightBytesMax: 4_000,
  uncommittedBytesMax: 4_000,
  randomOf: (id) => (bound) => (bound > 1_000_000 ? 0 : Math.min(id, bound - 1)),
};

/** Makes a cluster whose members have empty disks. */
export function createCluster(configuration: Configuration, settings: ClusterSettings): Cluster {
  const cluster: Cluster = { settings, configuration, members: new Map(), wire: [] };
  const { voters, outgoing, learners } = configuration;
  const ids = [...new Set([...voters, ...outgoing, ...learners])].sort((a, b) => a - b);
  for (const id of ids) {
    addMember(cluster, id, emptyDisk(configuration));
  }
  return cluster;
}

/** The configuration of a member that joins: it learns from the log who belongs to the cluster. */
export const NO_MEMBERS: Configuration = { voters: [], outgoing: [], learners: [] };

/** A disk on which nothing but the first configuration was ever written. */
export function emptyDisk(configuration: Configuration): Disk {
  return {
    hardState: { term: 0, vote: NO_NODE, commit: 0 },
    snapshot: { index: 0, term: 0, configuration },
    entries: [],
  };
}

/** Adds a member that starts from `disk`. */
export function addMember(cluster: Cluster, id: NodeId, disk: Disk): Member {
  const applied: string[] = [];
  const raft = startCore(cluster, id, disk, applied.length);
  const member: Member = {
    id,
    raft,
    disk,
    unsynced: [],
    applied,
    arrived: undefined,
    isUp: true,
  };
  cluster.members.set(id, member);
  return member;
}

/** The member with this id. */
export function memberOf(cluster: Cluster, id: NodeId): Member {
  const member = cluster.members.get(id);
  if (member === undefined) throw new Error(`no member ${id}`);
  return member;
}

/** Takes one Ready and does all of it that needs no disk. */
export function takeReady(cluster: Cluster, member: Member): Ready | undefined {
  if (!member.isUp || !hasReady(member.raft)) return undefined;
  const output = ready(member.raft);
  for (const message of output.messages) cluster.wire.push({ message });
  if (output.snapshot !== undefined) {
    if (member.arrived?.meta !== output.snapshot) throw new Error('a snapshot out of nowhere');
    member.applied = [...member.arrived.applied];
  }
  for (const entry of output.committed) apply(member, entry);
  for (const wanted of output.snapshotsWanted) sendSnapshot(cluster, member, wanted.to);
  member.unsynced.push(output);
  return output;
}

/**
 * Syncs the first `count` Readys that wait: the disk has them, what rested on them leaves, and one
 * report stands for all.
 */
export function syncMember(cluster: Cluster, member: Member, count: number): void {
  const synced = member.unsynced.splice(0, count);
  let newestNumber = 0;
  for (const output of synced) {
    writeToDisk(member.disk, output);
    newestNumber = Math.max(newestNumber, output.writeNumber);
    for (const message of output.messagesAfterSync) cluster.wire.push({ message });
  }
  if (newestNumber > 0) persisted(member.raft, newestNumber);
}

/** Hands one parcel over, if its receiver is there. A snapshot's sender learns it. */
export function deliver(cluster: Cluster, parcel: Parcel): void {
  const { message, snapshot } = parcel;
  const member = cluster.members.get(message.to);
  if (member === undefined || !member.isUp) return;
  if (snapshot === undefined) {
    step(member.raft, message);
    return;
  }
  takeReady(cluster, member); // One snapshot a Ready, as a loop that receives one at a time has it.
  member.arrived = snapshot;
  stepSnapshot(member.raft, message.from, message.term, snapshot.meta);
  const sender = cluster.members.get(message.from);
  if (sender?.isUp) snapshotSent(sender.raft, message.to, true, snapshot.meta.index);
}

/**
 * Kills a member.
 *
 * @param writtenCount how many of the Readys not yet synced reach the disk all the same
 */
export function crash(member: Member, writtenCount: number): void {
  for (const output of member.unsynced.slice(0, writtenCount)) writeToDisk(member.disk, output);
  member.unsynced = [];
  member.arrived = undefined;
  member.isUp = false;
}

/**
 * Starts a member again from its disk.
 *
 * @param appliedIndex how much of the store survived: a prefix, at least the snapshot
 */
export function restart(cluster: Cluster, member: Member, appliedIndex: number): void {
  member.applied.length = appliedIndex;
  member.raft = startCore(cluster, member.id, member.disk, appliedIndex);
  member.isUp = true;
}

/** Cuts the disk's log behind what the core has compacted. */
export function cutDisk(member: Member): void {
  const { disk, raft } = member;
  const { startIndex, startTerm } = raft.log;
  if (startIndex <= disk.snapshot.index) return;
  disk.entries = disk.entries.filter((entry) => entry.index > startIndex);
  disk.snapshot = {
    index: startIndex,
    term: startTerm,
    configuration: configurationAt(raft, startIndex),
  };
}

/** The lists of a configuration; those that are empty are left out, but for the voters. */
export function describeConfiguration({ voters, outgoing, learners }: Configuration): string {
  const shown = [`voters=${voters}`];
  if (outgoing.length > 0) shown.push(`outgoing=${outgoing}`);
  if (learners.length > 0) shown.push(`learners=${learners}`);
  return shown.join(' ');
}

/** What an entry does to a store. */
export function effectOf(entry: Entry): string {
  switch (entry.type) {
    case EntryType.Empty:
      return '';
    case EntryType.Command:
      return entry.data.toString();
    case EntryType.Configuration: {
      const configuration = decodeConfiguration(entry.data);
      return configuration === undefined ? '?' : describeConfiguration(configuration);
    }
  }
}

function startCore(cluster: Cluster, id: NodeId, disk: Disk, applied: number): Raft {
  const { hardState, snapshot, entries } = disk;
  const randomBelow = cluster.settings.randomOf(id);
  return createRaft({
    ...cluster.settings,
    id,
    hardState,
    snapshot,
    entries,
    applied,
    randomBelow,
  });
}

function apply(member: Member, entry: Entry): void {
  const expected = member.applied.length + 1;
  if (entry.index !== expected) {
    throw new Error(`member ${member.id} applies ${entry.index} where ${expected} is next`);
  }
  member.applied.push(effectOf(entry));
}

/** A snapshot of all that the member has applied; nothing is sent before anything is. */
export function sendSnapshot(cluster: Cluster, member: Member, to: NodeId): void {
  const { raft, applied } = member;
  const index = applied.length;
  const term = index === raft.log.startIndex ? raft.log.startTerm : termOfEntry(raft, index);
  const meta: SnapshotMeta = { index, term, configuration: configurationAt(raft, index) };
  const message: Message = {
    type: MessageType.Snapshot,
    from: member.id,
    to,
    term: raft.term,
    index,
    logTerm: term,
    commit: 0,
    context: 0,
    reject: false,
    hint: 0,
    entries: NO_ENTRIES,
  };
  cluster.wire.push({ message, snapshot: { meta, applied: applied.slice() } });
}

function termOfEntry(raft: Raft, index: number): number {
  const entry = raft.log.entries[raft.log.head + index - raft.log.startIndex - 1];
  if (entry === undefined) throw new Error(`no entry ${index} to take a snapshot at`);
  return entry.term;
}

function writeToDisk(disk: Disk, output: Ready): void {
  if (output.snapshot !== undefined) {
    disk.snapshot = output.snapshot;
    disk.entries = [];
  }
  if (output.hardState !== undefined) disk.hardState = output.hardState;
  const first = output.entries[0];
  if (first === undefined) return;
  disk.entries.length = first.index - disk.snapshot.index - 1;
  disk.entries.push(...output.entries);
}
