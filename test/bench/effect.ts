/**
 * What a client notices of something that an operator does: the same closed loop before and
 * meanwhile, of a hundred connections to the leader.
 */

import { type Bench, progress, sleep, undisturbed } from './bench.ts';
import type { Cluster } from './cluster.ts';
import type { LoadJob, LoadResult } from './load.ts';
import type { Operation } from './wire.ts';

/** Connections of the client, with one request each in flight. */
export const CLIENTS = 100;

/** Milliseconds after which nobody waits for the end of something. */
const EVENT_MAX_MS = 300_000;

/**
 * After a restart of the nodes the client is faster for a while than what it keeps up: so many
 * windows pass before anything is measured.
 */
const SETTLE_WINDOWS = 10;

/** The window before, as a multiple of the usual one: the event lasts for a while too. */
const BEFORE_WINDOWS = 4;

/** Rates and times of a client. */
export type Effect = {
  readonly before: LoadResult;
  readonly meanwhile: LoadResult;
  /** What the event says that it took; Infinity: it had no end in time. */
  readonly eventMs: number;
};

/** Measures a client before an event and during it. @param event returns Effect.eventMs */
export async function measureEffect(
  bench: Bench,
  cluster: Cluster,
  operation: Operation,
  event: (leaderSlot: number) => Promise<number>,
): Promise<Effect> {
  const { warmupMs, windowMs } = bench.options;
  const leaderSlot = await cluster.settled();
  const job: LoadJob = {
    system: cluster.system.name,
    operation,
    ports: [cluster.ports[leaderSlot]!],
    connectionCount: CLIENTS,
    inflightPerConnection: 1,
    keyCount: bench.options.keyCount,
    firstKey: 0,
    valueBytes: bench.options.valueBytes,
    warmupMs,
    windowMs: BEFORE_WINDOWS * windowMs,
    seed: 1,
    serverPids: cluster.pids,
  };
  await bench.generator.run({ ...job, windowMs: SETTLE_WINDOWS * windowMs });
  const before = await undisturbed(() => bench.generator.run(job));
  const running = bench.generator.run({ ...job, windowMs: EVENT_MAX_MS, seed: 2 });
  const happening = sleep(warmupMs).then(() => event(leaderSlot));
  const neverEnded = running.then(() => Number.POSITIVE_INFINITY);
  const eventMs = await Promise.race([happening, neverEnded]);
  bench.generator.finish();
  const meanwhile = await running;
  tell(cluster, operation, { before, meanwhile, eventMs });
  return { before, meanwhile, eventMs };
}

/** Answers in a second. */
export function perSecond({ answeredCount, elapsedMs }: LoadResult): number {
  return (answeredCount / elapsedMs) * 1_000;
}

function tell({ system }: Cluster, operation: Operation, effect: Effect): void {
  const { before, meanwhile, eventMs } = effect;
  const [usual, less] = [before, meanwhile].map((result) => Math.round(perSecond(result)));
  const failed = meanwhile.failedCount > 0 ? `; the last failure: ${meanwhile.lastFailure}` : '';
  const took = `${(eventMs / 1_000).toFixed(1)} s`;
  progress(`${system.name}: ${operation} ${usual}/s, meanwhile ${less}/s (${took})${failed}`);
}
