/** Chance, injected: a seeded generator everywhere, so that a run can be repeated from its seed. */

import { randomInt } from 'node:crypto';

/** A seeded generator of pseudo-random numbers; not for secrets. */
export type Random = {
  /** An integer in [0, bound); bound is 1 to 2^32. */
  readonly below: (bound: number) => number;
};

/**
 * Makes a generator that gives the same numbers for the same seed (splitmix32, after Steele,
 * Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return { below: (bound) => Math.floor((next() / 0x1_0000_0000) * bound) };
}

/** Draws a seed for a generator from the machine. */
export function drawSeed(): number {
  return randomInt(0x1_0000_0000);
}
