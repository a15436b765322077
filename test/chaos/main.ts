/**
 * Real nodes, as processes on real disks, through misfortune: rounds of three and five nodes by
 * turns, for so many minutes.
 *
 *   make chaos                    five minutes
 *   make chaos MINUTES=30         so many
 *   make chaos SEED=123           the plan of that seed
 *
 * The last line counts rounds. A round that fails leaves its history and the logs of its nodes.
 */

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { drawSeed } from '../../src/random.ts';
import { Violation } from '../sim/violation.ts';
import { Leavings } from './leavings.ts';
import { probeMachine } from './machine.ts';
import { type Figures, Round } from './round.ts';
import { showFigures } from './show-figures.ts';
import { sweep } from './sweep.ts';

const MINUTES_DEFAULT = 5;

/** Longest misfortune of a round, in milliseconds: a history is judged as a whole. */
const HARD_MS_MAX = 60_000;
const HARD_MS_MIN = 10_000;

/** What a round takes besides its misfortune, in milliseconds. */
const REST_MS = 12_000;

const minutes = Number(process.env.MINUTES ?? MINUTES_DEFAULT);
const seed = Number(process.env.SEED ?? drawSeed());
const binary = resolve(process.env.BINARY ?? 'target/kvorum');
if (!(minutes > 0)) throw new Error(`MINUTES="${process.env.MINUTES}": expected a number above 0`);
if (!Number.isSafeInteger(seed)) throw new Error(`SEED="${process.env.SEED}": expected an integer`);

const leavings = new Leavings();
leavings.guard();
const machine = probeMachine();
sweep(machine);
for (const line of machine.lacks) console.log(`not possible here: ${line}`);
console.log(`replay: make chaos MINUTES=${minutes} SEED=${seed}`);

const startedMs = performance.now();
const endMs = startedMs + minutes * 60_000;
const all: Figures[] = [];
let failed = 0;
for (let count = 0; ; count += 1) {
  const leftMs = endMs - performance.now();
  // The first of two rounds leaves the second its half of a short run.
  const shareMs = count === 0 ? leftMs / 2 : leftMs;
  const hardMs = Math.min(HARD_MS_MAX, shareMs - REST_MS);
  if (count > 1 && hardMs < HARD_MS_MIN) break;
  const figures = await playRound(count, Math.max(HARD_MS_MIN, hardMs));
  if (figures === undefined) failed += 1;
  else all.push(figures);
}
console.log(showFigures(all, performance.now() - startedMs));
console.log(`${all.length} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Plays a round; undefined when it failed. */
async function playRound(count: number, hardMs: number): Promise<Figures | undefined> {
  const nodeCount = count % 2 === 0 ? 3 : 5;
  const home = mkdtempSync(join(tmpdir(), `kvorum-chaos-${process.pid}-`));
  const forget = leavings.add(() => rmSync(home, { recursive: true, force: true }));
  const lines: string[] = [];
  const say = (line: string): void => {
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(3).padStart(9);
    lines.push(`${seconds} ${line}`);
    console.log(lines.at(-1));
  };
  const here = new Leavings();
  const away = leavings.add(() => here.putAway());
  const round = new Round({
    seed: (seed + count) >>> 0,
    nodeCount,
    hardMs,
    binary,
    directory: join(home, 'cluster'),
    machine,
    leavings: here,
    say,
  });
  try {
    say(`round ${count + 1}: ${nodeCount} nodes, ${Math.round(hardMs / 1_000)} s of misfortune`);
    const figures = await round.run();
    say(`round ${count + 1} passed: ${figures.operations} requests, ${figures.leaders} leaders`);
    away();
    forget();
    return figures;
  } catch (cause) {
    say(`round ${count + 1} failed: ${tellCause(cause)}`);
    away();
    console.log(`kept: ${keep(home, count + 1, round, lines)}`);
    return undefined;
  }
}

function tellCause(cause: unknown): string {
  if (cause instanceof Violation) return cause.message;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** Leaves what shows what happened; says where. */
function keep(home: string, number: number, round: Round, lines: readonly string[]): string {
  const kept = join(tmpdir(), `kvorum-failed-${seed}-${process.pid}-${number}`);
  const asLines = (list: readonly unknown[]): string =>
    list.map((one) => `${JSON.stringify(one, asText)}\n`).join('');
  writeFileSync(join(home, 'plan.log'), `${lines.join('\n')}\n`);
  writeFileSync(join(home, 'operations.jsonl'), asLines(round.history.operations));
  writeFileSync(join(home, 'revisions.jsonl'), asLines(round.truth.revisions));
  renameSync(home, kept);
  return kept;
}

/** What JSON does not know. */
function asText(_name: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === 'bigint') return value.toString(16);
  return value === Number.POSITIVE_INFINITY ? null : value;
}
