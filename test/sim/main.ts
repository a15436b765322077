/**
 * The simulator from the command line:
 *
 *   SEEDS=1000 node test/sim/main.ts     seeds 1 to 1000, on all processors; FIRST=n starts there
 *   SEED=123 node test/sim/main.ts       one seed, and what happened if it fails
 *   MUTATIONS=1 node test/sim/main.ts    which seed catches each deliberate fault, as a table
 *
 * LINES=n shows so many lines of each host. The last line counts; exit code 1 when something
 * failed.
 */

import { isMainThread, parentPort } from 'node:worker_threads';
import { createSystemClock } from '../../src/clock.ts';
import { allSeeds, CATCH_SEEDS_MAX, findCatch, MUTATION_NAMES } from './find-catch.ts';
import { type Outcome, runSeed, SimFailure } from './run.ts';
import { sumOf } from './tally.ts';
import { LINES_MAX } from './trace.ts';
import { doAll } from './workers.ts';

/** What a worker says of a seed. */
type Report = {
  readonly seed: number;
  readonly outcome: Outcome | undefined;
  /** Why it failed, and what happened before. */
  readonly failure: string | undefined;
};

/** What a worker says of a deliberate fault. */
type CatchReport = {
  readonly name: string;
  /** The first seed that catches it, and what it says; undefined when none does. */
  readonly caught: { readonly seed: number; readonly property: string } | undefined;
};

const SEEDS_DEFAULT = 100;

const { SEED, SEEDS, FIRST, MUTATIONS, LINES } = process.env;

/** How to see it again. */
const replayOf = (seed: number): string => `replay: make sim SEED=${seed}`;

if (!isMainThread) serve();
else if (MUTATIONS !== undefined) await showMutations();
else if (SEED !== undefined) await showOne(Number(SEED));
else await runAll(Number(FIRST ?? 1), Number(SEEDS ?? SEEDS_DEFAULT));

async function reportOn(seed: number): Promise<Report> {
  try {
    const linesMax = Number(LINES ?? LINES_MAX);
    return { seed, outcome: await runSeed(seed, { linesMax }), failure: undefined };
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error;
    return { seed, outcome: undefined, failure: error.told };
  }
}

async function reportOnMutation(name: string): Promise<CatchReport> {
  const caught = await findCatch(name, allSeeds());
  if (caught === undefined) return { name, caught };
  return { name, caught: { seed: caught.seed, property: caught.failure.property } };
}

/** A worker: runs the seeds, and the deliberate faults, that it is sent. */
function serve(): void {
  parentPort?.on('message', async (job: number | string) => {
    const report = typeof job === 'number' ? reportOn(job) : reportOnMutation(job);
    parentPort?.postMessage(await report);
  });
}

async function showOne(seed: number): Promise<void> {
  const { outcome, failure } = await reportOn(seed);
  console.log(outcome ?? `${failure}\n${replayOf(seed)}`);
  end(failure === undefined ? 1 : 0, failure === undefined ? 0 : 1);
}

async function runAll(first: number, count: number): Promise<void> {
  const clock = createSystemClock();
  const startedMs = clock.nowMs();
  const failed: number[] = [];
  const outcomes: Outcome[] = [];
  const seeds = Array.from({ length: count }, (_, at) => first + at);
  await doAll<Report>(new URL(import.meta.url), seeds, ({ seed, outcome, failure }) => {
    if (outcome !== undefined) outcomes.push(outcome);
    if (failure === undefined) return;
    failed.push(seed);
    console.log(`${failure}\n${replayOf(seed)}\n`);
  });
  const tookMs = clock.nowMs() - startedMs;
  const total = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const virtualMs = total((outcome) => outcome.virtualMs);
  for (const [what, times] of Object.entries(sumOf(outcomes.map(({ counts }) => counts)))) {
    console.log(`${String(times).padStart(9)} ${what}`);
  }
  console.log(
    `seeds ${first} to ${first + count - 1} in ${(tookMs / 1_000).toFixed(1)} s, ` +
      `${Math.round(virtualMs / tookMs)} times as fast as the clock: ` +
      `${total(({ operations }) => operations)} requests, ` +
      `${total(({ revisions }) => revisions)} revisions, ${total(({ terms }) => terms)} leaders, ` +
      `${total(({ undecided }) => undecided)} keys undecided`,
  );
  for (const seed of failed) console.log(replayOf(seed));
  end(outcomes.length, failed.length);
}

async function showMutations(): Promise<void> {
  const found: Map<string, CatchReport['caught']> = new Map();
  await doAll<CatchReport>(new URL(import.meta.url), MUTATION_NAMES, ({ name, caught }) => {
    found.set(name, caught);
    console.log(`${name}: ${caught === undefined ? 'not caught' : `seed ${caught.seed}`}`);
  });
  console.log('\n| deliberate fault | seeds | what does not hold |\n|---|---|---|');
  for (const name of MUTATION_NAMES) {
    const caught = found.get(name);
    const seeds = caught?.seed ?? `not within ${CATCH_SEEDS_MAX}`;
    console.log(`| ${name} | ${seeds} | ${caught?.property ?? ''} |`);
  }
  const passed = [...found.values()].filter((caught) => caught !== undefined).length;
  end(passed, MUTATION_NAMES.length - passed);
}

function end(passed: number, failed: number): void {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
