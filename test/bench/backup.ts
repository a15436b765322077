/**
 * What a backup of a large state costs: how long the system's own tool takes to save one from the
 * leader, alone and under load, and what a client of that node notices of it meanwhile.
 *
 * Tool, client and nodes share the machine. What reads is measured after a restart of the nodes, as
 * in throughput.ts.
 */

import { type Bench, fill, fillState, progress } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { type Effect, measureEffect } from './effect.ts';
import { Operation } from './wire.ts';

/** What a backup took, and what it took away. */
export type Backup = {
  /** While nobody asked anything. */
  readonly aloneMs: number;
  readonly puts: Effect;
  readonly gets: Effect;
};

/** Fills a fresh cluster and backs it up, three times. */
export async function measureBackup(bench: Bench, cluster: Cluster): Promise<Backup> {
  await fill(bench, cluster, bench.options.keyCount);
  await fillState(bench, cluster);
  await cluster.stopAll();
  cluster.startAll();
  const aloneMs = await cluster.backUp(await cluster.settled());
  progress(`${cluster.system.name}: a backup takes ${Math.round(aloneMs)} ms`);
  const backUp = (leaderSlot: number): Promise<number> => cluster.backUp(leaderSlot);
  const gets = await measureEffect(bench, cluster, Operation.GetLinearizable, backUp);
  const puts = await measureEffect(bench, cluster, Operation.Put, backUp);
  return { aloneMs, puts, gets };
}
