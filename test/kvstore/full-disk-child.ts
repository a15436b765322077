/**
 * The process whose files may not grow any more, which crash.test.ts starts with a low `ulimit -f`:
 * fills a store until a flush fails, and writes what it saw as JSON. Argument: directory.
 */

import { StoreError } from '../../include/kvstore.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { applyEntry } from './crash-entries.ts';
import { putOf } from './store-requests.ts';

const store = await openStore(createLmdbHome(process.argv[2] ?? ''));

async function failureOf(run: () => Promise<void>): Promise<StoreError | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}

let failure: StoreError | undefined;
while (failure === undefined) {
  for (let count = 0; count < 10; count += 1) {
    store.put(putOf(`large-${store.applied().index}`, 'v'.repeat(20_000)));
    applyEntry(store, 7);
  }
  failure = await failureOf(() => store.flush());
}
const again = await failureOf(() => store.flush());
const closed = await failureOf(() => store.close());
process.stdout.write(
  JSON.stringify({
    path: failure.path,
    message: failure.message,
    durableApplied: store.durableApplied(),
    applied: store.applied().index,
    isFinal: again !== undefined && closed !== undefined,
  }),
);
