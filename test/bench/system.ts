/** What the benchmark must know of a system to start it and to ask after its health. */

import type { SystemName } from './wires.ts';

/** Where a cluster's nodes live. */
export type Layout = {
  /** A directory of its own for each cluster. */
  readonly directory: string;
  /** Ports of peers, by slot; kvorum, whose peers use its one port, has its gateways there. */
  readonly peerPorts: readonly number[];
  /** Ports that clients use, by slot. */
  readonly clientPorts: readonly number[];
  /** Slots below are of the nodes that the cluster is born with; the others join it. */
  readonly founderCount: number;
};

/** How to start a node, or a tool. */
export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
};

/** What a node says of itself. */
export type NodeState = {
  readonly isLeader: boolean;
  /** It knows a leader, itself or another. */
  readonly hasLeader: boolean;
  readonly appliedIndex: number;
  /** Its vote counts. */
  readonly isVoter: boolean;
};

/** One of the systems compared. */
export type System = {
  readonly name: SystemName;
  /** Writes the files that all nodes share. Called once, before the first start. */
  readonly prepare: (layout: Layout) => void;
  readonly command: (layout: Layout, slot: number) => Command;
  /** Makes a node known to the running cluster; undefined: it does that itself. */
  readonly addMember: (layout: Layout, slot: number) => Command | undefined;
  /** Makes a backup of the state of one node. */
  readonly saveSnapshot: (layout: Layout, slot: number, path: string) => Command;
  /** Removes what a revision supersedes, and waits until it is removed. */
  readonly compact: (layout: Layout, slot: number, revision: number) => Command;
  /** Ports that speak etcd's API, by slot, in a cluster that has them. */
  readonly etcdPorts: (layout: Layout) => readonly number[];
  /** @throws Error while the node does not answer */
  readonly state: (port: number) => Promise<NodeState>;
  /** Keys the store holds, by a linearizable read. */
  readonly countKeys: (port: number) => Promise<number>;
};

/** Milliseconds a question to a node may take. */
export const STATE_TIMEOUT_MS = 2_000;

/** Words of the command of both tools that compacts. */
export function compaction(revision: number): string[] {
  return ['compaction', String(revision), '--physical', '--command-timeout=600s'];
}
