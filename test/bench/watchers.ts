/**
 * Watch fan-out: how long after a put a thousand watchers of its key know, on ten connections.
 *
 * The systems take turns, as in throughput.ts, and watchers connect where it is better for them:
 * all at the leader, or spread over the nodes. The puts go to the leader.
 */

import { type Bench, median, progress, undisturbed } from './bench.ts';
import type { Cluster } from './cluster.ts';
import type { FanOutResult } from './fan-out.ts';
import type { Placement } from './throughput.ts';
import type { SystemName } from './wires.ts';

const CONNECTIONS = 10;
const WATCHERS_PER_CONNECTION = 100;

/** Watchers of the key. */
export const WATCHERS = CONNECTIONS * WATCHERS_PER_CONNECTION;

/** Medians of the windows. */
export type Watching = {
  readonly placement: Placement;
  readonly halfP50Micros: number;
  readonly lastP50Micros: number;
  readonly lastP99Micros: number;
  readonly eventsPerSecond: number;
  /** CPU of all three nodes for an event told to a watcher. */
  readonly serverCpuMicros: number;
};

/** Starts clusters and measures them. */
export async function measureWatchers(bench: Bench): Promise<Map<SystemName, Watching>> {
  const clusters: Cluster[] = [];
  for (const system of bench.options.systems) clusters.push(await bench.startCluster(system));
  const placements: Placement[] = [];
  for (const cluster of clusters) placements.push(await choosePlacement(bench, cluster));
  const results: FanOutResult[][] = clusters.map(() => []);
  for (let window = 0; window < bench.options.windowCount; window += 1) {
    for (const [slot, cluster] of clusters.entries()) {
      results[slot]!.push(await runWindow(bench, cluster, placements[slot]!, 1));
    }
  }
  const cells = clusters.map((cluster, slot) => {
    const watching = watchingOf(results[slot]!, placements[slot]!);
    bench.destroyCluster(cluster);
    return [cluster.system.name, watching] as const;
  });
  const told = cells.map(([name, cell]) => `${name} ${Math.round(cell.lastP50Micros)} us`);
  progress(`the last of ${WATCHERS} watchers knows: ${told.join(', ')}`);
  return new Map(cells);
}

async function choosePlacement(bench: Bench, cluster: Cluster): Promise<Placement> {
  const leader = await runWindow(bench, cluster, 'leader', 0.5);
  const spread = await runWindow(bench, cluster, 'spread', 0.5);
  return spread.lastP50Micros < leader.lastP50Micros ? 'spread' : 'leader';
}

/** @param share of a whole window's time */
async function runWindow(
  bench: Bench,
  cluster: Cluster,
  placement: Placement,
  share: number,
): Promise<FanOutResult> {
  return await undisturbed(async () => {
    const leaderSlot = await cluster.settled();
    return await bench.generator.fanOut({
      system: cluster.system.name,
      putPort: cluster.ports[leaderSlot]!,
      watchPorts: placement === 'leader' ? [cluster.ports[leaderSlot]!] : cluster.ports,
      connectionCount: CONNECTIONS,
      watchersPerConnection: WATCHERS_PER_CONNECTION,
      keyNumber: bench.takeKeys(1),
      valueBytes: bench.options.valueBytes,
      warmupMs: bench.options.warmupMs * share,
      windowMs: bench.options.windowMs * share,
      serverPids: cluster.pids,
    });
  });
}

function watchingOf(results: readonly FanOutResult[], placement: Placement): Watching {
  const middle = (value: (result: FanOutResult) => number): number => median(results.map(value));
  return {
    placement,
    halfP50Micros: middle((result) => result.halfP50Micros),
    lastP50Micros: middle((result) => result.lastP50Micros),
    lastP99Micros: middle((result) => result.lastP99Micros),
    eventsPerSecond: middle(({ putCount, elapsedMs }) => (putCount * WATCHERS * 1_000) / elapsedMs),
    serverCpuMicros: middle(
      ({ serverCpuMicros, putCount }) => serverCpuMicros / (putCount * WATCHERS),
    ),
  };
}
