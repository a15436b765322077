/** What every part of the benchmark works with. */

import type { Cluster } from './cluster.ts';
import type { Generator } from './generate.ts';
import type { Options } from './options.ts';
import type { SystemName } from './wires.ts';

/** A run of the benchmark. */
export type Bench = {
  readonly options: Options;
  readonly generator: Generator;
  /** Starts a fresh cluster of a system; it is destroyed with the run at the latest. */
  readonly startCluster: (system: SystemName) => Promise<Cluster>;
  /** Ends a cluster and removes its data. */
  readonly destroyCluster: (cluster: Cluster) => void;
};

/** Tells whoever waits what goes on; the results go to the standard output. */
export function progress(text: string): void {
  const seconds = Math.round(performance.now() / 1_000);
  console.error(`${String(seconds).padStart(4)} s  ${text}`);
}

/** Writes every one of `keyCount` keys once, over ten pipelined connections to the leader. */
export async function fill(bench: Bench, cluster: Cluster, keyCount: number): Promise<void> {
  const leaderSlot = await cluster.settled();
  const result = await bench.generator.run({
    system: cluster.system.name,
    operation: 'put',
    ports: [cluster.ports[leaderSlot]!],
    connectionCount: 10,
    inflightPerConnection: 100,
    keyCount,
    valueBytes: bench.options.valueBytes,
    warmupMs: 0,
    windowMs: 0,
    seed: 1,
    serverPids: cluster.pids,
  });
  const found = await cluster.system.countKeys(cluster.ports[leaderSlot]!);
  if (found !== keyCount || result.failedCount > 0) {
    const failures = `${result.failedCount} puts failed (${result.lastFailure})`;
    throw new Error(`${cluster.system.name} holds ${found} of ${keyCount} keys; ${failures}`);
  }
  const seconds = (result.elapsedMs / 1_000).toFixed(1);
  progress(`${cluster.system.name}: ${keyCount} keys written in ${seconds} s`);
}

/** The middle one of some values; of an even number, the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Waits. */
export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
