/**
 * The member's network in production: a link to each peer, the port that peers and clients connect
 * to, and snapshot streams both ways.
 *
 * Links follow the configuration in force. A peer that cannot be dialled (it is newer than what
 * this member knows, or is moving to another place) is answered on the connection that it opened
 * itself; one that was a member and is none any more is told so, and then ends itself.
 *
 * Whether a peer is online is what its link says; a lost connection, either way, is told to the
 * core as a hint, since a process that died takes both down at once.
 */

import type { Duplex } from 'node:stream';
import type { Log } from '../../include/log.ts';
import type { MetricFamily } from '../../include/metrics.ts';
import { type MemberRecord, type NodeId, type PeerStatus, Role } from '../../include/node.ts';
import { CloseReason, ErrorCode, type KvorumError } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Random } from '../random.ts';
import type { Connection } from '../rpc/connection.ts';
import type { ConnectionsMax } from '../rpc/connection-quota.ts';
import type { OpenStream } from '../rpc/dial.ts';
import { FlushQueue } from '../rpc/flush-queue.ts';
import { createMemoryPair } from '../rpc/memory-pair.ts';
import { PeerLink } from '../rpc/peer-link.ts';
import { listen, type Server } from '../rpc/server.ts';
import { receiveSnapshot } from '../rpc/snapshot-receiver.ts';
import { sendSnapshot } from '../rpc/snapshot-sender.ts';
import { serveClient } from './client-port.ts';
import type { Member } from './member.ts';
import { networkFamilies } from './network-families.ts';
import { wasRemoved } from './roster.ts';
import { SnapshotIntake } from './snapshot-intake.ts';
import type { OnSnapshotDone, Transport } from './transport.ts';

/** What a network is made from. */
export type NetworkOptions = {
  readonly clusterId: bigint;
  readonly selfId: NodeId;
  /** Where this node listens. */
  readonly address: string;
  readonly port: number;
  /** Whether it has a port: a node that has none is reached from within its process only. */
  readonly listens: boolean;
  /** Of clients; the server's own when left out. */
  readonly connectionsMax?: ConnectionsMax;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** The way to other members. */
  readonly openStream: OpenStream;
  readonly log: Log;
  /** What this member speaks. */
  readonly protocolVersion: number;
};

/** A member that this one dials. */
type Peer = {
  readonly id: NodeId;
  readonly address: string;
  readonly port: number;
  isLearner: boolean;
  readonly link: PeerLink;
  /** Of the snapshot that it is being sent. */
  snapshotSentBytes: number;
  snapshotSizeBytes: number;
};

/** The network of one member. `attach` the member before `open`. */
export class Network {
  readonly transport: Transport;
  readonly #options: NetworkOptions;
  readonly #flushQueue: FlushQueue;
  readonly #peers: Map<NodeId, Peer> = new Map();
  #isOpen = false;
  readonly #stopped = new AbortController();
  #member: Member | undefined;
  #server: Server | undefined;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#flushQueue = new FlushQueue(options.clock);
    this.transport = {
      send: (message) => {
        const peer = this.#peers.get(message.to);
        if (peer?.link.isOnline) peer.link.send(message);
        else this.#server?.answerPeer(message);
      },
      report: (to, report) => this.#peers.get(to)?.link.report(report),
      flush: () => this.#flushQueue.flush(),
      follow: (members, learners) => this.#follow(members, learners),
      dropRemoved: () => this.#server?.dropRemoved(),
      peers: () => this.#statuses(),
      versionOf: (id) => this.#peers.get(id)?.link.peerVersion ?? 0,
      sendSnapshot: (to, onDone) => void this.#sendSnapshot(to, onDone),
    };
  }

  /** Names the member that messages and requests go to. */
  attach(member: Member): void {
    assert(this.#member === undefined, 'a network has one member');
    this.#member = member;
  }

  /**
   * Listens, then dials the peers.
   *
   * @throws KvorumError BadEndpoint: the port is taken or the address is not this machine's
   */
  async open(): Promise<void> {
    const { clusterId, selfId, address, port, listens, clock, log, protocolVersion } =
      this.#options;
    const { connectionsMax } = this.#options;
    const member = this.#member;
    assert(member !== undefined, 'a network opens with its member');
    const intake = new SnapshotIntake(member);
    this.#server = await listen({
      address,
      port: listens ? port : undefined,
      clusterId,
      nodeId: selfId,
      ...(connectionsMax === undefined ? {} : { connectionsMax }),
      clock,
      flushQueue: this.#flushQueue,
      log,
      protocolVersion,
      clusterVersion: () => member.store.clusterVersion(),
      wasRemoved: (id) => wasRemoved(member.store.applied().configuration, id),
      onClient: (connection: Connection) => serveClient(member, connection),
      onPeer: (id) => this.#peers.get(id)?.link.wake(),
      onMessage: (message) => member.receive(message),
      onReport: (from, report) => member.hear(from, report),
      onPeerLost: (id, reason) => this.#hintLost(id, reason),
      onSnapshot: (connection, from) => receiveSnapshot(connection, intake.receiver(from)),
    });
    this.#isOpen = true;
    for (const { link } of this.#peers.values()) link.start();
  }

  /** What is measured of the connections. */
  families(): MetricFamily[] {
    const server = this.#server;
    if (server === undefined) return [];
    return networkFamilies(this.#options.selfId, server, [...this.#peers.values()]);
  }

  /** Connects to this node from within its process; the stream is the caller's. */
  openStream(): Duplex {
    const [near, far] = createMemoryPair();
    this.adopt(far, 'this process');
    return near;
  }

  /** Takes a connection as if it had come to the port. @param remote who it is, for people */
  adopt(stream: Duplex, remote: string): void {
    if (this.#server === undefined) stream.destroy();
    else this.#server.adopt(stream, remote);
  }

  /** Closes the port and all links. */
  async close(): Promise<void> {
    this.#stopped.abort();
    for (const { link } of this.#peers.values()) link.close();
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  #follow(members: readonly MemberRecord[], learners: readonly NodeId[]): void {
    const { selfId } = this.#options;
    const ids = new Set(members.map(({ id }) => id));
    for (const { id, link } of [...this.#peers.values()]) {
      if (ids.has(id)) continue;
      link.close();
      this.#peers.delete(id);
    }
    for (const { id, address, port } of members) {
      if (id === selfId) continue;
      const isLearner = learners.includes(id);
      const known = this.#peers.get(id);
      if (known !== undefined && known.address === address && known.port === port) {
        known.isLearner = isLearner;
        continue;
      }
      known?.link.close();
      const link = this.#createLink(id, address, port);
      this.#peers.set(id, {
        id,
        address,
        port,
        isLearner,
        link,
        snapshotSentBytes: 0,
        snapshotSizeBytes: 0,
      });
      if (this.#isOpen) link.start();
    }
  }

  #createLink(id: NodeId, address: string, port: number): PeerLink {
    const { clusterId, selfId, clock, random, openStream, log, protocolVersion } = this.#options;
    return new PeerLink({
      protocolVersion,
      clusterId,
      selfId,
      peerId: id,
      address,
      port,
      clock,
      random,
      flushQueue: this.#flushQueue,
      openStream,
      log,
      onMessage: (message) => this.#member?.receive(message),
      onRefused: (_id, error) => this.#hearRefusal(error),
      onOnline: (peer) => this.#member?.peerReachable(peer),
      onOffline: (peer, reason, error) => {
        this.#hearRefusal(error);
        this.#hintLost(peer, reason);
      },
    });
  }

  #hearRefusal(error: KvorumError | undefined): void {
    if (error?.code === ErrorCode.MemberRemoved) this.#member?.options.onRemoved();
  }

  #statuses(): PeerStatus[] {
    const raft = this.#member?.raft;
    const isLeading = raft?.role === Role.Leader;
    return [...this.#peers.values()]
      .map(({ link, ...facts }) => ({
        ...facts,
        isOnline: link.isOnline,
        roundTripMicros: link.roundTripMicros,
        matchIndex: isLeading ? (raft.progress.get(facts.id)?.match ?? 0) : 0,
      }))
      .sort((a, b) => a.id - b.id);
  }

  /** Only what the other side did says something about it. */
  #hintLost(id: NodeId, reason: CloseReason): void {
    if (reason === CloseReason.Local || reason === CloseReason.Replaced) return;
    this.#member?.peerLost(id);
  }

  async #sendSnapshot(to: NodeId, onDone: OnSnapshotDone): Promise<void> {
    const { clusterId, selfId, clock, openStream, log, protocolVersion } = this.#options;
    const peer = this.#peers.get(to);
    if (peer === undefined) return onDone(false, 0);
    let index = 0;
    try {
      const reader = await this.#member!.serving.snapshots.open();
      index = reader.applied.index;
      peer.snapshotSizeBytes = this.#options.store.size().dbSizeInUseBytes;
      try {
        await sendSnapshot(
          {
            clusterId,
            selfId,
            peerId: to,
            address: peer.address,
            port: peer.port,
            clock,
            flushQueue: this.#flushQueue,
            openStream,
            protocolVersion,
            meta: reader.applied,
            nextChunk: async () => {
              await new Promise<void>((resolve) => void clock.soon(resolve));
              const chunk = reader.next();
              peer.snapshotSentBytes += chunk?.length ?? 0;
              peer.snapshotSizeBytes = Math.max(peer.snapshotSizeBytes, peer.snapshotSentBytes);
              return chunk;
            },
          },
          this.#stopped.signal,
        );
      } finally {
        reader.close();
        peer.snapshotSentBytes = 0;
        peer.snapshotSizeBytes = 0;
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      log.warn('snapshot stream failed', { peer: to, reason });
      return onDone(false, index);
    }
    onDone(true, index);
  }
}
