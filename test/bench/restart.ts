/**
 * How long a cluster with many keys takes from the start of its processes to its first linearizable
 * read, and what it keeps in memory. The nodes were stopped in order; the files are in the page
 * cache, as after any restart of a program on a machine that stays up.
 */

import { type Bench, fill, median, progress, sleep } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { Probe } from './probe.ts';
import { type Memory, memoryOfLargest } from './proc.ts';
import { Operation } from './wire.ts';

/** Milliseconds between two reads of a node: the grain of the result. */
const ASK_MS = 10;

/** Milliseconds after which a cluster that does not serve counts as broken. */
const PATIENCE_MS = 60_000;

/** Milliseconds after which memory is looked at: garbage of the start is gone. */
const CALM_MS = 3_000;

/** What restarts took. */
export type Restart = {
  /** Until some node answers a linearizable read. */
  readonly medianMs: number;
  readonly worstMs: number;
  readonly memoryFilled: Memory;
  /** After the last restart. */
  readonly memoryRestarted: Memory;
};

/** Fills a fresh cluster and restarts it, several times. */
export async function measureRestart(bench: Bench, cluster: Cluster): Promise<Restart> {
  const keyCount = bench.options.restartKeyCount;
  await fill(bench, cluster, keyCount);
  await sleep(CALM_MS);
  const memoryFilled = memoryOfLargest(cluster.pids);
  const times: number[] = [];
  for (let round = 0; round < bench.options.restartRounds; round += 1) {
    await cluster.stopAll();
    const startedMs = performance.now();
    cluster.startAll();
    times.push((await untilServed(bench, cluster, keyCount)) - startedMs);
    await cluster.settled();
  }
  await sleep(CALM_MS);
  progress(`${cluster.system.name}: served after ${times.map(Math.round).join(', ')} ms`);
  return {
    medianMs: median(times),
    worstMs: Math.max(...times),
    memoryFilled,
    memoryRestarted: memoryOfLargest(cluster.pids),
  };
}

/** When the first read succeeded, at whichever node. */
async function untilServed(bench: Bench, cluster: Cluster, keyCount: number): Promise<number> {
  let servedMs = Number.NaN;
  const { name } = cluster.system;
  const { valueBytes } = bench.options;
  const probes = cluster.ports.map((port) => {
    const succeeded = (): void => {
      if (Number.isNaN(servedMs)) servedMs = performance.now();
    };
    return new Probe(name, Operation.GetLinearizable, port, valueBytes, succeeded);
  });
  try {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (let turn = 0; Number.isNaN(servedMs); turn += 1) {
      if (performance.now() > deadlineMs) throw new Error(`${name} does not serve`);
      for (const probe of probes) probe.ask(turn % keyCount);
      await sleep(ASK_MS);
    }
  } finally {
    for (const probe of probes) probe.close();
  }
  return servedMs;
}
