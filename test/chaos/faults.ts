/**
 * What befalls the nodes of a run, drawn from its seed: which faults, when, to whom and for how
 * long. Who leads at that moment is up to the nodes, so a seed repeats the plan and not the run.
 */

import type { Random } from '../../src/random.ts';
import type { Cluster } from './cluster.ts';
import { SEVERITIES } from './namespaces.ts';
import type { Path } from './network.ts';
import type { NodeProcess } from './node-process.ts';

/** Does something later, unless misfortune is over by then. */
export type Later = (delayMs: number, what: string, act: () => void) => void;

/** What a fault strikes with. */
type Strike = {
  readonly cluster: Cluster;
  readonly random: Random;
  readonly later: Later;
  /** A node: often the leader. */
  readonly victim: NodeProcess;
};

/** A kind of fault. */
export type Fault = {
  readonly name: string;
  /** How often, in comparison with the others. */
  readonly weight: number;
  readonly isPossible: (cluster: Cluster) => boolean;
  /** Strikes; says whom. */
  readonly strike: (strike: Strike) => string;
};

/** Longest that a fault lasts, in milliseconds; most are much shorter. */
const LONGEST_MS = 8_000;

/** Between two turns of a path that flaps, in milliseconds. */
const FLAP_MS = 300;

const always = (): boolean => true;
const canCut = ({ network }: Cluster): boolean => network.canCut;

/** All kinds. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9',
    weight: 6,
    isPossible: always,
    strike: (strike) => {
      void strike.victim.kill();
      return `${nameOf(strike.victim)}, ${restartLater(strike, strike.victim)}`;
    },
  },
  {
    name: 'kill -9 of all',
    weight: 1,
    isPossible: always,
    strike: (strike) => {
      for (const node of strike.cluster.nodes) void node.kill();
      return strike.cluster.nodes.map((node) => restartLater(strike, node)).join(', ');
    },
  },
  {
    name: 'stop',
    weight: 2,
    isPossible: always,
    strike: (strike) => {
      void strike.victim.stop();
      return `${nameOf(strike.victim)}, ${restartLater(strike, strike.victim)}`;
    },
  },
  {
    name: 'freeze',
    weight: 5,
    isPossible: always,
    strike: ({ victim, random, later }) => {
      victim.freeze();
      const lastsMs = drawDuration(random);
      later(lastsMs, `thaw ${nameOf(victim)}`, () => victim.thaw());
      return `${nameOf(victim)} for ${lastsMs} ms`;
    },
  },
  {
    name: 'isolate',
    weight: 5,
    isPossible: canCut,
    strike: (strike) => {
      const { cluster, random, victim } = strike;
      const way = random.below(3);
      const paths: Path[] = [];
      // Clients may reach it on: they must not be told anything that is not so.
      const isFromClients = random.below(2) === 0;
      for (let host = 0; host < cluster.nodes.length + (isFromClients ? 1 : 0); host += 1) {
        if (way !== 1) paths.push({ from: victim.id, to: host });
        if (way !== 2) paths.push({ from: host, to: victim.id });
      }
      const how = ['both ways', 'hears nothing', 'is not heard'][way];
      const whom = isFromClients ? 'and clients' : '';
      return `${nameOf(victim)} ${how} ${whom} ${cutFor(strike, paths)}`;
    },
  },
  {
    name: 'split',
    weight: 5,
    isPossible: canCut,
    strike: (strike) => {
      const { cluster, random } = strike;
      const hosts = [...cluster.nodes.map(({ id }) => id), cluster.network.clients];
      const side = new Set(hosts.filter(() => random.below(2) === 0));
      // Or nothing would be split.
      const turned = random.below(hosts.length);
      if (side.size === 0) side.add(turned);
      if (side.size === hosts.length) side.delete(turned);
      const paths = hosts.flatMap((from) =>
        hosts.filter((to) => side.has(from) !== side.has(to)).map((to) => ({ from, to })),
      );
      const name = [...side].map((host) => (host < cluster.nodes.length ? host : 'clients'));
      return `[${name.join(' ')}] from the rest ${cutFor(strike, paths)}`;
    },
  },
  {
    name: 'cut path',
    weight: 3,
    isPossible: canCut,
    strike: (strike) => {
      const { cluster, random, victim } = strike;
      const hostCount = cluster.nodes.length + 1;
      const other = (victim.id + 1 + random.below(hostCount - 1)) % hostCount;
      const there = { from: victim.id, to: other };
      const back = { from: other, to: victim.id };
      const paths = [[there], [back], [there, back]][random.below(3)]!;
      const told = paths.map(({ from, to }) => `${from}>${to}`).join(' ');
      return `${told} ${cutFor(strike, paths)}`;
    },
  },
  {
    name: 'flapping path',
    weight: 3,
    isPossible: canCut,
    strike: ({ cluster, random, later, victim }) => {
      const { network } = cluster;
      const hosts = cluster.nodes.map(({ id }) => id);
      const paths = hosts.map((to) => ({ from: victim.id, to }));
      const flaps = 2 + random.below(10);
      for (let flap = 0; flap < flaps; flap += 1) {
        later(2 * flap * FLAP_MS, '', () => network.cut(paths));
        later((2 * flap + 1) * FLAP_MS, '', () => network.join(paths));
      }
      return `from ${nameOf(victim)}, ${flaps} times ${FLAP_MS} ms`;
    },
  },
  {
    name: 'bad link',
    weight: 4,
    isPossible: ({ network }) => network.canSpoil,
    strike: ({ cluster, random, later, victim }) => {
      const how = cluster.network.spoil(victim.id, random.below(SEVERITIES));
      const lastsMs = drawDuration(random);
      later(lastsMs, `good link of ${nameOf(victim)}`, () => cluster.network.clean(victim.id));
      return `of ${nameOf(victim)}: ${how} for ${lastsMs} ms`;
    },
  },
  {
    name: 'full disk',
    weight: 3,
    isPossible: ({ smallDisk }) => smallDisk !== undefined,
    strike: ({ cluster, random, later }) => {
      cluster.smallDisk?.disk.fill();
      const lastsMs = drawDuration(random);
      later(lastsMs, 'room again', () => cluster.smallDisk?.disk.clear());
      return `of node ${cluster.smallDisk?.node} for ${lastsMs} ms`;
    },
  },
];

/** Draws one of the kinds that are possible. */
export function drawFault(cluster: Cluster, random: Random): Fault {
  const possible = FAULTS.filter(({ isPossible }) => isPossible(cluster));
  let place = random.below(possible.reduce((sum, { weight }) => sum + weight, 0));
  const drawn = possible.find(({ weight }) => {
    place -= weight;
    return place < 0;
  });
  if (drawn === undefined) throw new Error('no fault is possible');
  return drawn;
}

function nameOf({ id }: NodeProcess): string {
  return `node ${id}`;
}

function restartLater({ later, random }: Strike, node: NodeProcess): string {
  const lastsMs = drawDuration(random);
  later(lastsMs, `start ${nameOf(node)}`, () => node.start());
  return `back in ${lastsMs} ms`;
}

function cutFor({ cluster, later, random }: Strike, paths: readonly Path[]): string {
  cluster.network.cut(paths);
  const lastsMs = drawDuration(random);
  later(lastsMs, `${paths.length} paths again`, () => cluster.network.join(paths));
  return `for ${lastsMs} ms`;
}

/** Mostly short, seldom long. */
function drawDuration(random: Random): number {
  return random.below(random.below(3) === 0 ? LONGEST_MS : LONGEST_MS / 4);
}
