/**
 * What the store costs: `node test/kvstore/bench.ts [keys]`, 100,000 keys by default, values of 256
 * bytes. Times an operation are processor time, of the thread that calls and of all threads, means
 * over many rounds.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FLUSH_BYTES,
  type RangeRequest,
  SortOrder,
  type Store,
  Table,
} from '../../include/kvstore.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { putOf, rangeOf } from './store-requests.ts';

const KEYS = Number(process.argv[2] ?? 100_000);
const ROUND = 5000;
const VALUE = 'v'.repeat(256);
const random = createRandom(1);
const directory = mkdtempSync(join(tmpdir(), 'kvorum-bench-'));

function keyName(number: number): string {
  return `key-${String(number).padStart(12, '0')}`;
}

function clockMicros(): number {
  return performance.now() * 1000;
}

function show(what: string, micros: number, unit = 'µs'): void {
  console.log(`${what.padEnd(48)} ${micros.toFixed(2)} ${unit}`);
}

/** Runs rounds of work of ROUND operations; the first half warms up. */
async function measure(
  what: string,
  rounds: number,
  prepare: () => () => void,
  settle: () => Promise<void>,
): Promise<void> {
  let calling = Number.POSITIVE_INFINITY;
  let all = 0;
  const warm = Math.floor(rounds / 2);
  for (let round = 0; round < rounds; round += 1) {
    const run = prepare();
    const process0 = process.cpuUsage();
    const start = clockMicros();
    run();
    const settled = settle();
    const micros = clockMicros() - start;
    await settled;
    const used = process.cpuUsage(process0);
    if (round < warm) continue;
    calling = Math.min(calling, micros);
    all += used.user + used.system;
  }
  const count = (rounds - warm) * ROUND;
  show(`${what}, calling thread`, calling / ROUND);
  show(`${what}, all threads`, all / count);
}

async function measureMap(): Promise<void> {
  const home = createLmdbHome(directory);
  const map = await home.open();
  let next = 0;
  const order = Array.from({ length: KEYS }, (_, slot) => slot);
  for (let slot = KEYS - 1; slot > 0; slot -= 1) {
    const other = random.below(slot + 1);
    [order[slot], order[other]] = [order[other]!, order[slot]!];
  }
  await measure(
    'map: put and flush, distinct random keys',
    Math.floor(KEYS / ROUND),
    () => {
      const pairs = Array.from({ length: ROUND }, () => {
        next += 1;
        return [Buffer.from(keyName(order[next - 1]!)), Buffer.from(VALUE)] as const;
      });
      return () => {
        for (const [key, value] of pairs) map.put(Table.Keys, key, value);
      };
    },
    () => map.flush(),
  );
  await map.close();
  rmSync(join(directory, 'store'), { recursive: true });
}

async function measureStore(): Promise<void> {
  const store = await openStore(createLmdbHome(directory));
  const puts = (pick: () => number) => () => {
    const requests = Array.from({ length: ROUND }, () => putOf(keyName(pick()), VALUE));
    return () => {
      for (const request of requests) apply(store, () => store.put(request));
    };
  };
  const idle = () => Promise.resolve();
  const rounds = Math.floor(KEYS / ROUND);
  let fresh = 0;
  const flush = () => store.flush();
  await measure(
    'store: put of new keys, flushed',
    rounds,
    puts(() => (fresh++ * 7919) % KEYS),
    flush,
  );
  await measure(
    'store: put of random keys, flushed',
    rounds,
    puts(() => random.below(KEYS)),
    flush,
  );
  await measure(
    'store: put of one key, flushed',
    10,
    puts(() => 5),
    flush,
  );
  const gets = () => {
    const requests = Array.from({ length: ROUND }, () => rangeOf(keyName(random.below(KEYS))));
    return () => {
      for (const request of requests) store.range(request);
    };
  };
  await measure('store: get of one key', 40, gets, idle);
  measureRanges(store);
  await measureCompaction(store);
  await measureSnapshot(store);
  console.log(store.size(), `${KEYS} keys`);
  await store.close();
  const start = performance.now();
  const again = await openStore(createLmdbHome(directory));
  show('open', performance.now() - start, 'ms');
  await again.close();
}

function apply(store: Store, run: () => unknown): void {
  run();
  const configuration = { voters: [0, 1, 2], outgoing: [], learners: [] };
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration });
}

function measureRanges(store: Store): void {
  const table: readonly [string, Partial<RangeRequest>][] = [
    ['list, limit 500', { limit: 500 }],
    ['list, limit 500, keys only', { limit: 500, keysOnly: true }],
    ['list, limit 500, downwards', { limit: 500, sortOrder: SortOrder.Descend }],
    ['list, limit 500, 1,000 revisions ago', { limit: 500, revision: store.revision() - 1000 }],
    ['count', { countOnly: true }],
  ];
  for (const [what, more] of table) {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 100; round += 1) {
      const start0 = clockMicros();
      store.range(rangeOf('key-', 'key.', more));
      least = Math.min(least, (clockMicros() - start0) / 1000);
    }
    show(`${what}, of all keys`, least, 'ms');
  }
}

async function measureCompaction(store: Store): Promise<void> {
  apply(store, () => store.compact({ revision: store.revision(), physical: false }));
  let steps = 0;
  let most = 0;
  let total = 0;
  for (let hasMore = true; hasMore; ) {
    const start0 = clockMicros();
    hasMore = store.compactStep();
    const micros = clockMicros() - start0;
    most = Math.max(most, micros);
    total += micros;
    steps += 1;
    if (store.unflushedBytes() >= FLUSH_BYTES) await store.flush();
  }
  show(`step of a compaction, mean of ${steps}`, total / steps / 1000, 'ms');
  show('step of a compaction, longest', most / 1000, 'ms');
  await store.flush();
}

async function measureSnapshot(store: Store): Promise<void> {
  const reader = await store.exportSnapshot();
  const start0 = clockMicros();
  let chunks = 0;
  while (reader.next() !== undefined) chunks += 1;
  show(`chunk of a snapshot, mean of ${chunks}`, (clockMicros() - start0) / chunks / 1000, 'ms');
  reader.close();
}

await measureMap();
await measureStore();
rmSync(directory, { recursive: true });
