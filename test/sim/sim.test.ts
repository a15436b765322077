/**
 * Whole clusters on virtual time, through faults drawn from a seed. `make sim SEEDS=n` runs more of
 * them, `make sim SEED=n` shows one.
 */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Outcome, runSeed, SimFailure } from './run.ts';

/** Seeds of every run of the suite, beside those that found something. */
const SEEDS = 40;

const known = readFileSync(new URL('./seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => Number.parseInt(line, 10))
  .filter((seed) => seed > 0);

t.setTimeout(600_000);

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
  t.ok(total(({ snapshots }) => snapshots) > length / 2, 'snapshots are installed');
  t.equal(
    total(({ undecided }) => undecided),
    0,
    'every history is judged',
  );
});

t.test('a seed gives the same run, whatever ran before it', async (t) => {
  const first = [await runSeed(3), await runSeed(5), await runSeed(8)];
  const again = [await runSeed(8), await runSeed(5), await runSeed(3)].reverse();
  t.strictSame(again, first);
  t.equal(new Set(first.map(({ hash }) => hash)).size, 3);
});
