/** What every part of the benchmark works with. */

import type { Cluster } from './cluster.ts';
import type { Generator } from './generate.ts';
import type { LoadResult } from './load.ts';
import type { Options } from './options.ts';
import { Operation } from './wire.ts';
import type { SystemName } from './wires.ts';

/** A run of the benchmark. */
export type Bench = {
  readonly options: Options;
  readonly generator: Generator;
  /**
   * Starts a fresh cluster of a system; it is destroyed with the run at the latest.
   *
   * @param extra kvorum's nodes have gateways for clients of etcd only where they are asked for
   */
  readonly startCluster: (system: SystemName, extra?: 'gateways') => Promise<Cluster>;
  /** The first of so many key numbers that nobody has used. */
  readonly takeKeys: (count: number) => number;
  /** Ends a cluster and removes its data. */
  readonly destroyCluster: (cluster: Cluster) => void;
};

/** Milliseconds the machine may stand still in a window; beyond, the window is measured again. */
const STILL_MAX_MS = 500;

/** Times a disturbed window is measured again. */
const REPEATS_MAX = 3;

/** Milliseconds for what a load left behind: flushes, garbage. */
const SETTLE_MS = 300;

/** Tells whoever waits what goes on; the results go to the standard output. */
export function progress(text: string): void {
  const seconds = Math.round(performance.now() / 1_000);
  console.error(`${String(seconds).padStart(4)} s  ${text}`);
}

/** Measures, again when the machine stood still meanwhile. */
export async function undisturbed<T extends { readonly stillMs: number }>(
  measure: () => Promise<T>,
): Promise<T> {
  for (let repeat = 0; ; repeat += 1) {
    await sleep(SETTLE_MS);
    const result = await measure();
    if (result.stillMs <= STILL_MAX_MS || repeat === REPEATS_MAX) return result;
    progress(`the machine stood still for ${Math.round(result.stillMs)} ms: once more`);
  }
}

/** Writes every one of `keyCount` keys once. */
export async function fill(bench: Bench, cluster: Cluster, keyCount: number): Promise<void> {
  const result = await askOnceEach(bench, cluster, Operation.Put, keyCount);
  const found = await cluster.system.countKeys(cluster.ports[await cluster.settled()]!);
  if (found !== keyCount || result.failedCount > 0) {
    const failures = `${result.failedCount} puts failed (${result.lastFailure})`;
    throw new Error(`${cluster.system.name} holds ${found} of ${keyCount} keys; ${failures}`);
  }
  const seconds = (result.elapsedMs / 1_000).toFixed(1);
  progress(`${cluster.system.name}: ${keyCount} keys written in ${seconds} s`);
}

/** Grants the leases of `keyCount` keys. */
export async function grantLeases(bench: Bench, cluster: Cluster, keyCount: number): Promise<void> {
  const result = await askOnceEach(bench, cluster, Operation.LeaseGrant, keyCount);
  if (result.failedCount === 0) return;
  throw new Error(`${cluster.system.name} grants no leases: ${result.lastFailure}`);
}

/** Asks about every key once, over ten pipelined connections to the leader. */
async function askOnceEach(
  bench: Bench,
  cluster: Cluster,
  operation: Operation,
  keyCount: number,
): Promise<LoadResult> {
  const leaderSlot = await cluster.settled();
  return await bench.generator.run({
    system: cluster.system.name,
    operation,
    ports: [cluster.ports[leaderSlot]!],
    connectionCount: 10,
    inflightPerConnection: 100,
    keyCount,
    firstKey: 0,
    valueBytes: bench.options.valueBytes,
    warmupMs: 0,
    windowMs: 0,
    seed: 1,
    serverPids: cluster.pids,
  });
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
