/**
 * The store against a dumb model of etcd: random operations, old revisions, compactions, restarts.
 */

import t from 'tap';
import type { RangeResult } from '../../include/kvstore.ts';
import type { ErrorCode } from '../../include/rpc.ts';
import { openStore, type Store } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { StoreModel } from './store-model.ts';
import {
  randomDelete,
  randomPut,
  randomRange,
  rangeOf,
  showError,
  showPair,
  showRange,
} from './store-requests.ts';

const CONFIGURATION = { voters: [0, 1, 2], outgoing: [], learners: [] };

function accountFor(store: Store): void {
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });
}

function showPut(result: ReturnType<Store['put']>): string {
  if (typeof result === 'number') return showError(result);
  return `@${result.revision} ${result.prevKv === undefined ? 'none' : showPair(result.prevKv)}`;
}

function showDelete(result: ReturnType<Store['deleteRange']>): string {
  if (typeof result === 'number') return showError(result);
  return `@${result.revision} ${result.deleted} [${result.prevKvs.map(showPair).join(', ')}]`;
}

/**
 * Ties of a sort keep no promised order: both sides' answers are compared with ties in key order.
 */
function showBoth(a: RangeResult | ErrorCode, b: RangeResult | ErrorCode): [string, string] {
  return [showRange(a), showRange(b)];
}

t.test('members agree on the hash however far each has removed what is compacted', async (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = createRandom(seed);
    const eager = await openStore(createMemoryHome());
    const lazy = await openStore(createMemoryHome());
    for (let step = 0; step < 300; step += 1) {
      const choice = random.below(100);
      if (choice < 50) {
        const request = randomPut(random);
        for (const store of [eager, lazy]) store.put(request);
      } else if (choice < 80) {
        const request = randomDelete(random);
        for (const store of [eager, lazy]) store.deleteRange(request);
      } else if (choice < 90) {
        const request = { revision: eager.revision() - random.below(5), physical: false };
        for (const store of [eager, lazy]) store.compact(request);
        while (eager.compactStep());
      } else if (random.below(10) === 0) {
        lazy.compactStep();
      }
      for (const store of [eager, lazy]) accountFor(store);
      if (eager.hash() !== lazy.hash()) {
        t.fail(`the hashes differ at seed ${seed} step ${step}`);
        return;
      }
    }
    while (lazy.compactStep());
    t.equal(lazy.compactedPhysically(), eager.compactedPhysically());
  }
});

for (const home of HOMES) {
  const seeds = home.name === 'memory' ? 60 : 12;
  t.test(`${home.name}: the store answers as a dumb model of etcd does`, async (t) => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const random = createRandom(seed);
      const place = await home.create(t);
      let store = await openStore(place);
      const model = new StoreModel();
      const compactChance = random.below(2) === 0 ? 3 : 30;
      for (let step = 0; step < 300; step += 1) {
        const choice = random.below(1000);
        let got = '';
        let expected = '';
        if (choice < 300) {
          const request = randomPut(random);
          got = showPut(store.put(request));
          expected = showPut(model.put(request));
          accountFor(store);
        } else if (choice < 400) {
          const request = randomDelete(random);
          got = showDelete(store.deleteRange(request));
          expected = showDelete(model.deleteRange(request));
          accountFor(store);
        } else if (choice < 400 + compactChance) {
          const revision = random.below(model.revision + 3) - 1;
          const result = store.compact({ revision, physical: false });
          got = typeof result === 'number' ? showError(result) : `@${result.revision}`;
          const refusal = model.compact(revision);
          expected = refusal === 0 ? `@${model.revision}` : showError(refusal);
          accountFor(store);
        } else if (choice < 450) {
          const hash = store.hash();
          store.compactStep();
          got = `hash ${store.hash()}`;
          expected = `hash ${hash}`;
        } else if (choice < 460) {
          void store.flush();
        } else if (choice < 470) {
          const hash = store.hash();
          const applied = store.applied().index;
          await store.close();
          store = await openStore(place);
          got = `hash ${store.hash()} applied ${store.applied().index}`;
          expected = `hash ${hash} applied ${applied}`;
        } else {
          const request = randomRange(random, model.revision);
          [got, expected] = showBoth(store.range(request), model.range(request));
        }
        if (got !== expected) {
          t.equal(got, expected, `seed ${seed} step ${step}`);
          return;
        }
      }
      while (store.compactStep());
      for (let revision = 0; revision <= model.revision; revision += 1) {
        const request = rangeOf('\0', '\0', { revision });
        const [got, expected] = showBoth(store.range(request), model.range(request));
        if (got !== expected) {
          t.equal(got, expected, `seed ${seed} at revision ${revision} after all`);
          return;
        }
      }
      await store.close();
    }
    t.pass('no difference found');
  });
}
