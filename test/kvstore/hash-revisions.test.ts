/** The checksum of the history of keys: by steps, as of a revision, however it came about. */

import t from 'tap';
import type { HashResult, Reading, Store } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf } from './store-requests.ts';
import { account } from './watched-store.ts';

t.setTimeout(240_000);

/** Small, so that a few hundred revisions take many turns. */
const LIMITS = { deleteAtOnceKeysMax: 20, deleteStepKeysMax: 7, readVisitsMax: 9 };

function isReading<T>(begun: object | number | Reading<T>): begun is Reading<T> {
  return typeof begun === 'object' && 'step' in begun;
}

/** Hashes; between two steps the store goes on with what it has under way. */
function hash(store: Store, revision = 0, meanwhile = (): void => {}): HashResult | ErrorCode {
  const begun = store.beginHash(revision);
  if (!isReading(begun)) return begun;
  for (;;) {
    store.deletions.step();
    store.compactStep();
    meanwhile();
    const result = begun.step();
    if (result !== undefined) return result;
  }
}

function put(store: Store, key: string, value: string): void {
  store.put(putOf(key, value));
  account(store);
}

function compact(store: Store, revision: number): void {
  store.compact({ revision, physical: false });
  account(store);
}

function fill(store: Store, seed: number): void {
  const random = createRandom(seed);
  for (let count = 0; count < 300; count += 1) {
    const key = `k${random.below(60)}`;
    while (store.deletions.touches(deleteOf(key, '\xff'))) store.deletions.step();
    if (random.below(20) === 0) store.deleteRange(deleteOf(key, 'k7'));
    else store.put(putOf(key, `v${random.below(99)}`));
    account(store);
    if (random.below(60) === 0) compact(store, store.revision() - random.below(10));
  }
}

for (const { name, create } of HOMES) {
  t.test(
    `equal histories come to equal hashes, whatever is removed already (${name})`,
    async (t) => {
      const stores = await Promise.all(
        [LIMITS, undefined].map(async (limits) => openStore(await create(t), limits)),
      );
      for (const [slot, store] of stores.entries()) {
        fill(store, 5);
        if (slot === 0) while (store.compactStep() || store.deletions.step());
      }
      const [one, other] = stores.map((store) => hash(store));
      t.type(one, 'object');
      t.strictSame(one, other);
      const [first, second] = stores;
      put(first!, 'k1', 'a');
      put(second!, 'k1', 'b');
      t.notSame(hash(first!), hash(second!));
      for (const store of stores) await store.close();
    },
  );
}

t.test('a hash is as of its revision, whatever is written meanwhile', async (t) => {
  const store = await openStore(createMemoryHome(), LIMITS);
  fill(store, 7);
  const before = hash(store) as HashResult;
  let number = 0;
  const after = hash(store, before.revision, () => {
    number += 1;
    put(store, `k${number % 60}`, 'later');
  });
  t.strictSame(after, before);
  t.ok(number > 10, 'it took many turns');
  t.notSame((hash(store) as HashResult).hash, before.hash);
});

t.test('a compaction in the middle lets it start anew', async (t) => {
  const store = await openStore(createMemoryHome(), LIMITS);
  fill(store, 9);
  const revision = store.revision();
  let turns = 0;
  const result = hash(store, 0, () => {
    turns += 1;
    if (turns === 5) compact(store, revision - 3);
  });
  t.match(result, { revision, compactRevision: revision - 3 });
  t.strictSame(result, hash(store));
});

t.test('what is compacted, or not there yet, is refused', async (t) => {
  const store = await openStore(createMemoryHome(), LIMITS);
  for (let number = 0; number < 9; number += 1) put(store, 'a', String(number));
  compact(store, 5);
  t.equal(hash(store, 5), ErrorCode.Compacted);
  t.equal(hash(store, 4), ErrorCode.Compacted);
  t.match(hash(store, 6), { revision: 6, compactRevision: 5 });
  t.equal(hash(store, 99), ErrorCode.FutureRevision);
  compact(store, store.revision());
  t.match(hash(store), { revision: 10, compactRevision: 10 });

  const gone = hash(store, 0, () => {});
  t.type(gone, 'object');
});

t.test('a revision that is compacted in the middle is refused', async (t) => {
  const store = await openStore(createMemoryHome(), LIMITS);
  fill(store, 11);
  const revision = store.revision();
  const result = hash(store, revision, () => {
    put(store, 'b', '1');
    if (store.compactRevision() <= revision) compact(store, store.revision());
  });
  t.equal(result, ErrorCode.Compacted);
});
