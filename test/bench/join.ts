/**
 * How long a new member takes until it has caught up with a large state, and what a client that
 * writes to the leader notices of it.
 *
 * Measured from the first step of an operator (etcd: `member add`; kvorum: the start of the node,
 * which adds itself) until the new node votes and has applied what the leader had a moment before.
 * One that has not caught up after JOIN_MAX_MS counts as one that never does.
 */

import { type Bench, fill, fillState, sleep } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { type Effect, measureEffect } from './effect.ts';
import { Operation } from './wire.ts';

/** Milliseconds between two looks at the new node: the grain of the result. */
const LOOK_MS = 100;

/** Milliseconds that a node may take. */
const JOIN_MAX_MS = 180_000;

/** Fills a fresh cluster and adds a fourth node. */
export async function measureJoin(bench: Bench, cluster: Cluster): Promise<Effect> {
  await fill(bench, cluster, bench.options.keyCount);
  await fillState(bench, cluster);
  return await measureEffect(bench, cluster, Operation.Put, async (leaderSlot) => {
    const startedMs = performance.now();
    const slot = await cluster.addNode();
    while (!(await hasCaughtUp(cluster, slot, leaderSlot))) {
      if (performance.now() - startedMs > JOIN_MAX_MS) return Number.POSITIVE_INFINITY;
      await sleep(LOOK_MS);
    }
    return performance.now() - startedMs;
  });
}

async function hasCaughtUp(cluster: Cluster, slot: number, leaderSlot: number): Promise<boolean> {
  const { system, ports } = cluster;
  try {
    const leader = await system.state(ports[leaderSlot]!);
    const node = await system.state(ports[slot]!);
    return node.isVoter && node.appliedIndex >= leader.appliedIndex;
  } catch {
    return false; // it does not answer yet
  }
}
