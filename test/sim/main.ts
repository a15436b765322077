/**
 * The simulator from the command line:
 *
 *   SEEDS=1000 node test/sim/main.ts     seeds 1 to 1000, on all processors; FIRST=n starts there
 *   SEED=123 node test/sim/main.ts       one seed, and what happened if it fails
 *
 * LINES=n shows so many lines of each host. Exit code 1 when a seed failed.
 */

import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { createSystemClock } from '../../src/clock.ts';
import { type Outcome, runSeed, SimFailure } from './run.ts';
import { LINES_MAX } from './trace.ts';

/** What a worker says of a seed. */
type Report = {
  readonly seed: number;
  readonly outcome: Outcome | undefined;
  /** Why it failed, and what happened before. */
  readonly failure: string | undefined;
};

const SEEDS_DEFAULT = 100;

/** How to see it again. */
const replayOf = (seed: number): string => `replay: make sim SEED=${seed}`;

if (!isMainThread) serve();
else if (process.env.SEED !== undefined) await showOne(Number(process.env.SEED));
else await runAll(Number(process.env.FIRST ?? 1), Number(process.env.SEEDS ?? SEEDS_DEFAULT));

async function reportOn(seed: number): Promise<Report> {
  try {
    const linesMax = Number(process.env.LINES ?? LINES_MAX);
    return { seed, outcome: await runSeed(seed, { linesMax }), failure: undefined };
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error;
    return { seed, outcome: undefined, failure: error.told };
  }
}

/** A worker: runs the seeds that it is sent. */
function serve(): void {
  parentPort?.on('message', async (seed: number) => parentPort?.postMessage(await reportOn(seed)));
}

async function showOne(seed: number): Promise<void> {
  const { outcome, failure } = await reportOn(seed);
  console.log(outcome ?? `${failure}\n${replayOf(seed)}`);
  process.exitCode = failure === undefined ? 0 : 1;
}

async function runAll(first: number, count: number): Promise<void> {
  const clock = createSystemClock();
  const startedMs = clock.nowMs();
  const failed: number[] = [];
  const total = { virtualMs: 0, operations: 0, revisions: 0, terms: 0, undecided: 0 };
  let next = first;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url));
      const give = (): void => {
        if (next < first + count) worker.postMessage(next++);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('error', reject);
      worker.on('message', ({ seed, outcome, failure }: Report) => {
        if (failure !== undefined) {
          failed.push(seed);
          console.log(`${failure}\n${replayOf(seed)}\n`);
        }
        for (const name of Object.keys(total) as (keyof typeof total)[]) {
          total[name] += outcome?.[name] ?? 0;
        }
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, run));

  const tookMs = clock.nowMs() - startedMs;
  const { virtualMs, operations, revisions, terms, undecided } = total;
  console.log(
    `${count} seeds from ${first} on in ${(tookMs / 1_000).toFixed(1)} s, ` +
      `${Math.round(virtualMs / tookMs)} times as fast as the clock: ${operations} requests, ` +
      `${revisions} revisions, ${terms} leaders, ${undecided} keys undecided`,
  );
  console.log(`${count - failed.length} passed, ${failed.length} failed`);
  for (const seed of failed) console.log(replayOf(seed));
  process.exitCode = failed.length === 0 ? 0 : 1;
}
