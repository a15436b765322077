/** What every part of the benchmark works with. */

import type { Cluster } from './cluster.ts';
import type { Generator } from './generate.ts';
import type { LoadJob, LoadResult } from './load.ts';
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

/** Bytes of a value of which a hundred are less than 64 KiB. */
const SMALL_VALUE_BYTES = 600;

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

/** Writes every one of `keyCount` keys once; the store is empty before. */
export async function fill(bench: Bench, cluster: Cluster, keyCount: number): Promise<void> {
  const { valueBytes } = bench.options;
  const asked = { operation: Operation.Put, keyCount, firstKey: 0, valueBytes };
  const result = await askOnceEach(bench, cluster, asked);
  const found = await cluster.system.countKeys(cluster.ports[await cluster.settled()]!);
  if (found !== keyCount || result.failedCount > 0) {
    const failures = `${result.failedCount} puts failed (${result.lastFailure})`;
    throw new Error(`${cluster.system.name} holds ${found} of ${keyCount} keys; ${failures}`);
  }
  tellFilled(cluster, keyCount, result);
}

/** Makes the state large: pairs that nobody asks about, behind the keys of `fill`. */
export async function fillState(bench: Bench, cluster: Cluster): Promise<void> {
  const { statePairCount: keyCount, stateValueBytes: valueBytes } = bench.options;
  const firstKey = bench.takeKeys(keyCount);
  const asked = { operation: Operation.Put, keyCount, firstKey, valueBytes };
  const result = await askOnceEach(bench, cluster, asked);
  if (result.failedCount > 0) {
    throw new Error(`${cluster.system.name} takes no large state: ${result.lastFailure}`);
  }
  tellFilled(cluster, keyCount, result);
}

function tellFilled(cluster: Cluster, keyCount: number, { elapsedMs }: LoadResult): void {
  const seconds = (elapsedMs / 1_000).toFixed(1);
  progress(`${cluster.system.name}: ${keyCount} keys written in ${seconds} s`);
}

/** Grants the leases of `keyCount` keys. */
export async function grantLeases(bench: Bench, cluster: Cluster, keyCount: number): Promise<void> {
  const asked = { operation: Operation.LeaseGrant, keyCount, firstKey: 0, valueBytes: 0 };
  const result = await askOnceEach(bench, cluster, asked);
  if (result.failedCount === 0) return;
  throw new Error(`${cluster.system.name} grants no leases: ${result.lastFailure}`);
}

/** Asks about every key once, over pipelined connections to the leader. */
async function askOnceEach(
  bench: Bench,
  cluster: Cluster,
  asked: Pick<LoadJob, 'operation' | 'keyCount' | 'firstKey' | 'valueBytes'>,
): Promise<LoadResult> {
  const leaderSlot = await cluster.settled();
  return await bench.generator.run({
    system: cluster.system.name,
    ...asked,
    ports: [cluster.ports[leaderSlot]!],
    // What is in flight on a connection fits the window that etcd opens at first.
    ...(asked.valueBytes > SMALL_VALUE_BYTES
      ? { connectionCount: 100, inflightPerConnection: 10 }
      : { connectionCount: 10, inflightPerConnection: 100 }),
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
