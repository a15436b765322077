/**
 * How long nobody can write after the leader's process is killed.
 *
 * A client keeps a connection to every node and puts to each every few milliseconds without waiting
 * for answers. What counts is the time from `kill -9` of the leader to the first acknowledgement,
 * by a survivor, of a put that was sent after the kill. Then the node is started again, and the
 * next round begins once it has caught up.
 */

import { type Bench, fill, median, progress, sleep } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { Probe } from './probe.ts';
import { Ticker } from './ticker.ts';
import { Operation } from './wire.ts';

/** Milliseconds between two puts to a node: the grain of the result. */
const ASK_MS = 5;

/** Milliseconds the client writes before the kill; up to CALM_JITTER_MS more, to hit any moment. */
const CALM_MS = 500;
const CALM_JITTER_MS = 200;

/** Milliseconds after which a cluster without a leader counts as broken. */
const PATIENCE_MS = 30_000;

const KEY_COUNT = 1_000;

/** Milliseconds this process may get no processor in a round; beyond, the round does not count. */
const STILL_MAX_MS = 250;

/** Rounds that may be lost that way. */
const LOST_ROUNDS_MAX = 10;

/** Milliseconds without an acknowledged write. */
export type Failover = { readonly medianMs: number; readonly worstMs: number };

/** Kills the leader of a fresh cluster again and again. */
export async function measureFailover(bench: Bench, cluster: Cluster): Promise<Failover> {
  await fill(bench, cluster, KEY_COUNT);
  const times: number[] = [];
  const { failoverRounds } = bench.options;
  for (let round = 0; times.length < failoverRounds; round += 1) {
    const { resumedMs, stillMs } = await killLeader(bench, cluster, round);
    if (stillMs <= STILL_MAX_MS || round >= failoverRounds + LOST_ROUNDS_MAX) times.push(resumedMs);
    else progress(`the machine stood still for ${Math.round(stillMs)} ms: once more`);
  }
  progress(`${cluster.system.name}: no writes for ${times.map(Math.round).join(', ')} ms`);
  return { medianMs: median(times), worstMs: Math.max(...times) };
}

/** What a round brought. */
type Round = { readonly resumedMs: number; readonly stillMs: number };

async function killLeader(bench: Bench, cluster: Cluster, round: number): Promise<Round> {
  const leaderSlot = await cluster.settled();
  let killedMs = Number.POSITIVE_INFINITY;
  let onResumed = (_ms: number): void => undefined;
  const resumed = new Promise<number>((resolve) => {
    onResumed = resolve;
  });
  const probes = cluster.ports.map((port, slot) => {
    const succeeded = (sentMs: number): void => {
      if (slot !== leaderSlot && sentMs > killedMs) onResumed(performance.now() - killedMs);
    };
    const { valueBytes } = bench.options;
    return new Probe(cluster.system.name, Operation.Put, port, valueBytes, succeeded);
  });
  let keyNumber = 0;
  const asking = new Ticker(ASK_MS, () => {
    keyNumber = (keyNumber + 1) % KEY_COUNT;
    for (const probe of probes) probe.ask(keyNumber);
  });

  try {
    await sleep(CALM_MS + ((round * 61) % CALM_JITTER_MS));
    killedMs = performance.now();
    const gone = cluster.endNode(leaderSlot, 'SIGKILL');
    const resumedMs = await Promise.race([resumed, sleep(PATIENCE_MS).then(() => Number.NaN)]);
    if (Number.isNaN(resumedMs)) throw new Error(`${cluster.system.name} found no new leader`);
    await gone;
    return { resumedMs, stillMs: asking.stillMs };
  } finally {
    asking.stop();
    for (const probe of probes) probe.close();
    cluster.startNode(leaderSlot);
  }
}
