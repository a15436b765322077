/** The simulator catches what it is there to catch: deliberate faults, each within 200 seeds. */

import t from 'tap';
import { MUTATIONS } from './mutations.ts';
import { runSeed, SimFailure } from './run.ts';
import type { NodeSabotage } from './sim-node.ts';

const SEEDS_MAX = 200;

t.setTimeout(1_200_000);

/** The first seed that fails, and what it says; undefined when none does. */
async function findCatch(sabotage: NodeSabotage): Promise<SimFailure | undefined> {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    try {
      await runSeed(seed, { sabotage });
    } catch (error) {
      if (error instanceof SimFailure) return error;
      throw error;
    }
  }
  return undefined;
}

for (const [name, sabotage] of MUTATIONS) {
  t.test(`caught: ${name}`, async (t) => {
    const failure = await findCatch(sabotage);
    t.ok(failure !== undefined, `within ${SEEDS_MAX} seeds`);
    if (failure !== undefined) t.comment(failure.message);
  });
}
