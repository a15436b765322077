/**
 * What watches cost: `node --expose-gc test/kvstore/bench-watches.ts`. Times are processor time of
 * the calling thread, memory is what the heap grew by.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLUSH_BYTES, type WatchSink, type WatchStream } from '../../include/kvstore.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { putOf } from './store-requests.ts';
import { watchOf } from './watch-requests.ts';
import { account } from './watched-store.ts';

const PUTS = 40_000;
const WATCHES = 10_000;
const MANY_WATCHES = 100_000;
const VALUE = 'v'.repeat(256);
const directory = mkdtempSync(join(tmpdir(), 'kvorum-bench-'));
const store = await openStore(createLmdbHome(directory));
let told = 0;
const sink: WatchSink = {
  isFull: () => false,
  events: (_watchId, { events }) => {
    told += events.length;
  },
  progress: () => {},
  cancelled: () => {},
};

function name(number: number): string {
  return `key-${String(number).padStart(12, '0')}`;
}

function clockMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function show(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(56)} ${value.toFixed(2)} ${unit}`);
}

function put(key: string): void {
  store.put(putOf(key, VALUE));
  account(store);
}

/** The best of five rounds. */
async function measurePuts(what: string, batch: number, key: (at: number) => string) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round += 1) {
    let micros = 0;
    for (let at = 0; at < PUTS; at += batch) {
      const start = clockMicros();
      for (let slot = at; slot < at + batch; slot += 1) put(key(slot));
      store.watches.notify();
      micros += clockMicros() - start;
      if (store.unflushedBytes() >= FLUSH_BYTES) await store.flush();
    }
    least = Math.min(least, micros / PUTS);
  }
  show(`put, ${what}, ${batch} a batch`, least, 'µs');
}

function close(stream: WatchStream): void {
  stream.close();
  while (store.watches.catchUp());
}

async function measureWatched(what: string, create: (stream: WatchStream) => void): Promise<void> {
  const stream = store.watches.open(sink);
  create(stream);
  for (const batch of [1, 100]) await measurePuts(what, batch, (at) => name(1e6 + (at % 1000)));
  close(stream);
}

function measureMemory(what: string, request: (at: number) => ReturnType<typeof watchOf>): void {
  const stream = store.watches.open(sink);
  const before = heapBytes();
  const start = clockMicros();
  for (let at = 0; at < MANY_WATCHES; at += 1) stream.create(at, request(at));
  show(`${what}, to create`, (clockMicros() - start) / MANY_WATCHES, 'µs');
  show(`${MANY_WATCHES} of them`, (heapBytes() - before) / 1e6, 'MB');
  close(stream);
}

function measureFanOut(): void {
  const streams = Array.from({ length: 1000 }, () => store.watches.open(sink));
  for (const stream of streams) stream.create(1, watchOf('hot'));
  const start = clockMicros();
  for (let round = 0; round < 1000; round += 1) {
    put('hot');
    store.watches.notify();
  }
  show('put of a key with 1,000 watches', (clockMicros() - start) / 1000, 'µs');
  for (const stream of streams) close(stream);
}

function measureCatchUp(what: string, create: (stream: WatchStream) => void): void {
  const stream = store.watches.open(sink);
  create(stream);
  told = 0;
  const steps: number[] = [];
  for (let hasMore = true; hasMore; ) {
    const start = clockMicros();
    hasMore = store.watches.catchUp();
    steps.push((clockMicros() - start) / 1000);
  }
  const total = steps.reduce((sum, step) => sum + step, 0);
  steps.sort((a, b) => a - b);
  show(`${what}: ${steps.length} steps, ${told} events`, total, 'ms');
  show('  a step, median', steps[steps.length >> 1]!, 'ms');
  show('  a step, of 100 the longest but one', steps[Math.floor(steps.length * 0.99)]!, 'ms');
  close(stream);
}

await measureWatched('nobody watches', () => {});
await measureWatched('1 watch of another key', (stream) => stream.create(1, watchOf('other')));
await measureWatched('10,000 watches of other keys', (stream) => {
  for (let at = 0; at < WATCHES; at += 1) stream.create(at, watchOf(name(at)));
});
await measureWatched('10,000 watches of other ranges', (stream) => {
  for (let at = 0; at < WATCHES; at += 1) stream.create(at, watchOf(`r${at}/`, `r${at}0`));
});
measureFanOut();
measureMemory('watch of a key', (at) => watchOf(name(at)));
measureMemory('watch of a range', (at) => watchOf(`r${at}/`, `r${at}0`));
for (let at = 0; at < MANY_WATCHES; at += 1) put(name(at));
await store.flush();
store.watches.notify();
const recent = store.revision() - 500;
measureCatchUp('100,000 watches of keys resume', (stream) => {
  for (let at = 0; at < MANY_WATCHES; at += 1) {
    stream.create(at, watchOf(name(at), '', { startRevision: recent }));
  }
});
measureCatchUp('watch of everything from the start', (stream) => {
  stream.create(1, watchOf('', '\0', { startRevision: 1 }));
});
await store.close();
rmSync(directory, { recursive: true });
