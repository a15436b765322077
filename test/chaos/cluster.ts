/** The nodes of a run and what lies between them: what faults strike at. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../include/client.ts';
import { Role } from '../../include/node.ts';
import { KvorumError } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import type { Random } from '../../src/random.ts';
import { freePorts } from '../free-ports.ts';
import type { Leavings } from './leavings.ts';
import type { Machine } from './machine.ts';
import { NamespaceNetwork } from './namespaces.ts';
import { createLoopback, type Network } from './network.ts';
import { NodeProcess } from './node-process.ts';
import { SmallDisk } from './small-disk.ts';

/** What a cluster is made from. */
export type ClusterOptions = {
  readonly nodeCount: number;
  readonly binary: string;
  readonly directory: string;
  readonly machine: Machine;
  readonly leavings: Leavings;
  readonly random: Random;
  readonly onUnasked: (node: NodeProcess, how: string) => void;
};

/** Room for a node's log and store, so that it fills by what is put there, not by itself. */
const SMALL_DISK_MIB = 384;

/** Milliseconds that a node has to say how it is. */
const STATUS_MS = 500;

/** The port of every node, where each has an address of its own. */
const PORT = 7001;

/** The cluster. */
export class Cluster {
  readonly network: Network;
  readonly nodes: readonly NodeProcess[];
  /** A client of each node that asks nobody else. */
  readonly observers: readonly Client[];
  /** The node that lives on a small disk, if that is possible. */
  readonly smallDisk: { readonly node: number; readonly disk: SmallDisk } | undefined;

  private constructor(options: ClusterOptions, network: Network, ports: readonly number[]) {
    const { nodeCount, binary, directory, machine, leavings, random, onUnasked } = options;
    this.network = network;
    const endpoints = network.addresses.map((address, slot) => `${address}:${ports[slot]}`);
    const lines = network.addresses.map((address, slot) => `${slot} ${address} ${ports[slot]}`);
    const logEntriesKept = [50, 1_000, 10_000][random.below(3)]!;
    const small = random.below(nodeCount);
    mkdirSync(directory, { recursive: true });
    this.smallDisk = machine.hasMounts
      ? {
          node: small,
          disk: new SmallDisk(join(directory, 'small-disk'), SMALL_DISK_MIB, leavings),
        }
      : undefined;
    writeFileSync(join(directory, 'nodes.conf'), `${lines.join('\n')}\n`);
    this.nodes = endpoints.map((endpoint, id) => {
      const place = this.smallDisk?.node === id ? this.smallDisk.disk.path : undefined;
      const dataDir = place ?? join(directory, `node-${id}`);
      const serve = ['serve', '--id', `${id}`, '--conf', 'nodes.conf', '--data-dir', dataDir];
      const flags = ['--log-entries-kept', `${logEntriesKept}`];
      const command = [...network.enter(id), binary, ...serve, ...flags];
      const logPath = join(directory, `node-${id}.log`);
      return new NodeProcess({ id, endpoint, command, directory, logPath, leavings, onUnasked });
    });
    this.observers = endpoints.map((endpoint) => connect({ endpoints: [endpoint] }));
  }

  /** Makes a cluster; nothing runs yet. */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const { nodeCount, machine, leavings } = options;
    if (machine.hasNamespaces) {
      const network = new NamespaceNetwork(nodeCount, machine, leavings);
      return new Cluster(
        options,
        network,
        network.addresses.map(() => PORT),
      );
    }
    return new Cluster(options, createLoopback(nodeCount), await freePorts(nodeCount));
  }

  /** Where the nodes listen. */
  get endpoints(): readonly string[] {
    return this.nodes.map(({ endpoint }) => endpoint);
  }

  /** Who says that it leads; of several the one of the newest term. */
  async findLeader(): Promise<NodeProcess | undefined> {
    const asked = this.observers.map((observer) =>
      observer.status({ timeoutMs: STATUS_MS }).catch((error: unknown) => {
        if (error instanceof KvorumError) return undefined;
        throw error;
      }),
    );
    const leaders = (await Promise.all(asked)).filter((status) => status?.role === Role.Leader);
    leaders.sort((one, other) => (other?.term ?? 0) - (one?.term ?? 0));
    return this.nodes[leaders[0]?.nodeId ?? -1];
  }

  /** Puts all right: every node runs and reaches every other, and has room. */
  mend(): void {
    this.network.heal();
    this.smallDisk?.disk.clear();
    for (const node of this.nodes) {
      node.thaw();
      node.start();
    }
  }

  /** Ends the clients that are used here. */
  async close(): Promise<void> {
    for (const observer of this.observers) await observer.close();
  }
}
