/** Ten thousand cases of the fuzzer, and proof that it sees what is wrong. */

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { CANARIES, type Canary } from './canaries.ts';
import { createTallies, type Finding, runCase } from './cases.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

const SEED = 20_260;
const CASES = 10_000;

async function findIn(targets: readonly Target[], count: number): Promise<Finding[]> {
  const tallies = createTallies(targets);
  const findings: Finding[] = [];
  for (let number = 0; number < count; number += 1) {
    const finding = await runCase(targets, SEED, number, tallies);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

t.test('every decoder reads what is valid and refuses the rest as it owes', async (t) => {
  const tallies = createTallies(TARGETS);
  for (let number = 0; number < CASES; number += 1) {
    const finding = await runCase(TARGETS, SEED, number, tallies);
    if (finding === undefined) continue;
    t.fail(`${finding.target}: ${finding.why}: ${finding.input.toString('hex')}`);
  }
  for (const [slot, { cases, read }] of tallies.entries()) {
    t.ok(cases >= CASES / TARGETS.length - 1, TARGETS[slot]!.name);
    t.ok(read > 0, `${TARGETS[slot]!.name} reads some`);
  }
});

for (const [name, why] of [
  ['crash', /RangeError/],
  ['reject', /a canary/],
  ['refuse', /valid input is refused/],
] as const) {
  t.test(`a decoder that is wrong is found: ${name}`, async (t) => {
    const findings = await findIn([CANARIES[name]], 100);
    t.ok(findings.length > 0);
    for (const finding of findings) t.match(finding.why, why);
  });
}

async function runMain(canary: Canary, environment: Readonly<Record<string, string>>) {
  const env = { ...process.env, SEED: '1', ...environment, CANARY: canary };
  const main = resolve(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('exit', done));
  return { output: await text(child.stdout), code: await ended };
}

t.test('a decoder that hangs is found', async (t) => {
  // Of this seed the first two cases are valid.
  const environment = { SEED: '195', CASES: '100', PATIENCE_MS: '3000' };
  const { output, code } = await runMain('hang', environment);
  t.match(output, /^case 2 of seed 195 hangs$/m);
  t.equal(code, 1);
});

t.test('a decoder that keeps memory is found', async (t) => {
  const { output, code } = await runMain('grow', { CASES: '800', BATCH: '10' });
  t.match(output, /memory grew by \d+ MiB/);
  t.equal(code, 1);
});

t.test('any case can be run again by itself', async (t) => {
  const [first] = await findIn([CANARIES.crash], 100);
  const again = await runCase([CANARIES.crash], SEED, first!.number, createTallies(TARGETS));
  t.strictSame(again?.input, first!.input);
});
