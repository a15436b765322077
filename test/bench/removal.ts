/**
 * What a client notices of a large removal: the deletion of all keys of a prefix by one request,
 * then the compaction that removes their history. Another client puts and gets a pair of its own
 * meanwhile, again and again, over the JSON of etcd's API, which both systems speak.
 */

import { type Bench, fill, progress, sleep } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { post } from './etcd.ts';
import { KEY_PREFIX } from './wire.ts';

/** Milliseconds between two looks whether the keys are gone: etcd gives up on its answer. */
const LOOK_MS = 20;

/** Milliseconds a request may take: etcd answers nobody until all is deleted. */
const ANSWER_MS_MAX = 600_000;

const KEY = base64('other');
const VALUE = base64('v'.repeat(256));
const PREFIX = { key: base64(KEY_PREFIX), range_end: base64(behind(KEY_PREFIX)) };

/** What a put and a get after it took, together. */
export type PairTimes = {
  readonly count: number;
  /** A request was refused, or nobody waited for it any longer. */
  readonly failedCount: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
};

/** How long something took, and what the other client noticed. */
export type Noticed = { readonly eventMs: number; readonly times: PairTimes };

/** What a removal took away. */
export type Removal = {
  readonly before: PairTimes;
  readonly deletion: Noticed;
  readonly compaction: Noticed;
};

/** Fills a fresh cluster and empties it. */
export async function measureRemoval(bench: Bench, cluster: Cluster): Promise<Removal> {
  await fill(bench, cluster, bench.options.restartKeyCount);
  const leaderSlot = await cluster.settled();
  const port = cluster.etcdPorts[leaderSlot]!;
  const tell = ({ eventMs, times }: Noticed, what: string): void => {
    const took = `${(eventMs / 1_000).toFixed(1)} s`;
    const worst = `put and get ${times.p50Ms.toFixed(1)} ms, worst ${times.worstMs.toFixed(1)} ms`;
    progress(`${cluster.system.name}: ${what} takes ${took}; ${worst}`);
  };
  const { times: before } = await notice(port, () => sleep(2 * bench.options.windowMs));
  const deletion = await notice(port, () => deleteAll(port));
  tell(deletion, 'a deletion');
  await sleep(bench.options.warmupMs);
  const { header } = await ask(port, 'range', { key: KEY });
  const { revision } = header as { readonly revision: string };
  const compact = (): Promise<void> => cluster.compact(leaderSlot, Number(revision));
  const compaction = await notice(port, compact);
  tell(compaction, 'a compaction');
  return { before, deletion, compaction };
}

/** Puts and gets while something happens. */
async function notice(port: number, event: () => Promise<unknown>): Promise<Noticed> {
  const startedMs = performance.now();
  let endedMs = 0;
  const happening = event().finally(() => {
    endedMs = performance.now();
  });
  // It is awaited below, maybe long after it failed.
  happening.catch(() => undefined);
  const pairMs: number[] = [];
  let failedCount = 0;
  const putAndGet = async (): Promise<void> => {
    await ask(port, 'put', { key: KEY, value: VALUE });
    await ask(port, 'range', { key: KEY });
  };
  while (endedMs === 0) {
    const beganMs = performance.now();
    await putAndGet().catch(() => {
      failedCount += 1;
    });
    pairMs.push(performance.now() - beganMs);
  }
  await happening;
  pairMs.sort((a, b) => a - b);
  const at = (part: number): number => pairMs[Math.floor(part * (pairMs.length - 1))]!;
  const percentiles = { p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) };
  const times = { count: pairMs.length, failedCount, ...percentiles };
  return { eventMs: endedMs - startedMs, times };
}

async function deleteAll(port: number): Promise<void> {
  // Whoever gives up waiting for it goes on with it all the same.
  await ask(port, 'deleterange', PREFIX).catch(() => undefined);
  for (;;) {
    const found = await ask(port, 'range', { ...PREFIX, count_only: true });
    if (Number(found.count ?? 0) === 0) return;
    await sleep(LOOK_MS);
  }
}

function ask(port: number, path: string, body: object): Promise<Record<string, unknown>> {
  return post(port, `/v3/kv/${path}`, body, ANSWER_MS_MAX);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The first text behind all that begin with a prefix. */
function behind(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
