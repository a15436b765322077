/**
 * A cluster within the process, on real ports, that begins with one node and whose members come
 * and go. Removed with the test.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Client, ClientOptions, MembersReply } from '../../include/client.ts';
import { NO_LOG } from '../../include/log.ts';
import { type ClusterConfig, type NodeFault, Role } from '../../include/node.ts';
import { connect } from '../../src/client/connect.ts';
import { createSystemClock } from '../../src/clock.ts';
import { type Node, type NodeOptions, startNode } from '../../src/node/node.ts';
import { parseNodesConf } from '../../src/node/nodes-conf.ts';
import { nextTick } from '../cluster/processes.ts';
import { freePorts } from '../free-ports.ts';

/** The cluster. */
export class GrowingCluster {
  readonly #t: Test;
  readonly #directory: string;
  readonly #more: Partial<NodeOptions>;
  readonly nodes: Map<number, Node> = new Map();
  readonly ports: Map<number, number> = new Map();
  /** Why nodes ended by themselves. */
  readonly faults: Map<number, NodeFault> = new Map();
  #cluster: ClusterConfig;
  readonly #clients: Client[] = [];

  private constructor(t: Test, directory: string, port: number, more: Partial<NodeOptions>) {
    this.#t = t;
    this.#directory = directory;
    this.#more = more;
    this.#cluster = parseNodesConf('nodes.conf', `0 127.0.0.1 ${port}`);
    this.ports.set(0, port);
  }

  /** Starts with node 0 alone. */
  static async start(t: Test, more: Partial<NodeOptions> = {}): Promise<GrowingCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'kvorum-members-'));
    const [port = 0] = await freePorts(1);
    const cluster = new GrowingCluster(t, directory, port, more);
    t.teardown(() => cluster.#close());
    await cluster.startNode(0);
    return cluster;
  }

  /** Starts a node, again or for the first time. */
  async startNode(id: number, more: Partial<NodeOptions> = {}): Promise<Node> {
    const port = this.ports.get(id) ?? 0;
    const isFirst = id === 0;
    const node = await startNode({
      id,
      cluster: isFirst ? this.#cluster : { ...this.#cluster, nodes: [] },
      ...(isFirst ? {} : { place: { address: '127.0.0.1', port } }),
      dataDir: this.directoryOf(id),
      version: 'test',
      clock: createSystemClock(),
      log: NO_LOG,
      heartbeatMs: 30,
      electionMs: 200,
      onFatal: (cause) => this.faults.set(id, cause as NodeFault),
      ...this.#more,
      ...more,
    });
    this.nodes.set(id, node);
    return node;
  }

  /** What a node has. */
  directoryOf(id: number): string {
    return join(this.#directory, `node-${id}`);
  }

  /** Stops a node. */
  async stopNode(id: number): Promise<void> {
    await this.nodes.get(id)?.stop({ handsOver: false });
    this.nodes.delete(id);
  }

  /** A port for a node to be. */
  async choosePort(): Promise<number> {
    const [port = 0] = await freePorts(1);
    return port;
  }

  /** Adds a node and starts it. */
  async add(client: Client, isLearner = false): Promise<number> {
    const port = await this.choosePort();
    const { added } = await client.addMember({ address: '127.0.0.1', port, isLearner });
    const [id = -1] = added;
    this.ports.set(id, port);
    await this.startNode(id);
    return id;
  }

  /** Adds a node, starts it, and waits until it votes. */
  async addVoter(client: Client): Promise<number> {
    const id = await this.add(client);
    await this.until(client, ({ members }) => {
      return members.some((member) => member.id === id && !member.isLearner);
    });
    return id;
  }

  /** Asks for the members until they are as wanted. */
  async until(client: Client, isWanted: (reply: MembersReply) => boolean): Promise<MembersReply> {
    for (;;) {
      const reply = await client.members();
      if (isWanted(reply)) return reply;
      await nextTick();
    }
  }

  /** The id of the node that leads, as soon as one does. */
  async leader(): Promise<number> {
    for (;;) {
      for (const [id, { member }] of this.nodes) if (member.raft.role === Role.Leader) return id;
      await nextTick();
    }
  }

  /** Waits until a node has ended by itself, and why. */
  async fault(id: number): Promise<NodeFault> {
    for (;;) {
      const fault = this.faults.get(id);
      if (fault !== undefined) return fault;
      await nextTick();
    }
  }

  /** A client of some nodes, or of all that run. */
  client(ids?: readonly number[], options: Partial<ClientOptions> = {}): Client {
    const endpoints = (ids ?? [...this.nodes.keys()]).map(
      (id) => `127.0.0.1:${this.ports.get(id)}`,
    );
    const client = connect({ endpoints, requestTimeoutMs: 30_000, ...options });
    this.#clients.push(client);
    return client;
  }

  async #close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    await Promise.all([...this.nodes.keys()].map((id) => this.stopNode(id)));
    for (const [id, fault] of this.faults) {
      if (fault.kind !== 'member-removed') this.#t.fail(`node ${id} failed: ${fault}`);
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
