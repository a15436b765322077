/**
 * What transactions, leases, sessions and pages cost the store: `node
 * test/kvstore/bench-writes.ts [keys]`, 100,000 keys by default, values of 256 bytes. Processor
 * time of the calling thread; flushes are shown by themselves.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompareResult,
  CompareTarget,
  FLUSH_BYTES,
  type RangeRequest,
  type Store,
} from '../../include/kvstore.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { compareOf, putOf, putOp, rangeOf, txnOf } from './store-requests.ts';

const KEYS = Number(process.argv[2] ?? 100_000);
const ROUND = 5_000;
const HOT_KEYS = 1_000;
const SESSIONS = 20_000;
/** Entries that a node applies between two looks at whether a flush is due. */
const APPLIED_AT_ONCE = 1_000;
const VALUE = 'v'.repeat(256);
const configuration = { voters: [0, 1, 2], outgoing: [], learners: [] };
const random = createRandom(1);
const directory = mkdtempSync(join(tmpdir(), 'kvorum-bench-'));
const store = await openStore(createLmdbHome(directory));

function keyName(number: number): string {
  return `key-${String(number).padStart(12, '0')}`;
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function show(what: string, micros: number, unit = 'µs'): void {
  console.log(`${what.padEnd(56)} ${micros.toFixed(2)} ${unit}`);
}

function apply(run: () => unknown): void {
  run();
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration });
}

async function flushIfLarge(): Promise<void> {
  if (store.unflushedBytes() >= FLUSH_BYTES) await store.flush();
}

/** The least time an operation took in rounds of ROUND, each prepared by a call of `prepare`. */
async function measure(what: string, prepare: (slot: number) => () => unknown): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round += 1) {
    const runs = Array.from({ length: ROUND }, (_, slot) => prepare(round * ROUND + slot));
    const start = cpuMs();
    for (const run of runs) apply(run);
    least = Math.min(least, cpuMs() - start);
    await flushIfLarge();
  }
  show(what, (least / ROUND) * 1000);
}

async function measureWrites(): Promise<void> {
  const put = () => putOf(`hot-${random.below(HOT_KEYS)}`, VALUE);
  await measure('put of 1,000 keys', () => {
    const request = put();
    return () => store.put(request);
  });
  apply(() => store.leaseGrant({ id: 1n, ttlSeconds: 60 }));
  await measure('put of 1,000 keys, with a lease', () => {
    const request = { ...put(), lease: 1n };
    return () => store.put(request);
  });
  await measure('compare and swap of 1,000 keys', () => {
    const key = `hot-${random.below(HOT_KEYS)}`;
    const compare = compareOf(key, CompareTarget.Mod, CompareResult.Greater, 0);
    const request = txnOf([compare], [putOp(key, VALUE)]);
    return () => store.txn(request);
  });
  apply(() => store.sessionOpen({ ttlSeconds: 60 }));
  const session = store.applied().index;
  await measure('put of 1,000 keys, by a session with 100 in flight', (slot) => {
    const request = put();
    const mark = { session, sequence: slot + 1, acknowledged: Math.max(0, slot - 100) };
    return () => store.once(mark, () => store.put(request));
  });
}

async function measureSessions(): Promise<void> {
  const first = store.applied().index + 1;
  for (let count = 0; count < SESSIONS; count += 1) {
    apply(() => store.sessionOpen({ ttlSeconds: 60 }));
  }
  const flushOne = async (what: string): Promise<void> => {
    const start = cpuMs();
    const flush = store.flush();
    show(what, cpuMs() - start, 'ms');
    await flush;
  };
  await flushOne('flush of 20,000 new sessions');
  for (let sequence = 1; sequence <= 2; sequence += 1) {
    for (let count = 0; count < SESSIONS; count += 1) {
      const mark = { session: first + count, sequence, acknowledged: sequence - 1 };
      const request = putOf(keyName(count), VALUE);
      apply(() => store.once(mark, () => store.put(request)));
      if (count % APPLIED_AT_ONCE === 0) void store.flushIfDue(0);
    }
    await flushOne('flush of 20,000 puts by 20,000 sessions');
  }
  for (let count = 0; count < SESSIONS; count += 1) {
    const request = putOf(keyName(count), VALUE);
    apply(() => store.put(request));
  }
  await flushOne('flush of 20,000 puts');
}

async function measureLease(): Promise<void> {
  apply(() => store.leaseGrant({ id: 2n, ttlSeconds: 60 }));
  for (let count = 0; count < KEYS; count += 1) {
    const request = putOf(keyName(count), VALUE, { lease: 2n });
    apply(() => store.put(request));
    await flushIfLarge();
  }
  await store.flush();
  let start = cpuMs();
  const keys = store.leaseKeys(2n).length;
  show(`list of the ${keys} keys of a lease`, cpuMs() - start, 'ms');
  start = cpuMs();
  apply(() => store.leaseRevoke({ id: 2n }));
  show(`revocation of a lease of ${keys} keys`, cpuMs() - start, 'ms');
  await measureDeletion(`removal of its ${keys} keys`);
  await store.flush();
  for (let id = 1000n; id < 101_000n; id += 1n) {
    apply(() => store.leaseGrant({ id, ttlSeconds: 60 }));
    const request = putOf(`leased-${id}`, VALUE, { lease: id });
    apply(() => store.put(request));
    await flushIfLarge();
  }
  await store.flush();
  start = cpuMs();
  let count = 0;
  store.visitLeases(() => {
    count += 1;
  });
  show(`visit of ${count} leases`, cpuMs() - start, 'ms');
  let longest = 0;
  let total = 0;
  for (let batch = 0; batch < 500; batch += 1) {
    const leases = Array.from({ length: 200 }, (_, slot) => {
      const lease = store.lease(1000n + BigInt(batch * 200 + slot));
      return { id: lease?.id ?? 0n, grantIndex: lease?.grantIndex ?? 0 };
    });
    start = cpuMs();
    apply(() => store.expire({ leases, sessions: [] }));
    longest = Math.max(longest, cpuMs() - start);
    total += cpuMs() - start;
    await flushIfLarge();
  }
  show('expiry of 200 leases with a key each, mean', total / 500, 'ms');
  show('expiry of 200 leases with a key each, longest', longest, 'ms');
}

/** Carries out what is under way. */
async function measureDeletion(title: string): Promise<void> {
  let total = 0;
  const steps: number[] = [];
  for (let hasMore = true; hasMore; ) {
    const start = cpuMs();
    hasMore = store.deletions.step();
    steps.push(cpuMs() - start);
    total += cpuMs() - start;
    await flushIfLarge();
  }
  steps.sort((a, b) => a - b);
  show(title, total, 'ms');
  show(`${title}, a step of ${steps.length}, median`, steps[steps.length >> 1]!, 'ms');
  show(`${title}, a step of ${steps.length}, longest`, steps.at(-1)!, 'ms');
}

function measurePages(what: Store): void {
  const table: readonly [string, Partial<RangeRequest>][] = [
    ['page of 256 KiB', { pageBytes: 262_144 }],
    ['page of 256 KiB, uncounted', { pageBytes: 262_144, uncounted: true }],
    ['page of 500, uncounted', { limit: 500, uncounted: true }],
    ['page of 500, 50,000 revisions ago', { limit: 500, revision: what.revision() - 50_000 }],
    [
      'page of 500, uncounted, 50,000 revisions ago',
      { limit: 500, uncounted: true, revision: what.revision() - 50_000 },
    ],
  ];
  for (const [title, more] of table) {
    const rounds = 50;
    const start = cpuMs();
    for (let round = 0; round < rounds; round += 1) what.range(rangeOf('hot-', '\0', more));
    show(title, (cpuMs() - start) / rounds, 'ms');
  }
}

await measureWrites();
await measureSessions();
measurePages(store);
await measureLease();
await store.close();
const start = cpuMs();
await openStore(createLmdbHome(directory)).then((again) => again.close());
show('open and close', cpuMs() - start, 'ms');
rmSync(directory, { recursive: true });
