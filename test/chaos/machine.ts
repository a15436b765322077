/** What this machine allows a run to break: found out by trying. */

import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, succeeds } from './system.ts';

/** How links can be made bad. */
export const Impairment = {
  /** Loss and delay of packets (`tc netem`). */
  Netem: 'netem',
  /** A narrow link: packets queue up, and are lost when the queue is full (`tc tbf`). */
  Narrow: 'tbf',
  None: 'none',
} as const;
/** One of the values of Impairment. */
export type Impairment = (typeof Impairment)[keyof typeof Impairment];

/** What is possible. */
export type Machine = {
  /** Nodes in network namespaces of their own, so that links between them can be cut. */
  readonly hasNamespaces: boolean;
  readonly impairment: Impairment;
  /** Small file systems, which fill up. */
  readonly hasMounts: boolean;
  /** What is not possible, and why: a line each, for people. */
  readonly lacks: readonly string[];
};

/** Finds out. Leaves nothing behind. */
export function probeMachine(): Machine {
  if (process.getuid?.() !== 0) {
    return {
      hasNamespaces: false,
      impairment: Impairment.None,
      hasMounts: false,
      lacks: ['not root: no partitions, no bad links, no full disks; nodes share 127.0.0.1'],
    };
  }
  const lacks: string[] = [];
  const hasNamespaces = canMakeNamespaces();
  if (!hasNamespaces) lacks.push('no network namespaces: no partitions; nodes share 127.0.0.1');
  const impairment = hasNamespaces ? findImpairment() : Impairment.None;
  if (hasNamespaces && impairment !== Impairment.Netem) {
    const instead =
      impairment === Impairment.Narrow ? 'links are made narrow instead (tbf)' : 'no bad links';
    lacks.push(`this kernel has no netem: ${instead}; paths that flap lose packets`);
  }
  const hasMounts = canMount();
  if (!hasMounts) lacks.push('no tmpfs can be mounted: no full disks');
  return { hasNamespaces, impairment, hasMounts, lacks };
}

function canMakeNamespaces(): boolean {
  const name = `kvorum-chaos-${process.pid}-probe`;
  const link = `kv${process.pid}p`;
  if (!succeeds('ip', ['netns', 'add', name])) return false;
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', name];
  const hasVeth = succeeds('ip', ['link', 'add', link, ...peer]);
  const hasEntry = succeeds('nsenter', [`--net=/var/run/netns/${name}`, 'true']);
  run('ip', ['netns', 'delete', name]);
  return hasVeth && hasEntry;
}

function findImpairment(): Impairment {
  const link = `kv${process.pid}q`;
  run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', `${link}p`]);
  try {
    const add = ['qdisc', 'replace', 'dev', link, 'root'];
    if (succeeds('tc', [...add, 'netem', 'delay', '1ms', 'loss', '1%'])) return Impairment.Netem;
    const narrow = ['tbf', 'rate', '1mbit', 'burst', '4kb', 'limit', '20kb'];
    return succeeds('tc', [...add, ...narrow]) ? Impairment.Narrow : Impairment.None;
  } finally {
    run('ip', ['link', 'delete', link]);
  }
}

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), `kvorum-chaos-${process.pid}-`));
  const isMounted = succeeds('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
  if (isMounted) run('umount', [directory]);
  rmdirSync(directory);
  return isMounted;
}
