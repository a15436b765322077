/** Runs seeds: `make sim`, `make sim SEED=123`, `make sim SEEDS=1000`. */

import { runSeed, SimFailure } from './run.ts';

const only = Number(process.env.SEED ?? 0);
const first = only > 0 ? only : Number(process.env.FIRST ?? 1);
const last = only > 0 ? only : first + Number(process.env.SEEDS ?? 100) - 1;
const started = performance.now();
let virtualMs = 0;
let failed = 0;
for (let seed = first; seed <= last; seed += 1) {
  const t = performance.now();
  try {
    const outcome = await runSeed(seed);
    virtualMs += outcome.virtualMs;
    const tookMs = performance.now() - t;
    const { hash, nodes, events, answered, operations, terms } = outcome;
    const speed = (outcome.virtualMs / tookMs).toFixed(0);
    console.log(`${seed} ${hash} ${tookMs.toFixed(0)} ms, ${speed} times as fast as the clock`);
    console.log(
      `  ${nodes} nodes, ${terms} terms, ${events} events, ${answered}/${operations} done`,
    );
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error;
    failed += 1;
    if (only > 0) console.log(error.trace);
    console.log(error.message, error.property);
    if (only > 0) console.log(error.cause);
  }
}
const tookMs = performance.now() - started;
console.log(`took ${tookMs} x${virtualMs / tookMs} failed ${failed}`);
