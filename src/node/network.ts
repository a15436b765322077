/**
 * The member's network in production: a link to each peer, the port that peers and clients connect
 * to, and snapshot streams both ways.
 *
 * Whether a peer is online is what its link says; a lost connection, either way, is told to the
 * core as a hint, since a process that died takes both down at once.
 */

import type { Duplex } from 'node:stream';
import type { Log } from '../../include/log.ts';
import type { NodeConfig, NodeId, PeerStatus } from '../../include/node.ts';
import { CloseReason } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Random } from '../random.ts';
import type { Connection } from '../rpc/connection.ts';
import type { OpenStream } from '../rpc/dial.ts';
import { FlushQueue } from '../rpc/flush-queue.ts';
import { createMemoryPair } from '../rpc/memory-pair.ts';
import { PeerLink } from '../rpc/peer-link.ts';
import { listen, type Server } from '../rpc/server.ts';
import { receiveSnapshot } from '../rpc/snapshot-receiver.ts';
import { sendSnapshot } from '../rpc/snapshot-sender.ts';
import { serveClient } from './client-port.ts';
import type { Member } from './member.ts';
import { SnapshotIntake } from './snapshot-intake.ts';
import type { OnSnapshotDone, Transport } from './transport.ts';

/** What a network is made from. */
export type NetworkOptions = {
  readonly clusterId: bigint;
  /** This node's line of nodes.conf, and all lines. */
  readonly self: NodeConfig;
  readonly nodes: readonly NodeConfig[];
  /** Whether it has a port: a node that has none is reached from within its process only. */
  readonly listens: boolean;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** The way to other members. */
  readonly openStream: OpenStream;
  readonly log: Log;
};

/** The network of one member. `attach` the member before `open`. */
export class Network {
  readonly transport: Transport;
  readonly #options: NetworkOptions;
  readonly #flushQueue: FlushQueue;
  readonly #links: Map<NodeId, PeerLink> = new Map();
  readonly #peers: readonly NodeConfig[];
  readonly #stopped = new AbortController();
  #member: Member | undefined;
  #server: Server | undefined;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#flushQueue = new FlushQueue(options.clock);
    this.#peers = options.nodes.filter(({ id }) => id !== options.self.id);
    for (const peer of this.#peers) this.#links.set(peer.id, this.#createLink(peer));
    this.transport = {
      send: (message) => {
        this.#links.get(message.to)?.send(message);
      },
      flush: () => this.#flushQueue.flush(),
      peers: () => this.#peers.map((peer) => this.#statusOf(peer)),
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
    const { clusterId, self, listens, clock, log } = this.#options;
    const member = this.#member;
    assert(member !== undefined, 'a network opens with its member');
    const intake = new SnapshotIntake(member);
    this.#server = await listen({
      address: self.address,
      port: listens ? self.port : undefined,
      clusterId,
      nodeId: self.id,
      clock,
      flushQueue: this.#flushQueue,
      log,
      acceptsPeer: (id) => this.#links.has(id),
      onClient: (connection: Connection) => serveClient(member, connection),
      onPeer: (id) => this.#links.get(id)?.wake(),
      onMessage: (message) => member.receive(message),
      onPeerLost: (id, reason) => this.#hintLost(id, reason),
      onSnapshot: (connection, from) => receiveSnapshot(connection, intake.receiver(from)),
    });
    for (const link of this.#links.values()) link.start();
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
    for (const link of this.#links.values()) link.close();
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  #createLink(peer: NodeConfig): PeerLink {
    const { clusterId, self, clock, random, openStream, log } = this.#options;
    return new PeerLink({
      clusterId,
      selfId: self.id,
      peerId: peer.id,
      address: peer.address,
      port: peer.port,
      clock,
      random,
      flushQueue: this.#flushQueue,
      openStream,
      log,
      onOnline: (id) => this.#member?.peerReachable(id),
      onOffline: (id, reason) => this.#hintLost(id, reason),
    });
  }

  /** Only what the other side did says something about it. */
  #hintLost(id: NodeId, reason: CloseReason): void {
    if (reason === CloseReason.Local || reason === CloseReason.Replaced) return;
    this.#member?.peerLost(id);
  }

  #statusOf(peer: NodeConfig): PeerStatus {
    const link = this.#links.get(peer.id);
    assert(link !== undefined, 'a peer has a link', peer.id);
    const isLearner = this.#member?.raft.configuration.learners.includes(peer.id) ?? false;
    const { id, address, port } = peer;
    const { isOnline, roundTripMicros } = link;
    return { id, address, port, isOnline, isLearner, roundTripMicros };
  }

  async #sendSnapshot(to: NodeId, onDone: OnSnapshotDone): Promise<void> {
    const { clusterId, self, store, clock, openStream, log } = this.#options;
    const peer = this.#peers.find(({ id }) => id === to);
    assert(peer !== undefined, 'a snapshot goes to a peer', to);
    let index = 0;
    try {
      const reader = await store.exportSnapshot();
      index = reader.applied.index;
      try {
        await sendSnapshot(
          {
            clusterId,
            selfId: self.id,
            peerId: to,
            address: peer.address,
            port: peer.port,
            clock,
            flushQueue: this.#flushQueue,
            openStream,
            meta: reader.applied,
            nextChunk: async () => {
              await new Promise<void>((resolve) => void clock.soon(resolve));
              return reader.next();
            },
          },
          this.#stopped.signal,
        );
      } finally {
        reader.close();
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      log.warn('snapshot stream failed', { peer: to, reason });
      return onDone(false, index);
    }
    onDone(true, index);
  }
}
