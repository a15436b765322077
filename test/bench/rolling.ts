/**
 * A rolling restart under load: each node in turn is stopped by SIGTERM and started again, and the
 * next one's turn comes when it has caught up. What counts is the longest time in which nobody
 * could write.
 *
 * The writers share a client that knows all nodes: kvorum's library with its defaults, and one that
 * does what etcd's does (etcd-writer.ts). Each puts one key after the other. A put that fails or of
 * which the outcome is unknown counts as failed, and the writer goes on with the next.
 */

import { connect } from '../../src/client/connect.ts';
import { type Bench, fill, median, progress, sleep, undisturbed } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { EtcdWriter } from './etcd-writer.ts';
import { Ticker } from './ticker.ts';
import { keyOf } from './wire.ts';

/** Writers of one client. */
export const WRITERS = 10;
const KEY_COUNT = 1_000;

/** Milliseconds of calm before the first stop and behind each start. */
const CALM_MS = 1_000;

/** Milliseconds between two looks at whether this process gets a processor. */
const TICK_MS = 5;

/** Who writes. */
type Writer = {
  /** @throws Error (as rejection) when the put failed, or its outcome is unknown */
  readonly put: (key: Buffer, value: Buffer) => Promise<unknown>;
  readonly close: () => Promise<void> | void;
};

/** What rounds of restarts took away. */
export type Rolling = {
  /** The longest time between two acknowledged writes, of all writers together. */
  readonly pauseMedianMs: number;
  readonly pauseWorstMs: number;
  /** The longest that one put took. */
  readonly slowestMs: number;
  readonly putCount: number;
  readonly failedCount: number;
  /** Until all nodes had been restarted and had caught up; the median. */
  readonly elapsedMs: number;
};

/** Restarts the nodes of a fresh cluster, several times. */
export async function measureRolling(bench: Bench, cluster: Cluster): Promise<Rolling> {
  await fill(bench, cluster, KEY_COUNT);
  const rounds: Round[] = [];
  while (rounds.length < bench.options.restartRounds) {
    rounds.push(await undisturbed(() => restartAll(bench, cluster)));
  }
  const all = (value: (round: Round) => number): number[] => rounds.map(value);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const pauses = all((round) => round.pauseMs);
  progress(`${cluster.system.name}: no writes for ${pauses.map(Math.round).join(', ')} ms`);
  return {
    pauseMedianMs: median(pauses),
    pauseWorstMs: Math.max(...pauses),
    slowestMs: Math.max(...all((round) => round.slowestMs)),
    putCount: sum(all((round) => round.putCount)),
    failedCount: sum(all((round) => round.failedCount)),
    elapsedMs: median(all((round) => round.elapsedMs)),
  };
}

/** What a round brought. */
type Round = {
  pauseMs: number;
  slowestMs: number;
  putCount: number;
  failedCount: number;
  elapsedMs: number;
  stillMs: number;
};

async function restartAll(bench: Bench, cluster: Cluster): Promise<Round> {
  await cluster.settled();
  const round = { pauseMs: 0, slowestMs: 0, putCount: 0, failedCount: 0, elapsedMs: 0, stillMs: 0 };
  const writer = openWriter(cluster);
  const value = Buffer.alloc(bench.options.valueBytes, 1);
  await writer.put(keyOf(0), value);
  const writing = startWriting(writer, value, round);
  const ticker = new Ticker(TICK_MS);
  try {
    await sleep(CALM_MS);
    const startedMs = performance.now();
    for (const slot of cluster.ports.keys()) {
      await cluster.endNode(slot, 'SIGTERM');
      cluster.startNode(slot);
      await cluster.settled();
      await sleep(CALM_MS);
    }
    round.elapsedMs = performance.now() - startedMs;
  } finally {
    ticker.stop();
    round.stillMs = ticker.stillMs;
    await writing.stop();
    await writer.close();
  }
  return round;
}

/** Lets the writers write, and notes in `round` what becomes of it. */
function startWriting(writer: Writer, value: Buffer, round: Round): { stop: () => Promise<void> } {
  let isStopping = false;
  let keyNumber = 0;
  let acknowledgedMs = performance.now();
  const write = async (): Promise<void> => {
    while (!isStopping) {
      keyNumber = (keyNumber + 1) % KEY_COUNT;
      const startedMs = performance.now();
      try {
        await writer.put(keyOf(keyNumber), value);
        const nowMs = performance.now();
        round.putCount += 1;
        round.pauseMs = Math.max(round.pauseMs, nowMs - acknowledgedMs);
        round.slowestMs = Math.max(round.slowestMs, nowMs - startedMs);
        acknowledgedMs = nowMs;
      } catch {
        round.failedCount += 1;
      }
    }
  };
  const writers = Array.from({ length: WRITERS }, write);
  return {
    stop: async () => {
      isStopping = true;
      await Promise.all(writers);
    },
  };
}

function openWriter({ system, ports }: Cluster): Writer {
  if (system.name === 'etcd') return new EtcdWriter(ports);
  return connect({ endpoints: ports.map((port) => `127.0.0.1:${port}`) });
}
