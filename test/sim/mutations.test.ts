/**
 * The simulator catches what it is there to catch: deliberate faults, each within 200 seeds. `make
 * sim MUTATIONS=1` says which seed is the first to catch each of them.
 */

import t from 'tap';
import { allSeeds, CATCH_SEEDS_MAX, findCatch, MUTATION_NAMES } from './find-catch.ts';

/** Seeds that caught them when this was written, where it was not one of the first: tried first. */
const CAUGHT_BY: Readonly<Record<string, number>> = {
  'a member votes twice in a term': 12,
  'a member that starts has forgotten its term and its vote': 6,
  'a write is acknowledged before it is synced': 5,
  'a leader reads without asking whether it still leads': 18,
  'a read does not wait until its index is applied': 6,
  'a joint configuration commits by the majority of its new voters only': 122,
  'a candidate takes the votes of leaving members for granted': 23,
  'a snapshot says that the members are those of nodes.conf': 10,
};

t.setTimeout(1_200_000);

t.test('every seed remembered is that of a deliberate fault', async (t) => {
  for (const name of Object.keys(CAUGHT_BY)) t.ok(MUTATION_NAMES.includes(name), name);
});

for (const name of MUTATION_NAMES) {
  t.test(`caught: ${name}`, async (t) => {
    const caught = await findCatch(name, [CAUGHT_BY[name] ?? 1, ...allSeeds()]);
    t.ok(caught !== undefined, `within ${CATCH_SEEDS_MAX} seeds`);
    if (caught !== undefined) t.comment(caught.failure.message);
  });
}
