/**
 * What lies between the nodes of a run, and between them and their clients: cut, mended and made
 * bad while packets flow. A host is a node's slot, or `clients`: all clients are one host.
 */

/** The network of one cluster. */
export type Network = {
  /** Where each node listens. */
  readonly addresses: readonly string[];
  /** The clients' host: the number behind the last node's. */
  readonly clients: number;
  /** Whether links can be cut at all. */
  readonly canCut: boolean;
  /** Whether links can be made bad. */
  readonly canSpoil: boolean;
  /** What to put before a command so that it runs at a node's place. */
  readonly enter: (slot: number) => readonly string[];
  /** From now on packets from one host to another vanish on the way. */
  readonly cut: (paths: readonly Path[]) => void;
  /** From now on they arrive again. */
  readonly join: (paths: readonly Path[]) => void;
  /** Makes the link of a node bad; says how. */
  readonly spoil: (slot: number, severity: number) => string;
  /** Makes it good. */
  readonly clean: (slot: number) => void;
  /** Joins all paths, cleans all links. */
  readonly heal: () => void;
};

/** One direction between two hosts. */
export type Path = { readonly from: number; readonly to: number };

/** All nodes at 127.0.0.1: nothing can be cut. */
export function createLoopback(nodeCount: number): Network {
  return {
    addresses: Array.from({ length: nodeCount }, () => '127.0.0.1'),
    clients: nodeCount,
    canCut: false,
    canSpoil: false,
    enter: () => [],
    cut: () => {},
    join: () => {},
    spoil: () => 'nothing',
    clean: () => {},
    heal: () => {},
  };
}
