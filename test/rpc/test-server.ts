/** For tests: a server on a free port that remembers what it was told. */

import type { Test } from 'tap';
import type { Log, LogFields } from '../../include/log.ts';
import type { Message, NodeId } from '../../include/node.ts';
import type { CloseReason, KvorumError } from '../../include/rpc.ts';
import type { Connection } from '../../src/rpc/connection.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { listen, type Server, type ServerOptions } from '../../src/rpc/server.ts';
import { ManualClock } from './manual-clock.ts';

export const CLUSTER_ID = 0xc0ff_ee00_0000_0001n;

/** Waits for something that happens in later turns of the event loop. */
export class Signal {
  #waiting: (() => void)[] = [];

  fire(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

export type LogLine = { readonly event: string; readonly fields: LogFields | undefined };

/** A log that a test can read. */
export function createTestLog(lines: LogLine[], signal: Signal): Log {
  const add = (event: string, fields?: LogFields): void => {
    lines.push({ event, fields });
    signal.fire();
  };
  return { debug: add, info: add, warn: add, error: add };
}

export type Loss = {
  readonly nodeId: NodeId;
  readonly reason: CloseReason;
  readonly error: KvorumError | undefined;
};

/** A server and what it was told. */
export type TestServer = {
  readonly server: Server;
  readonly port: number;
  readonly clock: ManualClock;
  /** Fires with everything below. */
  readonly signal: Signal;
  readonly clients: Connection[];
  readonly peers: NodeId[];
  readonly messages: Message[];
  readonly losses: Loss[];
  readonly lines: LogLine[];
};

/** Starts a server as node 1; closed when the test ends. */
export async function startServer(
  t: Test,
  options: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const clock = new ManualClock();
  const signal = new Signal();
  const told = { clients: [], peers: [], messages: [], losses: [], lines: [] } as Pick<
    TestServer,
    'clients' | 'peers' | 'messages' | 'losses' | 'lines'
  >;
  const server = await listen({
    address: '127.0.0.1',
    port: 0,
    clusterId: CLUSTER_ID,
    nodeId: 1,
    clock,
    flushQueue: new FlushQueue(clock),
    log: createTestLog(told.lines, signal),
    wasRemoved: (nodeId) => nodeId >= 5,
    onPeer: (nodeId) => {
      told.peers.push(nodeId);
      signal.fire();
    },
    onReport: () => {},
    onMessage: (message) => {
      told.messages.push(message);
      signal.fire();
    },
    onPeerLost: (nodeId, reason, error) => {
      told.losses.push({ nodeId, reason, error });
      signal.fire();
    },
    onSnapshot: () => {},
    ...options,
    onClient: (connection) => {
      told.clients.push(connection);
      options.onClient?.(connection);
      signal.fire();
    },
  });
  t.teardown(async () => {
    const closed = server.close();
    clock.advance(10_000);
    await closed;
  });
  return { server, port: server.port, clock, signal, ...told };
}
