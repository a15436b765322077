/**
 * Whole clusters on virtual time, through faults drawn from a seed. `make sim SEEDS=n` runs more of
 * them, `make sim SEED=n` shows one.
 */

import { execFile as execFileWithCallback } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { FAULTS } from './fault-kinds.ts';
import { type Outcome, runSeed, SimFailure } from './run.ts';
import { sumOf } from './tally.ts';
import { doAll } from './workers.ts';

const execFile = promisify(execFileWithCallback);

/** Seeds of every run of the suite, beside those that found something. */
const SEEDS = 40;

/** What happens in those seeds besides the faults. */
const HAPPENINGS = [
  ...['message lost', 'message doubled', 'write to a full disk', 'disk fault ends a node'],
  ...['unfinished write cut off the log', 'snapshot installed', 'snapshot stream failed'],
  ...['leader transfer', 'leader transfer aborted', 'compaction'],
  ...[
    'joint configuration',
    'member added',
    'learner added',
    'learner promoted',
    'member replaced',
  ],
  ...['member removed', 'leader removed', 'removed node ends itself'],
  ...['machine lost', 'lost member replaced', 'member named'],
];

const known = readFileSync(new URL('./seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => Number.parseInt(line, 10))
  .filter((seed) => seed > 0);

t.setTimeout(1_200_000);

t.test('no seed breaks a promise, and every cluster recovers', async (t) => {
  const outcomes: Outcome[] = [];
  const seeds = new Set([...known, ...Array.from({ length: SEEDS }, (_, at) => at + 1)]);
  for (const seed of seeds) {
    try {
      outcomes.push(await runSeed(seed));
    } catch (error) {
      if (!(error instanceof SimFailure)) throw error;
      t.fail(`make sim SEED=${seed}`, { cause: error });
      t.comment(error.told);
    }
  }
  const total = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const { length } = outcomes;
  // Runs in which nothing happens would pass too.
  t.ok(total(({ answered }) => answered) > 100 * length, 'requests are answered');
  t.ok(total(({ terms }) => terms) > 3 * length, 'leaders change');
  t.ok(total(({ watched }) => watched) > 100 * length, 'watches are told');
  t.ok(total(({ leases }) => leases) > length, 'leases are held');
  const counts = sumOf(outcomes.map((outcome) => outcome.counts));
  for (const name of [...FAULTS.map((fault) => fault.name), ...HAPPENINGS]) {
    t.ok((counts[name] ?? 0) > 0, `happens: ${name}`);
  }
  t.strictSame([...new Set(outcomes.map(({ nodes }) => nodes))].sort(), [1, 3, 5, 7]);
  t.equal(
    total(({ undecided }) => undecided),
    0,
    'every history is judged',
  );
});

t.test('a seed gives the same run, whatever ran before it, and in whatever process', async (t) => {
  const first = [await runSeed(3), await runSeed(5), await runSeed(8)];
  const again = [await runSeed(8), await runSeed(5), await runSeed(3)].reverse();
  t.strictSame(again, first);
  t.equal(new Set(first.map(({ hash }) => hash)).size, 3);

  const elsewhere: (string | undefined)[] = [];
  const file = new URL('./main.ts', import.meta.url);
  await doAll<{ outcome?: Outcome }>(file, [3], ({ outcome }) => elsewhere.push(outcome?.hash));
  const { stdout } = await execFile(process.execPath, [fileURLToPath(file)], {
    env: { ...process.env, SEED: '3' },
  });
  elsewhere.push(/hash: '(\w+)'/.exec(stdout)?.[1]);
  t.strictSame(elsewhere, [first[0]?.hash, first[0]?.hash], 'in a worker, in another process');
});
