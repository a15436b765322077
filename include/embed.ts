/**
 * A node inside a program of one's own.
 *
 *   import { createNode } from 'kvorum';
 *   const node = await createNode({ dataDir: 'data' });
 *   const client = node.client();
 *   await client.put('a', '10');
 *   await client.close();
 *   await node.stop();
 *
 * The node shares the program's event loop: what holds that up for longer than the election timeout
 * makes others take the node for dead. It does not keep the process alive by itself. What was
 * acknowledged is on disk, however the process ends.
 */

import type { Client, ClientOptions } from './client.ts';
import type { Log } from './log.ts';
import type { NodeId } from './node.ts';

/** A member of a cluster, as a line of nodes.conf has it. */
export type ClusterMember = {
  readonly id: NodeId;
  /** Host name or IP address that the others reach it at; it listens there too. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
  /** `voter` when left out. */
  readonly role?: 'voter' | 'learner';
};

/** Where a node stands. */
export type NodePlace =
  /** Alone, without a port: reached by `client` only. */
  | { readonly cluster?: undefined; readonly id?: undefined }
  /** One of a cluster: all members, or the text of a nodes.conf, and which of them this is. */
  | { readonly cluster: string | readonly ClusterMember[]; readonly id: NodeId };

/** What a node is made from. */
export type CreateNodeOptions = NodePlace & {
  /** The directory that holds all it has; made if need be, one node's only. */
  readonly dataDir: string;
  /** Milliseconds between a leader's heartbeats; HEARTBEAT_MS when left out. */
  readonly heartbeatMs?: number;
  /** Least milliseconds without a leader before an election; ELECTION_MS when left out. */
  readonly electionMs?: number;
  /** Where its events go; nowhere when left out. */
  readonly log?: Log;
  /**
   * The node cannot go on: its disk failed. Called once; nothing is written any more, and the
   * process should end: a restart recovers. Left out, the cause is thrown as an uncaught exception.
   */
  readonly onFatal?: (cause: unknown) => void;
};

/** A node running in this process. */
export type EmbeddedNode = {
  readonly id: NodeId;
  /**
   * Makes a client that asks this node, within the process; in a cluster it follows this node's
   * redirects to the leader. Close it before the node stops.
   */
  readonly client: (options?: Omit<ClientOptions, 'endpoints'>) => Client;
  /**
   * Hands leadership over, closes and syncs everything. Resolves when the directory is free again.
   */
  readonly stop: () => Promise<void>;
};
