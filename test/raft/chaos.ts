/**
 * One run of a cluster in a hostile world, drawn from a seed: messages are lost, doubled and
 * reordered, disks sync late, members crash and come back with half of what they wrote, hints are
 * false, and in half of the runs members come and go. Every step is watched (safety.ts, checkRaft).
 * Then the world calms down, and the cluster must agree on something new.
 *
 * A run repeats exactly from its seed: runChaos(seed, {}).
 */

import type { Entry, Message, NodeId, Ready } from '../../include/node.ts';
import {
  EntryType,
  MessageType,
  NO_ENTRIES,
  NO_NODE,
  ProposeResult,
  Role,
} from '../../include/node.ts';
import {
  changeConfiguration,
  checkRaft,
  compact,
  electSoon,
  hasReady,
  peerLost,
  peerUnreachable,
  propose,
  readIndex,
  snapshotSent,
  step,
  tick,
  transferLeader,
} from '../../src/node/raft/raft.ts';
import { createRandom, type Random } from '../../src/random.ts';
import type { Cluster, Member, Parcel } from './cluster.ts';
import {
  addMember,
  crash,
  createCluster,
  cutDisk,
  deliver,
  emptyDisk,
  memberOf,
  NO_MEMBERS,
  restart,
  syncMember,
  takeReady,
} from './cluster.ts';
import type { Safety } from './safety.ts';
import {
  createSafety,
  watchLogs,
  watchMember,
  watchReadAsked,
  watchReadGranted,
} from './safety.ts';

/** What a run may do wrong on purpose, to see that it is noticed. */
export type Canary = {
  /** After a member has taken a step. */
  readonly sabotage?: (member: Member, random: Random) => void;
};

/** What a run came to. */
export type Outcome = {
  readonly committed: number;
  readonly terms: number;
  readonly snapshots: number;
  readonly grants: number;
  readonly changes: number;
};

type World = {
  readonly cluster: Cluster;
  readonly safety: Safety;
  readonly random: Random;
  readonly canary: Canary;
  /** How likely faults are, in percent: drawn, so that some seeds are calm and some are not. */
  readonly faultPercent: number;
  /** A member that nobody hears and that hears nobody, for a while. */
  isolated: NodeId;
  /** Whether members come and go. */
  readonly hasChanges: boolean;
  /** A member whose clock is slow. */
  readonly slow: NodeId;
  nextNumber: number;
  snapshots: number;
  grants: number;
  changes: number;
};

const STEPS = 8_000;
/** Calm turns within which a cluster must have agreed; an election takes 60. */
const CALM_TURNS_MAX = 2_000;
/** Members that start with nothing, in runs in which members come and go. */
const JOINING: readonly NodeId[] = [5, 6];
const ALL_TYPES = Object.values(MessageType);

/** Runs one seed; throws when a rule is broken. */
export function runChaos(seed: number, canary: Canary): Outcome {
  const world = createWorld(seed, canary);
  for (let i = 0; i < STEPS; i += 1) {
    const member = pickMember(world);
    takeStep(world, member);
    watch(world, member);
    if (i % 50 === 0) watchLogs(world.safety, world.cluster);
  }
  calmDown(world);
  const { safety, snapshots, grants, changes } = world;
  const { size: terms } = safety.leaders;
  return { committed: safety.committed.length, terms, snapshots, grants, changes };
}

function createWorld(seed: number, canary: Canary): World {
  const random = createRandom(seed);
  const voters = [0, 1, 2, 3, 4].slice(0, [1, 2, 3, 3, 3, 4, 5, 5][random.below(8)]);
  const learners = random.below(3) === 0 ? [7] : [];
  const cluster = createCluster(
    { voters, outgoing: [], learners },
    {
      heartbeatTicks: 2,
      electionTicks: 10,
      lostLeaderStaggerTicks: random.below(4),
      appendBytesMax: 40 + random.below(200),
      inflightMessagesMax: 1 + random.below(4),
      inflightBytesMax: 50 + random.below(500),
      uncommittedBytesMax: 1_000,
      randomOf: () => (bound) => random.below(bound),
    },
  );
  const hasChanges = random.below(2) === 0;
  if (hasChanges) for (const id of JOINING) addMember(cluster, id, emptyDisk(NO_MEMBERS));
  return {
    cluster,
    hasChanges,
    safety: createSafety(),
    random,
    canary,
    faultPercent: random.below(10),
    isolated: NO_NODE,
    slow: random.below(8),
    nextNumber: 1,
    snapshots: 0,
    grants: 0,
    changes: 0,
  };
}

/** One thing happens to one member. */
function takeStep(world: World, member: Member): void {
  const { random } = world;
  if (!member.isUp) {
    if (random.below(20) === 0) revive(world, member);
    return;
  }
  if (random.below(100) < world.faultPercent) return takeFault(world, member);
  const choice = random.below(100);
  if (choice < 8) tickOne(world, member);
  else if (choice < 60) deliverOne(world);
  else if (choice < 74) take(world, member);
  else if (choice < 75) shrink(world, member);
  else if (choice < 88) syncMember(world.cluster, member, random.below(4));
  else if (choice < 94) proposeOne(world, member);
  else if (choice < 95) changeMembers(world, member);
  else ask(world, member);
}

function takeFault(world: World, member: Member): void {
  const { random, cluster } = world;
  const peer = pickMember(world).id;
  switch (random.below(12)) {
    case 0:
      crash(member, random.below(member.unsynced.length + 1));
      if (random.below(2) === 0) {
        for (const { raft } of cluster.members.values()) peerLost(raft, member.id);
      }
      break;
    case 1:
      peerLost(member.raft, peer);
      break;
    case 2:
      peerUnreachable(member.raft, peer);
      break;
    case 3:
      transferLeader(member.raft, peer);
      break;
    case 4:
      shrink(world, member);
      break;
    case 5:
      snapshotSent(member.raft, peer, random.below(2) === 0, random.below(100));
      break;
    case 6:
      world.isolated = random.below(2) === 0 ? member.id : NO_NODE;
      break;
    case 7:
      electSoon(member.raft);
      break;
    case 8:
      step(member.raft, senseless(world, member.id));
      break;
    default:
      cluster.wire.splice(0, random.below(cluster.wire.length + 1));
  }
}

/** Clocks differ: one member's runs at a quarter of the others' speed. */
function tickOne({ random, slow }: World, member: Member): void {
  if (member.id !== slow || random.below(4) === 0) tick(member.raft);
}

/** Logs are cut behind what is applied, on the disk only when nothing is on its way there. */
function shrink({ random }: World, member: Member): void {
  compact(member.raft, member.applied.length - random.below(4));
  if (member.unsynced.length === 0 && !hasReady(member.raft)) cutDisk(member);
}

/** A random message: reordered for certain, and sometimes lost or doubled. */
function deliverOne(world: World): void {
  const { random, cluster } = world;
  if (cluster.wire.length === 0) return;
  const slot = random.below(random.below(2) === 0 ? 1 : cluster.wire.length);
  const parcel = cluster.wire[slot]!;
  const isDoubled = random.below(100) < world.faultPercent;
  if (!isDoubled) cluster.wire.splice(slot, 1);
  if (random.below(100) < world.faultPercent) return;
  const { from, to } = parcel.message;
  if (from === world.isolated || to === world.isolated) return;
  handOver(world, parcel);
}

function handOver(world: World, parcel: Parcel): void {
  const receiver = world.cluster.members.get(parcel.message.to);
  if (receiver === undefined) return; // An answer to a stranger.
  // One snapshot a Ready: the loop takes the Ready before it tells of an arrival.
  if (parcel.snapshot !== undefined) take(world, receiver);
  deliver(world.cluster, parcel);
  watch(world, receiver);
}

function take(world: World, member: Member): void {
  const output = takeReady(world.cluster, member);
  if (output !== undefined) noteOutput(world, member, output);
}

function noteOutput(world: World, member: Member, output: Ready): void {
  if (output.snapshot !== undefined) world.snapshots += 1;
  world.grants += output.reads.length;
  for (const { type } of output.committed) {
    if (type === EntryType.Configuration && member.raft.role === Role.Leader) world.changes += 1;
  }
  for (const { id, index } of output.reads) watchReadGranted(world.safety, member.id, id, index);
}

function proposeOne(world: World, member: Member): void {
  const text = `${world.nextNumber}`.padEnd(1 + world.random.below(30), '.');
  const result = propose(member.raft, EntryType.Command, Buffer.from(text));
  if (result === ProposeResult.Accepted) world.nextNumber += 1;
}

/** Any members may vote, and any others learn; all that matters is that somebody votes. */
function changeMembers({ cluster, random, hasChanges }: World, member: Member): void {
  if (!hasChanges) return;
  const ids = [...cluster.members.keys()].sort((a, b) => a - b);
  const drawn = ids.map((id) => ({ id, part: random.below(3) }));
  const idsOf = (part: number): NodeId[] =>
    drawn.filter((one) => one.part === part).map(({ id }) => id);
  const voters = idsOf(0);
  if (voters.length === 0) voters.push(member.id);
  const learners = idsOf(1).filter((id) => !voters.includes(id));
  changeConfiguration(member.raft, { voters, outgoing: [], learners });
}

function ask(world: World, member: Member): void {
  const read = world.nextNumber;
  world.nextNumber += 1;
  watchReadAsked(world.safety, member.id, read);
  readIndex(member.raft, read);
}

function revive(world: World, member: Member): void {
  const { random, cluster } = world;
  const least = member.disk.snapshot.index;
  const lost = random.below(member.applied.length - least + 1);
  restart(cluster, member, member.applied.length - (random.below(2) === 0 ? 0 : lost));
}

function watch(world: World, member: Member): void {
  if (!member.isUp) return;
  world.canary.sabotage?.(member, world.random);
  checkRaft(member.raft);
  watchMember(world.safety, world.cluster, member);
}

/** A message that no member would send, of a term that is none: never later than what is known. */
function senseless(world: World, to: NodeId): Message {
  const { random } = world;
  const { term } = memberOf(world.cluster, to).raft;
  const type = ALL_TYPES[random.below(ALL_TYPES.length)]!;
  const isHarmful = type === MessageType.Vote || type === MessageType.VoteReply;
  const entry: Entry = { index: random.below(30), term, type: EntryType.Empty, data: Buffer.of() };
  return {
    type,
    // Of a stranger, so that no member's word is forged.
    from: 50 + random.below(5),
    to,
    term: isHarmful ? random.below(term + 1) : Math.max(0, term - 1),
    index: random.below(50),
    logTerm: random.below(10),
    commit: random.below(50),
    context: random.below(5),
    reject: random.below(2) === 0,
    hint: random.below(50),
    entries: random.below(2) === 0 ? NO_ENTRIES : [entry],
  };
}

function pickMember({ cluster, random }: World): Member {
  const members = [...cluster.members.values()];
  return members[random.below(members.length)]!;
}

/** The one of the latest term. */
function leaderOf({ cluster }: World): Member | undefined {
  const leaders = [...cluster.members.values()].filter(({ raft }) => raft.role === Role.Leader);
  return leaders.sort((a, b) => b.raft.term - a.raft.term)[0];
}

/** All are up, nothing is lost: within a bounded time everyone applies a new entry. */
function calmDown(world: World): void {
  const { cluster } = world;
  const members = [...cluster.members.values()];
  for (const member of members) if (!member.isUp) restart(cluster, member, member.applied.length);
  // Snapshots that were lost on the wire are told of as a loop would.
  for (const { raft } of members) for (const { id } of members) snapshotSent(raft, id, false, 0);
  let marker = 0;
  for (let turn = 0; turn < CALM_TURNS_MAX; turn += 1) {
    for (const member of members) {
      if (turn % 4 === 0) tick(member.raft);
      take(world, member);
      syncMember(cluster, member, member.unsynced.length);
      watch(world, member);
    }
    for (const parcel of cluster.wire.splice(0)) handOver(world, parcel);
    const leader = leaderOf(world);
    if (marker === 0 && leader !== undefined && turn > 200) {
      const before = world.nextNumber;
      proposeOne(world, leader);
      if (world.nextNumber > before) marker = leader.raft.log.entries.at(-1)!.index;
    }
    const followers = members.filter(({ id }) => leader?.raft.progress.has(id));
    if (marker > 0 && followers.every(({ applied }) => applied.length >= marker)) {
      watchLogs(world.safety, cluster);
      return;
    }
  }
  throw new Error(`no agreement within ${CALM_TURNS_MAX} calm turns`);
}
