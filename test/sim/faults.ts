/**
 * Misfortune, drawn from the seed: what befalls members, clients, disks, clocks and the network,
 * again and again until it is over. Each run has its own selection, so that some kinds meet often.
 */

import { Role } from '../../include/node.ts';
import type { Random } from '../../src/random.ts';
import { EventKind } from './host.ts';
import type { HostTime } from './host-clock.ts';
import type { SimNetwork } from './network.ts';
import type { SimClient } from './sim-client.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** What faults can befall. */
export type Victims = {
  readonly world: World;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly times: readonly HostTime[];
  /** Those alive. */
  readonly clients: () => readonly SimClient[];
  /** Puts a new client in the place of one that died. */
  readonly replace: (client: SimClient) => void;
};

type Fault = {
  readonly name: string;
  /** How often, in comparison with the others. */
  readonly weight: number;
  readonly strike: (victims: Victims, random: Random) => string;
};

/** Longest that a fault lasts, in milliseconds; most are much shorter. */
const LONGEST_MS = 6_000;

/** Misfortune, from its beginning to its end. */
export class Faults {
  readonly #victims: Victims;
  readonly #random: Random;
  readonly #kinds: readonly Fault[];
  readonly #pauseMs: number;
  #isOver = false;

  constructor(victims: Victims, random: Random) {
    this.#victims = victims;
    this.#random = random;
    this.#kinds = FAULTS.filter(() => random.below(3) > 0);
    this.#pauseMs = [300, 1_000, 3_000][random.below(3)]!;
  }

  /** What this run is up to, for people. */
  get names(): readonly string[] {
    return this.#kinds.map(({ name }) => name);
  }

  start(): void {
    const { world } = this.#victims;
    const strike = (): void => {
      if (this.#isOver) return;
      const fault = this.#draw();
      if (fault !== undefined) {
        const what = fault.strike(this.#victims, this.#random);
        world.trace.note('world', `${fault.name}: ${what}`);
      }
      world.after(undefined, this.#random.below(2 * this.#pauseMs), EventKind.Fault, strike);
    };
    world.after(undefined, this.#random.below(this.#pauseMs), EventKind.Fault, strike);
  }

  /** Puts all right: all run and reach each other, disks and clocks do what they should. */
  end(): void {
    const { world, network, nodes, times, clients } = this.#victims;
    this.#isOver = true;
    world.trace.note('world', 'all is well from now on');
    network.heal();
    for (const node of nodes) {
      node.onEvent = () => {};
      mend(node);
      if (node.process?.isFrozen) world.thaw(node.process);
      node.start();
    }
    for (const { process } of clients()) if (process.isFrozen) world.thaw(process);
    for (const time of times) time.setRate(1);
  }

  #draw(): Fault | undefined {
    const total = this.#kinds.reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) return undefined;
    let place = this.#random.below(total);
    return this.#kinds.find(({ weight }) => {
      place -= weight;
      return place < 0;
    });
  }
}

/** Moments at which a crash is most likely to hurt: how the log lines of members begin. */
const MOMENTS = [
  'vote',
  'pre-vote started',
  'election started',
  'became leader',
  'leader elected',
  'sending a snapshot',
  'receiving a snapshot',
  'snapshot received',
  'installing a snapshot',
  'snapshot installed',
  'node started',
  'configuration',
] as const;

const FAULTS: readonly Fault[] = [
  {
    name: 'kill',
    weight: 6,
    strike: (victims, random) => {
      const node = pick(victims.nodes, random);
      node.die('kill');
      restartLater(victims, node, random);
      return node.options.host.name;
    },
  },
  {
    name: 'power',
    weight: 4,
    strike: (victims, random) => {
      const node = pick(victims.nodes, random);
      node.die('power');
      restartLater(victims, node, random);
      return node.options.host.name;
    },
  },
  {
    name: 'ambush',
    weight: 8,
    strike: (victims, random) => {
      const event = MOMENTS[random.below(MOMENTS.length)]!;
      const death = random.below(2) === 0 ? 'kill' : 'power';
      const onEvent = (node: SimNode, what: string): void => {
        if (!what.startsWith(event)) return;
        for (const one of victims.nodes) one.onEvent = () => {};
        later(victims, random.below(100) / 20, () => {
          node.die(death);
          if (random.below(2) === 0) node.start();
          else restartLater(victims, node, random);
        });
      };
      for (const node of victims.nodes) node.onEvent = onEvent;
      return `${death} at '${event}'`;
    },
  },
  {
    name: 'forsaken leader',
    weight: 4,
    strike: (victims, random) => {
      const node = victims.nodes.find((one) => one.node?.member.raft.role === Role.Leader);
      if (node?.process === undefined) return 'nobody leads';
      const { process, options } = node;
      for (const { options: other } of victims.nodes) {
        if (other.host === options.host) continue;
        victims.network.cut(options.host, other.host);
        victims.network.cut(other.host, options.host);
      }
      victims.world.freeze(process);
      const sleepMs = options.electionMs * (1 + random.below(20) / 10);
      later(victims, sleepMs, () => victims.world.thaw(process));
      later(victims, sleepMs + random.below(2_000), () => victims.network.heal());
      return options.host.name;
    },
  },
  {
    name: 'blackout',
    weight: 1,
    strike: (victims, random) => {
      for (const node of victims.nodes) {
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
      const node = pick(victims.nodes, random);
      if (node.process === undefined) return 'nobody';
      node.disk.stopAfter(random.below(8));
      later(victims, 20 + random.below(300), () => {
        node.die('power');
        restartLater(victims, node, random);
      });
      return node.options.host.name;
    },
  },
  {
    name: 'disk error',
    weight: 2,
    strike: (victims, random) => {
      const node = pick(victims.nodes, random);
      if (node.process === undefined) return 'nobody';
      if (random.below(3) === 0) node.failsFlush = true;
      else node.disk.failAfter(random.below(8));
      return node.options.host.name;
    },
  },
  {
    name: 'full disk',
    weight: 1,
    strike: (victims, random) => {
      const node = pick(victims.nodes, random);
      node.options.mood.isFull = true;
      later(victims, duration(random), () => {
        node.options.mood.isFull = false;
      });
      return node.options.host.name;
    },
  },
  {
    name: 'slow disk',
    weight: 3,
    strike: (victims, random) => {
      const node = pick(victims.nodes, random);
      const { mood } = node.options;
      mood.jitterMs = 20 + random.below(400);
      later(victims, duration(random), () => mend(node));
      return node.options.host.name;
    },
  },
  {
    name: 'isolation',
    weight: 5,
    strike: (victims, random) => {
      const node = pick(victims.nodes, random);
      const way = random.below(3);
      for (const { options } of victims.nodes) {
        if (options.host === node.options.host) continue;
        if (way !== 1) victims.network.cut(node.options.host, options.host);
        if (way !== 2) victims.network.cut(options.host, node.options.host);
      }
      later(victims, duration(random), () => victims.network.heal());
      return `${node.options.host.name} ${['both ways', 'hears nothing', 'is not heard'][way]}`;
    },
  },
  {
    name: 'partition',
    weight: 4,
    strike: (victims, random) => {
      const hosts = victims.world.hosts;
      const side = new Set(hosts.filter(() => random.below(2) === 0));
      for (const one of hosts) {
        for (const other of hosts) {
          if (side.has(one) !== side.has(other)) victims.network.cut(one, other);
        }
      }
      later(victims, duration(random), () => victims.network.heal());
      return [...side].map(({ name }) => name).join(' ');
    },
  },
  {
    name: 'cut path',
    weight: 3,
    strike: (victims, random) => {
      const from = pick(victims.world.hosts, random);
      const to = pick(victims.world.hosts, random);
      victims.network.cut(from, to);
      later(victims, duration(random), () => victims.network.heal());
      return `${from.name} to ${to.name}`;
    },
  },
  {
    name: 'slow path',
    weight: 3,
    strike: (victims, random) => {
      const from = pick(victims.world.hosts, random);
      const to = pick(victims.world.hosts, random);
      victims.network.slow(from, to);
      return `${from.name} to ${to.name}`;
    },
  },
  {
    name: 'reset',
    weight: 4,
    strike: (victims, random) => {
      const owners = [...victims.nodes, ...victims.clients()];
      const { process, options } = pick(owners, random);
      if (process !== undefined) victims.network.breakWires(process);
      return options.host.name;
    },
  },
  {
    name: 'freeze',
    weight: 4,
    strike: (victims, random) => {
      const owners = [...victims.nodes, ...victims.nodes, ...victims.clients()];
      const { process, options } = pick(owners, random);
      if (process === undefined) return 'nobody';
      victims.world.freeze(process);
      later(victims, duration(random), () => victims.world.thaw(process));
      return options.host.name;
    },
  },
  {
    name: 'clock',
    weight: 3,
    strike: (victims, random) => {
      const slot = random.below(victims.times.length);
      const time = victims.times[slot]!;
      if (random.below(2) === 0) time.setRate(0.7 + random.below(60) / 100);
      else time.leap(random.below(3_000));
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
function mend(node: SimNode): void {
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
