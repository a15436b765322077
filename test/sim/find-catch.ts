/** Looks for a seed that catches a deliberate fault. */

import { MEMBERS_CHANGE, MEMBERSHIP_MUTATIONS } from './membership-mutations.ts';
import { MUTATIONS } from './mutations.ts';
import { runSeed, SimFailure } from './run.ts';

/** Within so many seeds each deliberate fault must be caught. */
export const CATCH_SEEDS_MAX = 200;

/** A seed that caught a fault, and what it said. */
export type Catch = { readonly seed: number; readonly failure: SimFailure };

/**
 * Runs a deliberate fault until a seed catches it.
 *
 * @param seeds in this order
 * @returns undefined when none does
 */
export async function findCatch(name: string, seeds: Iterable<number>): Promise<Catch | undefined> {
  const sabotage = MUTATIONS.get(name) ?? MEMBERSHIP_MUTATIONS.get(name);
  if (sabotage === undefined) throw new Error(`no deliberate fault is called ${name}`);
  const how = MEMBERSHIP_MUTATIONS.has(name) ? { scenario: MEMBERS_CHANGE } : {};
  for (const seed of seeds) {
    try {
      await runSeed(seed, { ...how, sabotage });
    } catch (error) {
      if (error instanceof SimFailure) return { seed, failure: error };
      throw error;
    }
  }
  return undefined;
}

/** What all deliberate faults are called. */
export const MUTATION_NAMES: readonly string[] = [
  ...MUTATIONS.keys(),
  ...MEMBERSHIP_MUTATIONS.keys(),
];

/** All seeds that may be tried, ascending. */
export function allSeeds(): readonly number[] {
  return Array.from({ length: CATCH_SEEDS_MAX }, (_, at) => at + 1);
}
