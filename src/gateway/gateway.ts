/**
 * A gateway: one port that speaks etcd's protocols, in front of one node.
 *
 * The first bytes of a connection tell what it is: HTTP/2 begins with its preface, all else is
 * HTTP/1.1. On HTTP/2 the content type tells gRPC from the JSON gateway.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../../include/log.ts';
import { formatEndpoint } from '../client/endpoint.ts';
import type { ConnectionsMax } from '../rpc/connection-quota.ts';
import { KEEP_ALIVE_MS } from '../rpc/dial.ts';
import { FlushQueue } from '../rpc/flush-queue.ts';
import { Refusals } from '../rpc/refusals.ts';
import { remoteName } from '../rpc/remote-name.ts';
import type { Budget } from './calls/budget.ts';
import { CallMeters } from './calls/call-meters.ts';
import { LeaderSight } from './calls/leader-sight.ts';
import { Methods } from './calls/methods.ts';
import { ClientTraffic } from './client-traffic.ts';
import { serveGrpc } from './grpc/grpc-server.ts';
import type { Exchange } from './http/exchange.ts';
import { serveHttp } from './http/http-server.ts';
import { Http1Server } from './http/http1.ts';
import { Http2Exchange } from './http/http2-exchange.ts';
import { createPages, type Pages } from './http/pages.ts';
import { Http2Connection } from './http2/connection.ts';
import { PREFACE } from './http2/frames.ts';
import type { Http2Stream } from './http2/stream.ts';
import { NodeClient, type NodeClientOptions } from './node-client.ts';
import { addAuth } from './v3/auth.ts';
import { addCluster } from './v3/cluster.ts';
import { addElection } from './v3/election.ts';
import { addHealth } from './v3/health.ts';
import { addKv } from './v3/kv.ts';
import { addLease } from './v3/lease.ts';
import { addLock } from './v3/lock.ts';
import { addMaintenance } from './v3/maintenance.ts';
import { addReflection } from './v3/reflection.ts';
import { addWatch } from './v3/watch.ts';

/** Milliseconds a new connection has to say what it is. */
const FIRST_BYTES_MS = 60_000;

/** Milliseconds requests under way have to be answered when the gateway stops. */
const STOP_MS = 2_000;

/** Where a gateway listens. */
export type ListenPlace = {
  /** A name or an IP address. */
  readonly host: string;
  /** 1 to 65535; 0 for any that is free. */
  readonly port: number;
};

/** What a gateway is made from. */
export type GatewayOptions = NodeClientOptions & {
  /** At least one. */
  readonly listens: readonly ListenPlace[];
  readonly log: Log;
  /** GATEWAY_CONNECTIONS_MAX and GATEWAY_CONNECTIONS_PER_ADDRESS_MAX when left out. */
  readonly connectionsMax?: ConnectionsMax;
};

/** A running gateway. */
export type Gateway = {
  /** Of each place. */
  readonly ports: readonly number[];
  /** Answers what is under way, for a while, and closes everything. */
  readonly stop: () => Promise<void>;
};

/** Starts a gateway. Rejects when its port cannot be opened. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const node = new NodeClient(options);
  const sight = new LeaderSight(node);
  const meters = new CallMeters(options.clock);
  const methods = new Methods(sight, meters);
  addServices(methods, node);
  const traffic = new ClientTraffic(options.connectionsMax);
  const healthCounts = { passed: 0, failed: 0 };
  const pages = createPages({ node, meters, traffic, healthCounts });
  const front = new Front(options, methods, pages, traffic);
  const servers = options.listens.map(() =>
    createServer({ noDelay: true }, (socket) => front.accept(socket)),
  );
  const opened = options.listens.map((place, slot) => listen(servers[slot]!, place));
  const ports = await Promise.all(opened).catch((error: Error) => {
    for (const server of servers) server.close();
    node.close();
    throw error;
  });
  for (const [slot, { host }] of options.listens.entries()) {
    options.log.info('gateway started', { address: host, port: ports[slot] });
  }
  return {
    ports,
    stop: async () => {
      for (const server of servers) server.close();
      await front.close();
      sight.close();
      node.close();
    },
  };
}

function addServices(methods: Methods, node: NodeClient): void {
  addKv(methods, node);
  addWatch(methods, node);
  addLease(methods, node);
  addCluster(methods, node);
  addMaintenance(methods, node);
  addAuth(methods, node);
  addLock(methods, node);
  addElection(methods, node);
  addHealth(methods);
  addReflection(methods);
}

/** The connections of a gateway. */
class Front {
  readonly #options: GatewayOptions;
  readonly #methods: Methods;
  readonly #pages: Pages;
  readonly #http1: Http1Server;
  readonly #flushQueue: FlushQueue;
  readonly #budget: Budget = { heldBytes: 0 };
  readonly #traffic: ClientTraffic;
  readonly #refusals: Refusals;
  readonly #connections: Set<Http2Connection> = new Set();

  constructor(options: GatewayOptions, methods: Methods, pages: Pages, traffic: ClientTraffic) {
    this.#options = options;
    this.#traffic = traffic;
    this.#refusals = new Refusals(options.clock, options.log);
    this.#methods = methods;
    this.#pages = pages;
    this.#http1 = new Http1Server((exchange) => this.#onExchange(exchange));
    this.#flushQueue = new FlushQueue(options.clock);
  }

  /** Takes a connection, and waits for its first bytes. */
  accept(socket: Socket): void {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const { remoteAddress = 'unknown', remotePort = 0 } = socket;
    const refusal = this.#traffic.add(socket);
    if (refusal !== undefined) {
      // What it speaks is not known yet, so there is nothing that it could be told.
      this.#refusals.add(refusal, remoteName(remoteAddress, remotePort));
      socket.on('error', () => undefined).resetAndDestroy();
      return;
    }
    socket.on('error', () => undefined); // 'close' follows
    const timer = this.#options.clock.after(FIRST_BYTES_MS, () => socket.destroy());
    socket.once('close', () => timer.cancel());
    let head: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const count = Math.min(head.length, PREFACE.length);
      const isHttp2 = head.subarray(0, count).equals(PREFACE.subarray(0, count));
      if (isHttp2 && count < PREFACE.length) return;
      socket.off('data', onData);
      timer.cancel();
      if (isHttp2) this.#serveHttp2(socket, head);
      else this.#http1.accept(socket, head);
    };
    socket.on('data', onData);
  }

  /** Answers what is under way, for a while, and closes all connections. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.leave();
    this.#http1.closeIdle();
    const { clock } = this.#options;
    await new Promise<void>((resolve) => {
      const until = clock.nowMs() + STOP_MS;
      const poll = clock.every(20, () => {
        if (this.#traffic.connectionCount > 0 && clock.nowMs() < until) return;
        poll.cancel();
        resolve();
      });
    });
    for (const socket of this.#traffic.sockets) socket.destroy();
  }

  #serveHttp2(socket: Socket, head: Buffer): void {
    const connection = new Http2Connection(socket, head, {
      clock: this.#options.clock,
      flushQueue: this.#flushQueue,
      onStream: (stream) => this.#onStream(stream),
      onClosed: (connection) => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #onStream(stream: Http2Stream): void {
    const { clock } = this.#options;
    if (serveGrpc({ methods: this.#methods, budget: this.#budget, clock }, stream)) return;
    const exchange = new Http2Exchange(stream);
    stream.listener = exchange;
    this.#onExchange(exchange);
  }

  #onExchange(exchange: Exchange): void {
    const { clock } = this.#options;
    const options = { methods: this.#methods, pages: this.#pages, budget: this.#budget, clock };
    serveHttp(options, exchange);
  }
}

/** Opens a port; resolves with its number. */
function listen(server: Server, { host, port }: ListenPlace): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => {
      const where = formatEndpoint(host, port);
      const why = `the client port ${where} cannot be opened: ${cause.message}`;
      reject(new Error(why, { cause }));
    };
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
