/** Faults that releases of etcd had do not show in the runs that provoke them. */

import t from 'tap';
import { type Outcome, runSeed } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { sumOf } from './tally.ts';

const SEEDS = [1, 2, 3];

t.setTimeout(1_200_000);

for (const [name, scenario] of SCENARIOS) {
  t.test(name, async (t) => {
    const outcomes: Outcome[] = [];
    for (const seed of SEEDS) outcomes.push(await runSeed(seed, { scenario }));
    const counts = sumOf(outcomes.map((outcome) => outcome.counts));
    for (const what of scenario.happens) t.ok((counts[what] ?? 0) > 0, `happens: ${what}`);
  });
}
