/**
 * Accepts connections on the node's one port, hears their HELLO and hands them over by role.
 *
 * A connection that is wrong (magic, version, cluster, node, role, no HELLO in time) is told why
 * and closed; none of that touches another connection. Of each peer one connection is kept, the
 * newest: an older one is the leftover of a process or network that is gone.
 *
 * A program that has its node inside connects without a port (`adopt`), by the same rules.
 *
 * Limits: CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX and CONNECTIONS_RESERVED; HELLO_TIMEOUT_MS;
 * a first frame of HELLO_LENGTH_MAX.
 */

import { createServer, type Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../../include/log.ts';
import type { Message, NodeId } from '../../include/node.ts';
import {
  CloseReason,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  CONNECTIONS_RESERVED,
  ConnectionRole,
  ErrorCode,
  FrameType,
  HELLO_TIMEOUT_MS,
  type Hello,
  KvorumError,
  type MemberReport,
  PEER_QUEUED_BYTES_MAX,
  PROTOCOL_VERSION,
} from '../../include/rpc.ts';
import type { Clock, Timer } from '../clock.ts';
import { Connection, type OnClose, type OnFrame } from './connection.ts';
import { decodeHello, writeHello } from './connection-codec.ts';
import {
  CLIENT_LIMITS,
  CONNECTION_TICK_MS,
  type ConnectionLimits,
  PEER_LIMITS,
  SNAPSHOT_RECEIVER_LIMITS,
  STRANGER_LIMITS,
} from './connection-limits.ts';
import { ConnectionQuota, type ConnectionsMax } from './connection-quota.ts';
import { KEEP_ALIVE_MS } from './dial.ts';
import type { FlushQueue } from './flush-queue.ts';
import { checkCaller } from './handshake.ts';
import { networkFault } from './network-fault.ts';
import { decodeMessageBetween, writeMessage } from './raft-codec.ts';
import { Refusals } from './refusals.ts';
import { remoteName } from './remote-name.ts';
import { decodeReport, isReportType } from './report-codec.ts';
import { addTraffic, createTraffic, type Traffic } from './traffic.ts';

/**
 * Connections refused for their number that may linger at once; beyond, the kernel's accept is cut.
 */
const REFUSED_LINGERING_MAX = 1_000;

const CLIENTS_MAX: ConnectionsMax = {
  inAll: CONNECTIONS_MAX,
  perAddress: CONNECTIONS_PER_ADDRESS_MAX,
};

/** What a server is made from, and whom it tells. Callbacks must not throw. */
export type ServerOptions = {
  /** Host name or IP address to listen on. */
  readonly address: string;
  /** 0 to 65535; 0 for any free one. Undefined: connections come from within, by `adopt`. */
  readonly port: number | undefined;
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  /** Of clients; CONNECTIONS_MAX and CONNECTIONS_PER_ADDRESS_MAX when left out. */
  readonly connectionsMax?: ConnectionsMax;
  readonly clock: Clock;
  readonly flushQueue: FlushQueue;
  readonly log: Log;
  /**
   * Whether a node was a member and is none any more: it may not connect as a peer. Any other may:
   * it is a member, or has become one by what this node does not know yet.
   */
  readonly wasRemoved: (nodeId: NodeId) => boolean;
  /** What this node speaks; PROTOCOL_VERSION when left out. */
  readonly protocolVersion?: number;
  /** What a peer must speak; any version when left out. */
  readonly clusterVersion?: () => number;
  /** A client said HELLO. Set onFrame and onClose here: frames may follow at once. */
  readonly onClient: (connection: Connection) => void;
  /** A peer has connected: it is up, so dial it at once (PeerLink.wake). */
  readonly onPeer: (nodeId: NodeId) => void;
  /** A message of a peer, from it and to this node. */
  readonly onMessage: (message: Message) => void;
  /** What a peer says about itself. */
  readonly onReport: (from: NodeId, report: MemberReport) => void;
  /** The connection of a peer has ended, and no newer one took its place. */
  readonly onPeerLost: (
    nodeId: NodeId,
    reason: CloseReason,
    error: KvorumError | undefined,
  ) => void;
  /** A peer will stream a snapshot. Set onFrame and onClose here (receiveSnapshot does). */
  readonly onSnapshot: (connection: Connection, nodeId: NodeId) => void;
};

/**
 * Starts to listen.
 *
 * @throws KvorumError BadEndpoint (as rejection): says address, port and what to do
 */
export async function listen(options: ServerOptions): Promise<Server> {
  const server = new Server(options);
  await server.start();
  return server;
}

/** A listening port and its connections. Made by `listen`. */
export class Server {
  readonly #options: ServerOptions;
  readonly #openMax: number;
  readonly #quota: ConnectionQuota;
  readonly #refusals: Refusals;
  readonly #net: NetServer;
  readonly #connections: Set<Connection> = new Set();
  readonly #peers: Map<NodeId, Connection> = new Map();
  /** Of connections that are gone, by peer; those of clients under NO_NODE. */
  readonly #goneTraffic: Map<NodeId, Traffic> = new Map();
  #ticker: Timer | undefined = undefined;
  /** Called when the last connection is gone. */
  #onEmpty: () => void = () => {};
  #port = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    const max = options.connectionsMax ?? CLIENTS_MAX;
    this.#openMax = max.inAll + CONNECTIONS_RESERVED;
    this.#quota = new ConnectionQuota(max);
    this.#refusals = new Refusals(options.clock, options.log);
    this.#net = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#net.maxConnections = this.#openMax + REFUSED_LINGERING_MAX;
    this.#net.on('connection', (socket) => {
      this.adopt(socket, remoteName(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0));
    });
  }

  /** The port listened on; 0 for none. */
  get port(): number {
    return this.#port;
  }

  /** Connections open, of whatever role. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Connections refused since the start, for whatever reason. */
  get refusedCount(): number {
    return this.#refusals.count;
  }

  /** Bytes of all connections of a peer, or with NO_NODE of all clients, since the start. */
  trafficOf(nodeId: NodeId): Traffic {
    const total = { ...(this.#goneTraffic.get(nodeId) ?? createTraffic()) };
    for (const connection of this.#connections) {
      if (connection.hello?.nodeId === nodeId) addTraffic(total, connection);
    }
    return total;
  }

  /** Starts to listen; see `listen`. */
  async start(): Promise<void> {
    const { address, port, clock } = this.#options;
    if (port !== undefined) this.#port = await this.#listen(address, port);
    this.#ticker = clock.every(CONNECTION_TICK_MS, () => this.#tick());
  }

  /**
   * Takes a connection as if it had been accepted.
   *
   * @param stream one end of a pair within this process; the other end is the caller's
   * @param remote who has the other end, for people
   */
  adopt(stream: Duplex, remote: string): void {
    const { clock, flushQueue } = this.#options;
    const connection = new Connection(stream, remote, STRANGER_LIMITS, clock, flushQueue);
    if (this.#connections.size >= this.#openMax) {
      const why = `this node holds ${this.#openMax} connections: ask another one`;
      const error = new KvorumError(ErrorCode.TooManyConnections, why);
      this.#refusals.add(error, remote);
      connection.refuse(error);
      return;
    }
    this.#connections.add(connection);
    this.#awaitHello(connection);
  }

  /**
   * Sends a message back on the connection that a peer opened, to one that cannot be dialled:
   * dropped if there is none, or too much waits there already.
   */
  answerPeer(message: Message): void {
    const connection = this.#peers.get(message.to);
    if (connection === undefined || connection.queuedBytes > PEER_QUEUED_BYTES_MAX) return;
    writeMessage(connection.writer, message);
  }

  /** Tells those peers that were removed, and are still connected, that they were. */
  dropRemoved(): void {
    for (const [peerId, connection] of this.#peers) {
      if (!this.#options.wasRemoved(peerId)) continue;
      connection.refuse(new KvorumError(ErrorCode.MemberRemoved));
    }
  }

  /**
   * Stops to listen, tells every connection that the node stops, and waits until all are closed.
   */
  async close(): Promise<void> {
    this.#ticker?.cancel();
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    const stopped = new KvorumError(ErrorCode.Stopped);
    for (const connection of [...this.#connections]) connection.refuse(stopped, CloseReason.Local);
    await closed;
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  readonly #onGone = (connection: Connection): void => this.#forget(connection);

  #tick(): void {
    for (const connection of this.#connections) connection.tick();
  }

  /** Returns the port that is listened on. */
  async #listen(address: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', (cause) => reject(listenError(address, port, cause)));
      this.#net.listen({ host: address, port }, resolve);
    });
    this.#net.removeAllListeners('error');
    this.#net.on('error', (cause) => {
      this.#options.log.error('accept failed', { reason: networkFault(cause, 'unknown') });
    });
    const bound = this.#net.address();
    return bound !== null && typeof bound === 'object' ? bound.port : port;
  }

  #awaitHello(connection: Connection): void {
    const timer = this.#options.clock.after(HELLO_TIMEOUT_MS, () => {
      const why = `no HELLO within ${HELLO_TIMEOUT_MS} ms`;
      connection.refuse(new KvorumError(ErrorCode.HelloExpected, why));
    });
    connection.onFrame = (_connection, type, _id, buffer, start, end) => {
      const hello = this.#hear(type, buffer, start, end);
      timer.cancel();
      this.#welcome(connection, hello);
    };
    connection.onClose = () => timer.cancel();
    connection.onGone = this.#onGone;
  }

  /** Reads a HELLO and judges it. @throws KvorumError with the reason of the refusal */
  #hear(type: number, buffer: Buffer, start: number, end: number): Hello {
    if (type !== FrameType.Hello) {
      const why = `frame type ${type} came before HELLO: is this a kvorum client?`;
      throw new KvorumError(ErrorCode.HelloExpected, why);
    }
    const hello = decodeHello(buffer, start, end);
    const { clusterId, nodeId, wasRemoved } = this.#options;
    checkCaller(hello, clusterId, nodeId, wasRemoved, this.#options.clusterVersion?.());
    return hello;
  }

  #welcome(connection: Connection, hello: Hello): void {
    const { clusterId, nodeId } = this.#options;
    if (hello.role === ConnectionRole.Client) {
      const refusal = this.#quota.take(addressOf(connection));
      if (refusal !== undefined) throw refusal;
    }
    connection.hello = hello;
    writeHello(connection.writer, {
      version: this.#options.protocolVersion ?? PROTOCOL_VERSION,
      role: hello.role,
      clusterId,
      nodeId,
      targetId: hello.nodeId,
    });
    switch (hello.role) {
      case ConnectionRole.Client:
        settle(connection, CLIENT_LIMITS);
        this.#options.onClient(connection);
        break;
      case ConnectionRole.Peer:
        settle(connection, PEER_LIMITS);
        this.#adoptPeer(connection, hello.nodeId);
        break;
      case ConnectionRole.Snapshot:
        settle(connection, SNAPSHOT_RECEIVER_LIMITS);
        this.#options.onSnapshot(connection, hello.nodeId);
        break;
    }
  }

  #adoptPeer(connection: Connection, peerId: NodeId): void {
    const { nodeId, onMessage, onReport, onPeer, onPeerLost } = this.#options;
    const older = this.#peers.get(peerId);
    this.#peers.set(peerId, connection);
    older?.close(CloseReason.Replaced);

    connection.onFrame = (_connection, type, _id, buffer, start, end) => {
      if (isReportType(type)) return onReport(peerId, decodeReport(type, buffer, start, end));
      onMessage(decodeMessageBetween(peerId, nodeId, type, buffer, start, end));
    };
    connection.onClose = (_connection, reason, error) => {
      if (this.#peers.get(peerId) !== connection) return;
      this.#peers.delete(peerId);
      onPeerLost(peerId, reason, error);
    };
    onPeer(peerId);
  }

  #keepTraffic(connection: Connection): void {
    const { hello } = connection;
    if (hello === undefined) return;
    const total = this.#goneTraffic.get(hello.nodeId) ?? createTraffic();
    addTraffic(total, connection);
    this.#goneTraffic.set(hello.nodeId, total);
  }

  /**
   * The socket is gone. What the other side did wrong is worth a line; how else it ended is not.
   */
  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#keepTraffic(connection);
    if (connection.hello?.role === ConnectionRole.Client) this.#quota.give(addressOf(connection));
    if (this.#connections.size === 0) this.#onEmpty();
    const { closeReason, closeError } = connection;
    const isTheirFault =
      closeReason === CloseReason.Protocol || closeReason === CloseReason.SlowReader;
    if (isTheirFault && closeError !== undefined) this.#refusals.add(closeError, connection.remote);
  }
}

/** Where a connection comes from, without the port. */
function addressOf({ remote }: Connection): string {
  const colon = remote.lastIndexOf(':');
  return colon < 0 ? remote : remote.slice(0, colon);
}

/** Ends the handshake: from here on the connection is its owner's. */
function settle(connection: Connection, limits: ConnectionLimits): void {
  connection.setLimits(limits);
  connection.onFrame = refuseFrame;
  connection.onClose = ignoreClose;
}

const ignoreClose: OnClose = () => {};

const refuseFrame: OnFrame = (_connection, type) => {
  throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} is not expected here`);
};

function listenError(address: string, port: number, cause: Error): KvorumError {
  const why = networkFault(cause, 'unknown');
  const text = `cannot listen on ${remoteName(address, port)}: ${why}`;
  return new KvorumError(ErrorCode.BadEndpoint, text, { cause });
}
