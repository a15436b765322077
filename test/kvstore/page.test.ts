/** Pages of a range: where they are cut, and that they cost what they answer. */

import t from 'tap';
import {
  type ByteMap,
  type RangeRequest,
  SortOrder,
  SortTarget,
  type Store,
  type StoreHome,
} from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf, rangeOf, showError } from './store-requests.ts';

function account(store: Store): void {
  const configuration = { voters: [0], outgoing: [], learners: [] };
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration });
}

function put(store: Store, key: string, value: string): void {
  store.put(putOf(key, value));
  account(store);
}

/** A page as text: its keys, then whether there is more, and the count. */
function page(store: Store, more: Partial<RangeRequest>): string {
  const result = store.range(rangeOf('a', 'z', more));
  if (typeof result === 'number') return showError(result);
  const keys = result.kvs.map((kv) => kv.key.toString()).join('');
  return `${keys}${result.more ? '+' : ''} ${result.count}`;
}

for (const home of HOMES) {
  t.test(`${home.name}: a page is cut by its bytes, as by a limit`, async (t) => {
    const store = await openStore(await home.create(t));
    for (const key of ['a', 'b', 'c', 'd']) put(store, key, 'v'.repeat(9));
    put(store, 'e', 'v'.repeat(99));
    const table: readonly [Partial<RangeRequest>, string][] = [
      [{ pageBytes: 19 }, 'a+ 5'],
      [{ pageBytes: 20 }, 'ab+ 5'],
      [{ pageBytes: 21 }, 'ab+ 5'],
      [{ pageBytes: 1 }, 'a+ 5'],
      [{ pageBytes: 139 }, 'abcd+ 5'],
      [{ pageBytes: 140 }, 'abcde 5'],
      [{ pageBytes: -1 }, 'abcde 5'],
      [{ pageBytes: 30, limit: 2 }, 'ab+ 5'],
      [{ pageBytes: 20, limit: 3 }, 'ab+ 5'],
      [{ pageBytes: 3, keysOnly: true }, 'abc+ 5'],
      [{ pageBytes: 20, uncounted: true }, 'ab+ 0'],
      [{ uncounted: true }, 'abcde 0'],
      [{ uncounted: true, countOnly: true }, ' 0'],
      [{ pageBytes: 99, sortOrder: SortOrder.Descend }, 'e+ 5'],
      [{ pageBytes: 110, sortOrder: SortOrder.Descend }, 'ed+ 5'],
      [{ pageBytes: 20, sortTarget: SortTarget.Mod, sortOrder: SortOrder.Ascend }, 'ab+ 5'],
      [{ pageBytes: 20, minModRevision: 4 }, 'cd+ 5'],
      [{ pageBytes: 20, revision: 4 }, 'ab+ 3'],
      [{ pageBytes: 30, revision: 4 }, 'abc 3'],
      [{ pageBytes: 20, revision: 4, uncounted: true }, 'ab+ 0'],
    ];
    for (const [request, expected] of table) {
      t.equal(page(store, request), expected, JSON.stringify(request));
    }
    const one = store.range(rangeOf('e', '', { pageBytes: 1, uncounted: true }));
    t.match(one, { count: 0, more: false, kvs: [{ key: Buffer.from('e') }] });
    await store.close();
  });
}

/** A home whose map counts the pairs that it hands out. */
function countingHome(): { home: StoreHome; take: () => number } {
  let visits = 0;
  const memory = createMemoryHome();
  const counting = (map: ByteMap): ByteMap => ({
    ...map,
    get: (table, key) => {
      visits += 1;
      return map.get(table, key);
    },
    scan: (table, bounds, visit, visitDeleted) =>
      map.scan(
        table,
        bounds,
        (key, value) => {
          visits += 1;
          return visit(key, value);
        },
        visitDeleted,
      ),
    countSome: (table, bounds, countMax) => {
      const part = map.countSome(table, bounds, countMax);
      visits += part.count;
      return part;
    },
  });
  const home = { ...memory, open: async () => counting(await memory.open()) };
  const take = (): number => {
    const taken = visits;
    visits = 0;
    return taken;
  };
  return { home, take };
}

t.test('an uncounted page visits what it answers, of the past too', async (t) => {
  const { home, take } = countingHome();
  const store = await openStore(home);
  const keys = 2_000;
  for (let count = 0; count < keys; count += 1) put(store, `k${10_000 + count}`, 'value');
  const revision = store.revision();
  for (let count = 0; count < keys; count += 1) put(store, `k${10_000 + count}`, 'again');
  store.deleteRange(deleteOf('k11', 'k12'));
  account(store);
  const cost = (more: Partial<RangeRequest>): number => {
    take();
    const result = store.range(rangeOf('k', 'l', { uncounted: true, ...more }));
    t.match(result, { more: true, count: 0 });
    return take();
  };
  t.ok(cost({ limit: 10 }) <= 25);
  t.ok(cost({ pageBytes: 110 }) <= 25);
  // Live and deleted keys are gathered, a page of each.
  t.ok(cost({ limit: 10, revision }) <= 80);
  t.ok(cost({ pageBytes: 110, revision }) <= 80);
  t.ok(cost({ pageBytes: 110, sortOrder: SortOrder.Descend, revision }) <= 80);
  await store.close();
});

t.test('pages one behind the other are the range', async (t) => {
  const store = await openStore(createMemoryHome());
  for (let count = 0; count < 500; count += 1) put(store, `k${count}`, 'v'.repeat(count % 50));
  const revision = store.revision();
  for (let count = 0; count < 500; count += 3) {
    store.deleteRange(deleteOf(`k${count}`));
    account(store);
  }
  const found: string[] = [];
  let from = 'k';
  for (let isMore = true; isMore; ) {
    const more = { revision, pageBytes: 200, uncounted: true };
    const result = store.range(rangeOf(from, 'l', more));
    if (typeof result === 'number') throw new Error(showError(result));
    found.push(...result.kvs.map((kv) => kv.key.toString()));
    from = `${found.at(-1)}\0`;
    isMore = result.more;
  }
  const names = Array.from({ length: 500 }, (_, count) => `k${count}`);
  t.strictSame(found, names.sort());
  await store.close();
});
