/**
 * Every decoder, fed damaged and random input.
 *
 *   make fuzz                       a million cases
 *   make fuzz CASES=10000000        so many
 *   make fuzz SEED=1 CASE=123       one case again
 *   make fuzz CANARY=hang           with a fault put in on purpose (canaries.ts)
 *
 * A decoder must read its input or refuse it by the error that it owes: it must not throw anything
 * else, nor hang, nor keep memory, nor refuse what is valid.
 */

import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { drawSeed } from '../../src/random.ts';
import { CANARIES, type Canary } from './canaries.ts';
import { createTallies, type Finding, runCase, type Tally } from './cases.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

/** A worker is given so many cases at once, and does no more in one turn. */
const BATCH = Number(process.env.BATCH ?? 2_000);

/** What a worker is given. */
type Job = { readonly seed: number; readonly from: number; readonly to: number };

/** Where a worker tells which case it is at: a hang leaves it no other way. */
type Place = Int32Array<SharedArrayBuffer>;

/** What a worker says of it. */
type Report = { readonly findings: readonly Finding[]; readonly tallies: readonly Tally[] };

const CASES_DEFAULT = 1_000_000;

/** Milliseconds that a batch may take: a thousand times what it does. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000);

/** Bytes by which the process may grow once it is warm. */
const GROWTH_BYTES_MAX = 512 * 1024 * 1024;

/** Part of the cases after which it is warm. */
const WARM = 0.1;

/** Hexadecimal digits of an input that are shown. */
const INPUT_CHARACTERS_MAX = 1_024;

/** Findings after which nothing more is learnt. */
const FINDINGS_MAX = 20;

const canary = process.env.CANARY as Canary | undefined;
const targets: readonly Target[] = canary === undefined ? TARGETS : [CANARIES[canary]];

if (!isMainThread)
  parentPort?.on('message', async (job) => parentPort?.postMessage(await work(job)));
else if (process.env.CASE !== undefined) await showOne(Number(process.env.CASE));
else await runAll(Number(process.env.CASES ?? CASES_DEFAULT));

async function work({ seed, from, to }: Job): Promise<Report> {
  const tallies = createTallies(targets);
  const findings: Finding[] = [];
  const place: Place = workerData;
  for (let number = from; number < to; number += 1) {
    place[0] = number;
    const finding = await runCase(targets, seed, number, tallies);
    if (finding !== undefined) findings.push(finding);
  }
  return { findings, tallies };
}

async function showOne(number: number): Promise<void> {
  const finding = await runCase(targets, Number(process.env.SEED), number, createTallies(targets));
  console.log(finding === undefined ? 'all is well' : tell(finding));
  process.exitCode = finding === undefined ? 0 : 1;
}

async function runAll(caseCount: number): Promise<void> {
  const seed = Number(process.env.SEED ?? drawSeed());
  const startedMs = performance.now();
  const tallies = createTallies(targets);
  const faults: string[] = [];
  let next = 0;
  let warmBytes = 0;
  let mostBytes = 0;
  const take = ({ findings, tallies: told }: Report): void => {
    told.forEach(({ cases, read }, slot) => {
      tallies[slot]!.cases += cases;
      tallies[slot]!.read += read;
    });
    faults.push(...findings.map(tell));
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
    if (warmBytes === 0 && next >= caseCount * WARM) warmBytes = mostBytes;
  };
  const runWorker = (): Promise<void> =>
    new Promise((resolve) => {
      const place: Place = new Int32Array(new SharedArrayBuffer(4));
      const worker = new Worker(new URL(import.meta.url), { workerData: place });
      let hammer: NodeJS.Timeout | undefined;
      const end = async (fault?: string): Promise<void> => {
        clearTimeout(hammer);
        if (fault !== undefined) faults.push(fault);
        await worker.terminate();
        resolve();
      };
      const give = (): void => {
        clearTimeout(hammer);
        if (next >= caseCount || faults.length >= FINDINGS_MAX) return void end();
        const job: Job = { seed, from: next, to: Math.min(caseCount, next + BATCH) };
        next = job.to;
        hammer = setTimeout(() => void end(`case ${place[0]} of seed ${seed} hangs`), PATIENCE_MS);
        worker.postMessage(job);
      };
      worker.on('error', (error) => void end(`a worker died: ${error.message}`));
      worker.on('message', (report: Report) => {
        take(report);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, runWorker));

  const grownBytes = mostBytes - warmBytes;
  if (grownBytes > GROWTH_BYTES_MAX) faults.push(`memory grew by ${mib(grownBytes)} MiB`);
  for (const [slot, { cases, read }] of tallies.entries()) {
    console.log(
      `${String(cases).padStart(9)} ${percent(read, cases)} read  ${targets[slot]!.name}`,
    );
  }
  for (const fault of faults) console.log(fault);
  const seconds = (performance.now() - startedMs) / 1_000;
  const cases = tallies.reduce((sum, one) => sum + one.cases, 0);
  console.log(
    `${cases} cases of seed ${seed}, ${targets.length} decoders, ${seconds.toFixed(0)} s, ` +
      `${mib(warmBytes)} MiB when warm, ${mib(mostBytes)} at most`,
  );
  console.log(`${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

function tell({ number, target, input, why }: Finding): string {
  // A buffer that came from a worker is bytes without its methods.
  const hex = Buffer.from(input).toString('hex');
  const shown = hex.length > INPUT_CHARACTERS_MAX ? `${hex.slice(0, INPUT_CHARACTERS_MAX)}…` : hex;
  return `case ${number}, ${target}: ${why}\n  input ${shown}`;
}

function percent(part: number, all: number): string {
  return `${((100 * part) / Math.max(all, 1)).toFixed(0).padStart(3)} %`;
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
