/** Cases, each drawn from the seed and its number alone: any of them can be run again by itself. */

import { createRandom } from '../../src/random.ts';
import { mutate } from './mutate.ts';
import type { Target } from './target.ts';

/** One in so many cases is valid, and must be read. */
const VALID = 16;

/** Numbers of cases of one seed are apart from those of the next. */
const SEED_STRIDE = 0x9e37_79b1;

/** A case that shows a fault. */
export type Finding = {
  readonly number: number;
  readonly target: string;
  readonly input: Buffer;
  readonly why: string;
};

/** What cases of a target came to. */
export type Tally = { cases: number; read: number };

/**
 * Runs one case.
 *
 * @returns undefined when all was as it should be
 */
export async function runCase(
  targets: readonly Target[],
  seed: number,
  number: number,
  tallies: Tally[],
): Promise<Finding | undefined> {
  const slot = number % targets.length;
  const target = targets[slot]!;
  const random = createRandom((seed + Math.imul(number + 1, SEED_STRIDE)) >>> 0);
  const isValid = random.below(VALID) === 0;
  const valid = target.draw(random);
  const input = isValid ? valid : mutate(random, Buffer.from(valid), target.draw(random));
  const tally = tallies[slot]!;
  tally.cases += 1;
  // A decoder may keep, or change, what it is given.
  const given = Buffer.from(input);
  try {
    const outcome = target.read(given);
    const isRead = typeof outcome === 'boolean' ? outcome : await outcome;
    if (isRead) tally.read += 1;
    if (isRead || !isValid) return undefined;
    return { number, target: target.name, input, why: 'valid input is refused' };
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { number, target: target.name, input, why };
  }
}

/** An empty tally for each target. */
export function createTallies(targets: readonly Target[]): Tally[] {
  return targets.map(() => ({ cases: 0, read: 0 }));
}
