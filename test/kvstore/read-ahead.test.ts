/** A compaction that reads ahead removes the same as one that does not, whatever comes between. */

import t from 'tap';
import { COMPACT_STEP_REVISIONS_MAX, type Store } from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { deleteOf, putOf } from './store-requests.ts';

const CONFIGURATION = { voters: [0], outgoing: [], learners: [] };
const REVISIONS = 3_000;

function account(store: Store): void {
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });
}

/** Writes and compacts the same to all stores. */
function writeSome(stores: readonly Store[], seed: number, count: number): void {
  const random = createRandom(seed);
  for (let i = 0; i < count; i += 1) {
    const key = `k${random.below(200)}`;
    const isDeletion = random.below(4) === 0;
    const value = 'x'.repeat(random.below(2) * 100);
    for (const store of stores) {
      if (isDeletion) store.deleteRange(deleteOf(key));
      else store.put(putOf(key, value));
      account(store);
    }
  }
}

for (const home of HOMES) {
  t.test(`${home.name}: what is read ahead changes nothing of what is removed`, async (t) => {
    const ahead = await openStore(await home.create(t));
    const plain = await openStore(await home.create(t));
    const stores = [ahead, plain];
    const random = createRandom(1);
    for (let round = 1; round <= 4; round += 1) {
      writeSome(stores, round, REVISIONS / 2);
      if (random.below(2) === 0) await ahead.flush();
      const revision = ahead.revision() - random.below(100);
      for (const store of stores) {
        store.compact({ revision, physical: false });
        account(store);
      }
      // The next one begins while this one is under way, or after it.
      for (let step = 0; step < 8; step += 1) {
        if (random.below(3) > 0) await ahead.readAhead();
        ahead.compactStep();
      }
    }
    for (;;) {
      await ahead.readAhead();
      t.equal(ahead.readAhead(), undefined, 'it is read once');
      if (!ahead.compactStep()) break;
    }
    while (plain.compactStep());
    t.equal(ahead.compactedPhysically(), plain.compactedPhysically());
    t.equal(ahead.hash(), plain.hash());
    for (const store of stores) {
      await store.flush();
      await store.close();
    }
  });

  t.test(`${home.name}: a step ends where what was read does`, async (t) => {
    const store = await openStore(await home.create(t));
    writeSome([store], 5, REVISIONS);
    await store.flush();
    store.compact({ revision: store.revision(), physical: false });
    account(store);
    const places = [0];
    for (let step = 0; step < 3; step += 1) {
      const reading = store.readAhead();
      t.ok(reading !== undefined, 'the step before ended where what was read did');
      await reading;
      store.compactStep();
      places.push(store.compactedPhysically());
    }
    const [, first = 0, second = 0, third = 0] = places;
    t.ok(0 < first && first < second - first && second - first < third - second, String(places));

    // They are small: more are read by now than a step looks at.
    t.ok(third - second <= COMPACT_STEP_REVISIONS_MAX);
    t.equal(store.readAhead(), undefined);
    await store.close();
  });
}
