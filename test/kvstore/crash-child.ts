/**
 * The process that crash.test.ts kills: applies the entries of a seed to a store on LMDB as fast as
 * it can, and says on its output, a line each, which applied index became durable. Arguments:
 * directory, seed.
 */

import { writeSync } from 'node:fs';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { applyEntry, CRASH_LIMITS, FLUSH_ENTRIES } from './crash-entries.ts';

const [directory = '', seed = '0'] = process.argv.slice(2);
const store = await openStore(createLmdbHome(directory), CRASH_LIMITS);
writeSync(1, `${store.durableApplied()}\n`);
for (;;) {
  for (let count = 0; count < FLUSH_ENTRIES; count += 1) applyEntry(store, Number(seed));
  store.compactStep();
  await store.flush();
  writeSync(1, `${store.durableApplied()}\n`);
}
