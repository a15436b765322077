/** The kinds of misfortune: what each of them does, and to whom. */

import { Role } from '../../include/node.ts';
import type { Random } from '../../src/random.ts';
import type { SimCluster } from './cluster.ts';
import { EventKind, type Host, type Process } from './host.ts';
import type { SimNetwork } from './network.ts';
import type { SimClient } from './sim-client.ts';
import type { Death, SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** What faults can befall. */
export type Victims = {
  readonly world: World;
  readonly network: SimNetwork;
  readonly cluster: SimCluster;
  /** Those alive. */
  readonly clients: () => readonly SimClient[];
  /** Puts a new client in the place of one that died. */
  readonly replace: (client: SimClient) => void;
};

/** One kind. */
export type Fault = {
  readonly name: string;
  /** How often, in comparison with the others. */
  readonly weight: number;
  /** Strikes, and says whom; undefined when nobody was there to be struck. */
  readonly strike: (victims: Victims, random: Random) => string | undefined;
};

/** Longest that a fault lasts, in milliseconds; most are much shorter. */
const LONGEST_MS = 6_000;

/** Moments at which misfortune is most likely to hurt: what members log then. */
const MOMENTS = [
  /^vote/,
  /^pre-vote started/,
  /^election started/,
  /^became leader/,
  /^leader elected/,
  /^sending a snapshot/,
  /^receiving a snapshot/,
  /^snapshot received/,
  /^installing a snapshot/,
  /^snapshot installed/,
  /^node started/,
  /^configuration/,
] as const;

/** The moments at which a partition does. */
const PARTITION_MOMENTS = [
  /^became leader/,
  /^leader elected/,
  /^configuration/,
  // A joint one.
  /^configuration .*outgoing=\d/,
] as const;

/** All kinds. */
export const FAULTS: readonly Fault[] = [
  { name: 'kill', weight: 6, strike: (...to) => endOne('kill', ...to) },
  { name: 'power failure', weight: 4, strike: (...to) => endOne('power', ...to) },
  {
    name: 'ambush',
    weight: 8,
    strike: (victims, random) => {
      const moment = pick(MOMENTS, random);
      const death = random.below(2) === 0 ? 'kill' : 'power';
      awaitMoment(victims, moment, random, (node) => {
        victims.world.tally.count(`death at ${moment}`);
        node.die(death);
        if (random.below(2) === 0) node.start();
        else restartLater(victims, node, random);
      });
      return `${death} at ${moment}`;
    },
  },
  {
    name: 'ambushing partition',
    weight: 4,
    strike: (victims, random) => {
      const moment = pick(PARTITION_MOMENTS, random);
      awaitMoment(victims, moment, random, () => {
        victims.world.tally.count(`partition at ${moment}`);
        part(victims, random);
      });
      return `at ${moment}`;
    },
  },
  {
    name: 'snapshot stream cut',
    weight: 3,
    strike: (victims, random) => {
      awaitMoment(victims, /^receiving a snapshot/, random, ({ process }) => {
        if (process !== undefined) victims.network.breakWires(process);
      });
      return 'the next one';
    },
  },
  {
    name: 'leader cut off and frozen',
    weight: 4,
    strike: (victims, random) => {
      const node = leaderOf(victims);
      if (node?.process === undefined) return undefined;
      const { process, options } = node;
      isolate(victims, options.host, 'both ways');
      victims.world.freeze(process);
      const sleepMs = options.electionMs * (1 + random.below(20) / 10);
      later(victims, sleepMs, () => victims.world.thaw(process));
      later(victims, sleepMs + random.below(2_000), () => victims.network.heal());
      return options.host.name;
    },
  },
  {
    name: 'power failure of all',
    weight: 1,
    strike: (victims, random) => {
      for (const node of victims.cluster.nodes) {
        node.die('power');
        restartLater(victims, node, random);
      }
      return 'all nodes';
    },
  },
  {
    name: 'torn write',
    weight: 3,
    strike: (victims, random) => {
      const node = pick(victims.cluster.nodes, random);
      if (node.process === undefined) return undefined;
      node.disk.stopAfter(random.below(8));
      later(victims, 20 + random.below(300), () => {
        node.die('power');
        restartLater(victims, node, random);
      });
      return node.options.host.name;
    },
  },
  {
    name: 'log write error',
    weight: 2,
    strike: (victims, random) => {
      const node = pick(victims.cluster.nodes, random);
      if (node.process === undefined) return undefined;
      node.disk.failAfter(random.below(8));
      return node.options.host.name;
    },
  },
  {
    name: 'store flush error',
    weight: 1,
    strike: (victims, random) => {
      const node = pick(victims.cluster.nodes, random);
      if (node.process === undefined) return undefined;
      node.failsFlush = true;
      return node.options.host.name;
    },
  },
  {
    name: 'full disk',
    weight: 1,
    strike: (victims, random) => {
      const { options } = pick(victims.cluster.nodes, random);
      options.mood.isFull = true;
      later(victims, duration(random), () => {
        options.mood.isFull = false;
      });
      return options.host.name;
    },
  },
  {
    name: 'slow disk',
    weight: 3,
    strike: (victims, random) => {
      const node = pick(victims.cluster.nodes, random);
      node.options.mood.jitterMs = 20 + random.below(400);
      later(victims, duration(random), () => mend(node));
      return node.options.host.name;
    },
  },
  { name: 'node isolated', weight: 2, strike: (...to) => isolateOne('both ways', ...to) },
  { name: 'node hears nothing', weight: 2, strike: (...to) => isolateOne('in', ...to) },
  { name: 'node is not heard', weight: 2, strike: (...to) => isolateOne('out', ...to) },
  {
    name: 'partition',
    weight: 4,
    strike: (victims, random) => part(victims, random),
  },
  {
    name: 'cut path',
    weight: 3,
    strike: (victims, random) => {
      const [from, to] = pickPath(victims, random);
      victims.network.cut(from, to);
      healLater(victims, random);
      return `${from.name} to ${to.name}`;
    },
  },
  {
    name: 'slow path',
    weight: 3,
    strike: (victims, random) => {
      const [from, to] = pickPath(victims, random);
      victims.network.slow(from, to);
      return `${from.name} to ${to.name}`;
    },
  },
  {
    name: 'reset connections',
    weight: 4,
    strike: (victims, random) => {
      const [process, name] = pickProcess(victims, random);
      if (process === undefined) return undefined;
      victims.network.breakWires(process);
      return name;
    },
  },
  {
    name: 'freeze',
    weight: 4,
    strike: (victims, random) => {
      const [process, name] = pickProcess(victims, random);
      if (process === undefined) return undefined;
      victims.world.freeze(process);
      later(victims, duration(random), () => victims.world.thaw(process));
      return name;
    },
  },
  {
    name: 'clock drift',
    weight: 2,
    strike: ({ cluster: { times } }, random) => {
      const slot = random.below(times.length);
      times[slot]!.setRate(0.7 + random.below(60) / 100);
      return `of host ${slot + 1}`;
    },
  },
  {
    name: 'clock leap',
    weight: 1,
    strike: ({ cluster: { times } }, random) => {
      const slot = random.below(times.length);
      times[slot]!.leap(random.below(3_000));
      return `of host ${slot + 1}`;
    },
  },
  {
    name: 'client kill',
    weight: 2,
    strike: (victims, random) => {
      const client = pick(victims.clients(), random);
      client.kill();
      victims.replace(client);
      return client.options.host.name;
    },
  },
];

function endOne(death: Death, victims: Victims, random: Random): string {
  const node = pick(victims.cluster.nodes, random);
  node.die(death);
  restartLater(victims, node, random);
  return node.options.host.name;
}

/** Lets something befall the member that next logs something, within the moment. */
function awaitMoment(
  victims: Victims,
  moment: RegExp,
  random: Random,
  befall: (node: SimNode) => void,
): void {
  const { nodes } = victims.cluster;
  for (const node of nodes) {
    node.onEvent = (_, event) => {
      if (!moment.test(event)) return;
      for (const one of nodes) one.onEvent = () => {};
      later(victims, random.below(100) / 20, () => befall(node));
    };
  }
}

/** Splits all hosts into two sides, for a while. */
function part(victims: Victims, random: Random): string {
  const { hosts } = victims.world;
  const side = new Set(hosts.filter(() => random.below(2) === 0));
  for (const one of hosts) {
    for (const other of hosts) {
      if (side.has(one) !== side.has(other)) victims.network.cut(one, other);
    }
  }
  healLater(victims, random);
  return [...side].map(({ name }) => name).join(' ');
}

/** Ways in which a host may be cut off. */
type CutWay = 'both ways' | 'in' | 'out';

function isolateOne(way: CutWay, victims: Victims, random: Random): string {
  const { host } = pick(victims.cluster.nodes, random).options;
  isolate(victims, host, way);
  healLater(victims, random);
  return host.name;
}

/** Clients still reach it. */
function isolate({ cluster, network }: Victims, host: Host, way: CutWay): void {
  for (const { options } of cluster.nodes) {
    if (options.host === host) continue;
    if (way !== 'in') network.cut(host, options.host);
    if (way !== 'out') network.cut(options.host, host);
  }
}

function leaderOf({ cluster }: Victims): SimNode | undefined {
  return cluster.nodes.find(({ node }) => node?.member.raft.role === Role.Leader);
}

function pickPath({ world: { hosts } }: Victims, random: Random): readonly [Host, Host] {
  const from = pick(hosts, random);
  const others = hosts.filter((host) => host !== from);
  return [from, pick(others, random)];
}

/** A process that may be running, more often of a node than of a client. */
function pickProcess(
  { cluster, clients }: Victims,
  random: Random,
): readonly [Process | undefined, string] {
  const { process, options } = pick([...cluster.nodes, ...cluster.nodes, ...clients()], random);
  return [process, options.host.name];
}

function healLater(victims: Victims, random: Random): void {
  later(victims, duration(random), () => victims.network.heal());
}

function restartLater(victims: Victims, node: SimNode, random: Random): void {
  later(victims, duration(random), () => node.start());
}

/** Mostly short, seldom long. */
function duration(random: Random): number {
  const longestMs = random.below(4) === 0 ? LONGEST_MS : LONGEST_MS / 6;
  return random.below(longestMs);
}

function later({ world }: Victims, delayMs: number, run: () => void): void {
  world.after(undefined, delayMs, EventKind.Fault, run);
}

/** The disk does what it should. */
export function mend(node: SimNode): void {
  const { mood } = node.options;
  mood.isFull = false;
  mood.jitterMs = mood.latencyMs;
  node.failsFlush = false;
  node.disk.failAfter(Number.POSITIVE_INFINITY);
}

function pick<T>(list: readonly T[], random: Random): T {
  const picked = list[random.below(list.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
}
