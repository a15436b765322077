/**
 * A node: one member with its disk and its network, started and stopped as a whole.
 *
 * Start: lock the directory, recover log and store, then open the port. Stop: hand leadership over,
 * close the port, sync everything, unlock. After a fault of the disk nothing more is written: the
 * owner is told once and ends the process, which is what a restart recovers from.
 */

import type { Duplex } from 'node:stream';
import type { Log } from '../../include/log.ts';
import {
  APPEND_BYTES_MAX,
  type ClusterConfig,
  type Configuration,
  ELECTION_MS,
  HEARTBEAT_MS,
  INFLIGHT_BYTES_MAX,
  INFLIGHT_MESSAGES_MAX,
  LOST_LEADER_STAGGER_MS,
  type NodeId,
  SLOW_REQUEST_MS,
  TICK_MS,
  UNCOMMITTED_BYTES_MAX,
  UPKEEP,
  type Upkeep,
} from '../../include/node.ts';
import { PROTOCOL_VERSION } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import { createLmdbHome } from '../kvstore/lmdb-home.ts';
import { openStore, type Store } from '../kvstore/store.ts';
import { createRandom, drawSeed, type Random } from '../random.ts';
import type { ConnectionsMax } from '../rpc/connection-quota.ts';
import { type OpenStream, openTcp } from '../rpc/dial.ts';
import {
  type DataDirectory,
  type DataDirectoryOptions,
  openDataDirectory,
} from './data-directory.ts';
import { createSystemDisk, type Disk } from './disk.ts';
import { DiskRoom, withRoom } from './disk-room.ts';
import { forceNewCluster } from './force-new-cluster.ts';
import { handOver } from './handover.ts';
import { type LevelledLog, levelled } from './levelled-log.ts';
import { LOG_KEPT, type LogKept } from './log-trim.ts';
import { createMeasuredDisk } from './measured-disk.ts';
import { Member } from './member.ts';
import { Network } from './network.ts';
import { NodeMetrics } from './node-metrics.ts';
import { nodeOf } from './nodes-conf.ts';
import { createRaft, type Raft } from './raft/raft.ts';
import { reconcile } from './reconcile.ts';
import { refuseNewer, refuseRemoved, removedFault } from './refused-starts.ts';
import { firstConfiguration, recordOf, rosterOfNodes } from './roster.ts';
import { measureRuntime, type RuntimeMeter } from './runtime-families.ts';
import type { Recovered } from './wal/recover.ts';
import { openWal, type Wal } from './wal/wal.ts';

/** What a node is started with. */
export type NodeOptions = {
  readonly id: NodeId;
  /**
   * What the cluster was born from. Without nodes this one joins a cluster that is there: it learns
   * from that who its members are.
   */
  readonly cluster: ClusterConfig;
  /**
   * Where it is reached as long as nothing else says it: what is known of the members in its log,
   * then nodes.conf.
   */
  readonly place?: MemberPlace;
  /** Where it listens if that is not its place, which is where the others reach it. */
  readonly listen?: MemberPlace;
  readonly dataDir: string;
  /** Whether it goes on without the other members, which are lost; false when left out. */
  readonly forcesNewCluster?: boolean;
  readonly version: string;
  /** What it speaks; PROTOCOL_VERSION when left out. A lower one stands for an older release. */
  readonly protocolVersion?: number;
  readonly clock: Clock;
  /** One whose level cannot be set is given everything, and what it keeps is its own matter. */
  readonly log: Log | LevelledLog;
  /** Milliseconds from which on a request is logged with its parts; SLOW_REQUEST_MS if left out. */
  readonly slowRequestMs?: number;
  /** The node cannot go on; called once. End the process, or at least the thread. */
  readonly onFatal: (cause: unknown) => void;
  readonly heartbeatMs?: number;
  readonly electionMs?: number;
  readonly logKept?: LogKept;
  /** What is not as UPKEEP has it. */
  readonly upkeep?: Partial<Upkeep>;
  /** Clients that it holds; CONNECTIONS_MAX and CONNECTIONS_PER_ADDRESS_MAX when left out. */
  readonly connectionsMax?: ConnectionsMax;
  /** Whether it opens its port; true when left out. Without one it is reached by `adopt` only. */
  readonly listens?: boolean;
  /** Milliseconds between two notes of progress of a quiet watch; WATCH_PROGRESS_MS if left out. */
  readonly watchProgressMs?: number;
};

/** Where a member is reached, or listens. */
export type MemberPlace = { readonly address: string; readonly port: number };

/** What a node uses of its machine besides time: for a simulator to replace. */
export type NodeMachine = {
  readonly random: Random;
  readonly openDirectory: (options: DataDirectoryOptions) => Promise<DataDirectory>;
  /** Where the log is. */
  readonly disk: Disk;
  /** Bytes of a segment of the log; WAL_SEGMENT_BYTES if left out. */
  readonly segmentBytes?: number;
  /** Opens the store in a data directory. @param room what its flushes wait for */
  readonly openStore: (path: string, room: DiskRoom) => Promise<Store>;
  /** The way to other members. */
  readonly openStream: OpenStream;
  /** Begins to measure what the node runs on. */
  readonly measureRuntime: () => RuntimeMeter;
};

/** How a node is stopped. */
export type StopOptions = {
  /** Whether a leader waits for a successor first; true when left out. */
  readonly handsOver?: boolean;
};

/** A running node. */
export type Node = {
  readonly member: Member;
  /** Connects to the node from within its process. Closed at once when the node has stopped. */
  readonly openStream: () => Duplex;
  /** Takes a connection as if it had come to the port. @param remote who it is, for people */
  readonly adopt: (stream: Duplex, remote: string) => void;
  /** Closes and syncs everything; resolves when the directory is free again. */
  readonly stop: (options?: StopOptions) => Promise<void>;
};

type Parts = {
  directory: DataDirectory;
  room: DiskRoom;
  wal: Wal;
  recovered: Recovered;
  store: Store;
};

/**
 * Starts a node.
 *
 * @param replaced what of the machine is not the real one
 * @throws NodeFault, StoreError, KvorumError (as rejection): what was wrong, where, and what to do
 */
export async function startNode(
  options: NodeOptions,
  replaced: Partial<NodeMachine> = {},
): Promise<Node> {
  const machine: NodeMachine = { ...createMachine(), ...replaced };
  const { cluster, clock } = options;
  if (options.place === undefined) nodeOf(cluster, options.id);
  const startedMs = clock.nowMs();
  const onFatal = once(options.onFatal);
  const log = levelled(options.log);
  const metrics = new NodeMetrics();

  // The log calls back only after the member exists: it has nothing to sync before.
  let member: Member | undefined;
  const onSynced = (ticket: number): void => member?.synced(ticket);
  const disk = createMeasuredDisk(machine.disk, clock, metrics);
  const parts = await openParts(options, { ...machine, disk }, onSynced, onFatal);
  const { directory, room, wal, recovered, store } = parts;
  const raft = createCore(options, recovered, store, machine.random);
  const place = placeOf(options, raft.configuration);
  const network = createNetwork(options, machine, store, place);
  const runtime = machine.measureRuntime();
  member = new Member({
    ...memberSettings(options),
    raft,
    wal,
    store,
    transport: network.transport,
    clock,
    random: machine.random,
    log,
    metrics,
    measureOthers: () => [...network.families(), ...runtime.families()],
    isDiskFull: () => room.isFull,
    onRemoved: () => {
      if (stopped !== undefined) return;
      log.error('removed from the cluster', { dataDir: directory.path });
      stop({ handsOver: false }).then(() => onFatal(removedFault(options)), onFatal);
    },
    onFatal,
  });
  const running = member;
  let stopped: Promise<void> | undefined;
  const stop = (how?: StopOptions): Promise<void> => {
    runtime.stop();
    stopped ??= stopNode(running, network, parts, how);
    return stopped;
  };
  network.attach(member);
  try {
    refuseRemoved(options, store);
    refuseNewer(options, store);
    await network.open();
  } catch (cause) {
    runtime.stop();
    await closeParts(parts);
    throw cause;
  }
  directory.confirm();
  member.start();
  reportStart(log, place, parts, clock.nowMs() - startedMs);
  return {
    member: running,
    openStream: () => network.openStream(),
    adopt: (stream, remote) => network.adopt(stream, remote),
    stop,
  };
}

/** What of a member is a matter of flags and nodes.conf. */
function memberSettings(options: NodeOptions) {
  const { cluster, electionMs = ELECTION_MS, watchProgressMs } = options;
  return {
    clusterId: cluster.clusterId,
    version: options.version,
    protocolVersion: options.protocolVersion ?? PROTOCOL_VERSION,
    roster: rosterOfNodes(cluster.nodes),
    leaseTtlSecondsMin: Math.ceil((1.5 * electionMs) / 1_000),
    ...(watchProgressMs === undefined ? {} : { watchProgressMs }),
    upkeep: { ...UPKEEP, ...options.upkeep },
    logKept: options.logKept ?? LOG_KEPT,
    slowRequestMs: options.slowRequestMs ?? SLOW_REQUEST_MS,
  };
}

function createNetwork(
  options: NodeOptions,
  { random, openStream }: NodeMachine,
  store: Store,
  place: MemberPlace,
): Network {
  const { id: selfId, cluster, clock, log, listens = true } = options;
  const { clusterId } = cluster;
  const { protocolVersion = PROTOCOL_VERSION, connectionsMax } = options;
  return new Network({
    clusterId,
    protocolVersion,
    selfId,
    ...place,
    listens,
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
    store,
    clock,
    random,
    openStream,
    log,
  });
}

/** Where this node listens. */
function placeOf(options: NodeOptions, { roster }: Configuration): MemberPlace {
  if (options.listen !== undefined) return options.listen;
  const known = roster === undefined ? undefined : recordOf(roster, options.id);
  const { address, port } = known ?? options.place ?? nodeOf(options.cluster, options.id);
  return { address, port };
}

function createMachine(): NodeMachine {
  return {
    random: createRandom(drawSeed()),
    openDirectory: openDataDirectory,
    disk: createSystemDisk(),
    openStore: (path, room) => openStore(createLmdbHome(path, (attempt) => room.until(attempt))),
    openStream: openTcp,
    measureRuntime,
  };
}

async function openParts(
  options: NodeOptions,
  machine: NodeMachine,
  onSynced: (ticket: number) => void,
  onFatal: (cause: unknown) => void,
): Promise<Parts> {
  const { id: nodeId, cluster } = options;
  const { clusterId } = cluster;
  const { random, disk, segmentBytes } = machine;
  const directory = await machine.openDirectory({ path: options.dataDir, clusterId, nodeId });
  const room = new DiskRoom(options.clock, options.log);
  try {
    const { wal, recovered } = openWal({
      clusterId,
      nodeId,
      disk: withRoom(disk, room),
      directory: directory.walPath,
      mayCreate: directory.isNew,
      initial: { index: 0, term: 0, configuration: firstConfiguration(cluster.nodes) },
      randomBelow: random.below,
      onSynced,
      onFatal,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
    });
    const store = await machine.openStore(directory.path, room);
    const agreed = reconcile(wal, recovered, store, directory);
    if (options.forcesNewCluster !== true)
      return { directory, room, wal, recovered: agreed, store };
    const survivor = { id: nodeId, roster: rosterOfNodes(cluster.nodes) };
    return { directory, room, wal, recovered: forceNewCluster(survivor, agreed, wal), store };
  } catch (cause) {
    await directory.close();
    throw cause;
  }
}

function createCore(
  options: NodeOptions,
  recovered: Recovered,
  store: Store,
  random: Random,
): Raft {
  const { heartbeatMs = HEARTBEAT_MS, electionMs = ELECTION_MS } = options;
  return createRaft({
    id: options.id,
    snapshot: recovered.snapshot,
    hardState: recovered.hardState,
    entries: recovered.entries,
    applied: store.applied().index,
    heartbeatTicks: Math.max(1, Math.round(heartbeatMs / TICK_MS)),
    electionTicks: Math.max(2, Math.round(electionMs / TICK_MS)),
    lostLeaderStaggerTicks: Math.round(LOST_LEADER_STAGGER_MS / TICK_MS),
    appendBytesMax: APPEND_BYTES_MAX,
    inflightMessagesMax: INFLIGHT_MESSAGES_MAX,
    inflightBytesMax: INFLIGHT_BYTES_MAX,
    uncommittedBytesMax: UNCOMMITTED_BYTES_MAX,
    randomBelow: random.below,
  });
}

function reportStart(log: Log, place: MemberPlace, parts: Parts, tookMs: number): void {
  const { recovered, store, directory } = parts;
  if (recovered.torn !== undefined) {
    const { path, offset, droppedBytes } = recovered.torn;
    log.warn('unfinished write cut off the log', { path, offset, droppedBytes });
  }
  log.info('node started', {
    ...place,
    dataDir: directory.path,
    term: recovered.hardState.term,
    logEntries: recovered.entries.length,
    revision: store.revision(),
    tookMs: Math.round(tookMs),
  });
}

async function stopNode(
  member: Member,
  network: Network,
  parts: Parts,
  { handsOver = true }: StopOptions = {},
): Promise<void> {
  const { log } = member.options;
  log.info('node stopping', {});
  if (handsOver) await handOver(member);
  member.stop();
  await network.close();
  await closeParts(parts);
  log.info('node stopped', {});
}

/** The store first: what it flushes is in the log already. */
async function closeParts({ directory, room, wal, store }: Parts): Promise<void> {
  room.close();
  await store.close();
  await new Promise<void>((resolve) => wal.close(resolve));
  await directory.close();
}

function once(call: (cause: unknown) => void): (cause: unknown) => void {
  let isCalled = false;
  return (cause) => {
    if (isCalled) return;
    isCalled = true;
    call(cause);
  };
}
