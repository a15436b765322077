/** The rules of the store, one by one, on both kinds of map. */

import t from 'tap';
import {
  type ByteMap,
  COMPACT_STEP_REVISIONS_MAX,
  FLUSH_BYTES,
  FLUSH_MS,
  NEVER_COMPACTED,
  type RangeRequest,
  SortOrder,
  SortTarget,
  type Store,
  type StoreHome,
} from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf, rangeOf, showError, showPair, showRange } from './store-requests.ts';

const CONFIGURATION = { voters: [0, 1, 2], outgoing: [], learners: [7] };

function account(store: Store): void {
  store.setApplied({ index: store.applied().index + 1, term: 3, configuration: CONFIGURATION });
}

/** Applies requests written as text: `put a 1`, `del a b`, `compact 5`; returns the answers. */
function apply(store: Store, ...lines: readonly string[]): string[] {
  return lines.map((line) => {
    const [word, first = '', second = ''] = line.split(' ');
    const result =
      word === 'put'
        ? store.put(putOf(first, second))
        : word === 'del'
          ? store.deleteRange(deleteOf(first, second))
          : store.compact({ revision: Number(first), physical: false });
    account(store);
    if (typeof result === 'number') return showError(result);
    return 'deleted' in result ? `@${result.revision} -${result.deleted}` : `@${result.revision}`;
  });
}

/** The answer to a read as text. */
function read(store: Store, key: string, end = '', more: Partial<RangeRequest> = {}): string {
  return showRange(store.range(rangeOf(key, end, more)));
}

for (const home of HOMES) {
  t.test(`${home.name}: revisions and versions count as in etcd`, async (t) => {
    const store = await openStore(await home.create(t));
    t.equal(store.revision(), 1, 'an empty store is at revision 1');
    t.equal(store.compactRevision(), NEVER_COMPACTED);
    t.equal(read(store, 'a'), '@1 count=0 []');
    t.strictSame(apply(store, 'put a 1', 'put a 1', 'put b 2'), ['@2', '@3', '@4']);
    t.equal(read(store, 'a', 'c'), '@4 count=2 [a=1 2/3/2, b=2 4/4/1]');
    t.strictSame(apply(store, 'del x y', 'del a', 'del a'), ['@4 -0', '@5 -1', '@5 -0']);
    t.strictSame(apply(store, 'put a 3'), ['@6']);
    t.equal(read(store, 'a'), '@6 count=1 [a=3 6/6/1]', 'a key created anew starts at version 1');
    await store.close();
  });

  t.test(`${home.name}: every revision stays readable`, async (t) => {
    const store = await openStore(await home.create(t));
    apply(store, 'put a 1', 'put b 2', 'put a 3', 'del a', 'put a 4', 'del a c');
    const at = (revision: number) => read(store, 'a', 'c', { revision });
    t.equal(at(1), '@7 count=0 []');
    t.equal(at(2), '@7 count=1 [a=1 2/2/1]');
    t.equal(at(3), '@7 count=2 [a=1 2/2/1, b=2 3/3/1]');
    t.equal(at(4), '@7 count=2 [a=3 2/4/2, b=2 3/3/1]');
    t.equal(at(5), '@7 count=1 [b=2 3/3/1]');
    t.equal(at(6), '@7 count=2 [a=4 6/6/1, b=2 3/3/1]');
    t.equal(at(7), '@7 count=0 []');
    t.equal(at(8), 'FutureRevision');
    t.equal(read(store, 'a', '', { revision: 4 }), '@7 count=1 [a=3 2/4/2]');
    t.equal(read(store, 'a', '', { revision: 5 }), '@7 count=0 []');
    await store.close();
  });

  t.test(`${home.name}: a put gives the pair before it, keeps a value or a lease`, async (t) => {
    const store = await openStore(await home.create(t));
    const put = (value: string, more: object) => {
      const result = store.put(putOf('a', value, more));
      account(store);
      if (typeof result === 'number') return showError(result);
      return result.prevKv === undefined ? 'none' : showPair(result.prevKv);
    };
    t.equal(put('', { ignoreValue: true }), 'KeyNotFound');
    t.equal(put('1', { ignoreLease: true }), 'KeyNotFound');
    t.equal(put('1', { lease: 5n }), 'LeaseNotFound');
    t.equal(store.revision(), 1, 'a refused put makes no revision');
    t.equal(put('1', { prevKv: true }), 'none');
    t.equal(put('2', { prevKv: true }), 'a=1 2/2/1');
    t.equal(put('', { prevKv: true, ignoreValue: true, ignoreLease: true }), 'a=2 2/3/2');
    t.equal(put('', { prevKv: true }), 'a=2 2/4/3');
    t.equal(read(store, 'a'), '@5 count=1 [a= 2/5/4]', 'a value may be empty');
    await store.close();
  });

  t.test(
    `${home.name}: a deletion of a range is one revision, its pairs in key order`,
    async (t) => {
      const store = await openStore(await home.create(t));
      apply(store, 'put c 3', 'put a 1', 'put b 2');
      const result = store.deleteRange(deleteOf('a', 'c', true));
      account(store);
      t.type(result, 'object');
      if (typeof result === 'number' || !('deleted' in result)) return;
      t.equal(result.deleted, 2);
      t.equal(result.prevKvs.map(showPair).join(), 'a=1 3/3/1,b=2 4/4/1');
      t.equal(result.revision, 5);
      t.equal(read(store, '\0', '\0'), '@5 count=1 [c=3 2/2/1]');
      await store.close();
    },
  );

  t.test(`${home.name}: a compaction refuses at once and removes in steps`, async (t) => {
    const store = await openStore(await home.create(t));
    const puts = Array.from({ length: 1200 }, (_, slot) => `put k${slot % 3} ${slot}`);
    apply(store, ...puts, 'del k0');
    t.strictSame(apply(store, 'compact 1203'), ['FutureRevision']);
    t.strictSame(apply(store, 'compact 1202', 'compact 1202', 'compact 0'), [
      '@1202',
      'Compacted',
      'Compacted',
    ]);
    t.equal(read(store, 'k0', 'k9', { revision: 1201 }), 'Compacted');
    const kept = '@1202 count=2 [k1=1198 3/1200/400, k2=1199 4/1201/400]';
    t.equal(read(store, 'k0', 'k9', { revision: 1202 }), kept);
    t.equal(store.compactedPhysically(), 0, 'nothing is removed by the request itself');
    let steps = 1;
    while (store.compactStep()) {
      t.equal(read(store, 'k0', 'k9'), kept, 'reads between the steps');
      steps += 1;
    }
    t.equal(steps, Math.ceil(1_202 / COMPACT_STEP_REVISIONS_MAX));
    t.equal(store.compactedPhysically(), 1202);
    t.equal(store.compactStep(), false);
    t.equal(read(store, 'k0', 'k9'), kept);
    await store.close();
  });

  t.test(`${home.name}: compacting 0 works once, on a store never compacted`, async (t) => {
    const store = await openStore(await home.create(t));
    t.strictSame(apply(store, 'compact -3', 'compact 0', 'compact 0'), [
      'Compacted',
      '@1',
      'Compacted',
    ]);
    t.equal(store.compactedPhysically(), 0);
    await store.close();
  });

  t.test(`${home.name}: a restart goes on with a compaction where it was`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    apply(store, ...Array.from({ length: 1500 }, (_, slot) => `put k${slot % 7} ${slot}`));
    apply(store, 'compact 1501');
    store.compactStep();
    const swept = store.compactedPhysically();
    t.ok(swept > 0);
    t.ok(swept < 1501);
    const hash = store.hash();
    await store.close();
    store = await openStore(place);
    t.equal(store.compactedPhysically(), swept);
    t.equal(store.hash(), hash);
    while (store.compactStep());
    t.equal(store.compactedPhysically(), 1501);
    t.equal(store.hash(), hash);
    await store.close();
  });

  t.test(`${home.name}: a restart knows what was applied`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    t.strictSame(store.applied(), {
      index: 0,
      term: 0,
      configuration: { voters: [], outgoing: [], learners: [] },
    });
    apply(store, 'put a 1', 'put b 1', 'del a', 'compact 3');
    account(store);
    const applied = store.applied();
    t.equal(store.durableApplied(), 0);
    await store.flush();
    t.equal(store.durableApplied(), 5);
    await store.close();
    store = await openStore(place);
    t.strictSame(store.applied(), applied);
    t.equal(store.durableApplied(), 5);
    t.equal(store.revision(), 4);
    t.equal(store.compactRevision(), 3);
    await store.close();
  });

  t.test(`${home.name}: a limit cuts what filters and an order leave`, async (t) => {
    const store = await openStore(await home.create(t));
    apply(store, 'put a 3', 'put b 1', 'put c 2', 'put b 9', 'put d 0', 'del d');
    const all = (more: Partial<RangeRequest>) => {
      const result = store.range(rangeOf('\0', '\0', more));
      if (typeof result === 'number') return showError(result);
      const keys = result.kvs.map((kv) => kv.key.toString()).join('');
      return `${keys} ${result.count}${result.more ? ' more' : ''}`;
    };
    const table: readonly [Partial<RangeRequest>, string][] = [
      [{}, 'abc 3'],
      [{ limit: 3 }, 'abc 3'],
      [{ limit: 2 }, 'ab 3 more'],
      [{ limit: -1 }, 'abc 3'],
      [{ sortOrder: SortOrder.Descend }, 'cba 3'],
      [{ sortOrder: SortOrder.Descend, limit: 1 }, 'c 3 more'],
      [{ sortOrder: SortOrder.Ascend, limit: 1 }, 'a 3 more'],
      [{ sortTarget: SortTarget.Mod }, 'acb 3'],
      [{ sortTarget: SortTarget.Mod, sortOrder: SortOrder.Descend, limit: 2 }, 'bc 3 more'],
      [{ sortTarget: SortTarget.Value, sortOrder: SortOrder.Ascend }, 'cab 3'],
      [{ sortTarget: SortTarget.Value, keysOnly: true }, 'cab 3'],
      [{ sortTarget: SortTarget.Version, sortOrder: SortOrder.Descend, limit: 1 }, 'b 3 more'],
      [{ sortTarget: SortTarget.Create, sortOrder: SortOrder.Descend }, 'cba 3'],
      [{ minModRevision: 4 }, 'bc 3'],
      [{ minModRevision: 4, limit: 1 }, 'b 3 more'],
      [{ maxModRevision: 4 }, 'ac 3'],
      [{ minCreateRevision: 3, maxCreateRevision: 3 }, 'b 3'],
      [{ minModRevision: 4, limit: 2 }, 'bc 3'],
      [{ countOnly: true, limit: 1 }, ' 3'],
      [{ countOnly: true, revision: 6 }, ' 4'],
      [{ revision: 6, limit: 3 }, 'abcd 4'.slice(0, 3).concat(' 4 more')],
      [{ revision: 6, sortOrder: SortOrder.Descend, limit: 2 }, 'dc 4 more'],
    ];
    for (const [request, expected] of table)
      t.equal(all(request), expected, JSON.stringify(request));
    await store.close();
  });

  t.test(`${home.name}: keys only has all but the value`, async (t) => {
    const store = await openStore(await home.create(t));
    apply(store, 'put a 1', 'put a 2');
    t.equal(read(store, 'a', '', { keysOnly: true }), '@3 count=1 [a= 2/3/2]');
    t.equal(read(store, 'a', '', { keysOnly: true, revision: 2 }), '@3 count=1 [a= 2/2/1]');
    await store.close();
  });

  t.test(`${home.name}: ranges follow the bytes of the keys`, async (t) => {
    const store = await openStore(await home.create(t));
    apply(store, 'put a 1', 'put a\0 2', 'put a\xff 3', 'put b 4', 'put \xff 5', 'put \0 6');
    const keys = (key: string, end: string) => {
      const result = store.range(rangeOf(key, end));
      return typeof result === 'number' ? [] : result.kvs.map((kv) => kv.key.toString('latin1'));
    };
    t.strictSame(keys('a', 'b'), ['a', 'a\0', 'a\xff']);
    t.strictSame(keys('a\x01', '\0'), ['a\xff', 'b', '\xff']);
    t.strictSame(keys('\0', '\0'), ['\0', 'a', 'a\0', 'a\xff', 'b', '\xff']);
    t.strictSame(keys('b', 'a'), []);
    t.strictSame(keys('b', 'b'), []);
    await store.close();
  });

  t.test(`${home.name}: an answer beyond its bytes is refused`, async (t) => {
    const store = await openStore(await home.create(t));
    for (let count = 0; count < 20; count += 1) apply(store, `put k${count} ${'v'.repeat(1000)}`);
    const ask = (more: Partial<RangeRequest>, bytesMax: number) =>
      showRange(store.range(rangeOf('k', 'l', more), bytesMax)).slice(0, 13);
    t.equal(ask({}, 10_000), 'ReplyTooLarge');
    t.equal(ask({ revision: 20 }, 10_000), 'ReplyTooLarge');
    t.equal(ask({}, 30_000), '@21 count=20 ');
    t.equal(ask({ limit: 5 }, 10_000), '@21 count=20 ');
    t.equal(ask({ keysOnly: true }, 10_000), '@21 count=20 ');
    t.equal(ask({ countOnly: true }, 0), '@21 count=20 ');
    t.equal(ask({ sortTarget: SortTarget.Value, keysOnly: true }, 10_000), 'ReplyTooLarge');
    await store.close();
  });
}

t.test('a read of the past visits few of the revisions of a key', async (t) => {
  let gets = 0;
  const memory = createMemoryHome();
  const counting = (map: ByteMap): ByteMap => ({
    ...map,
    get: (table, key) => {
      gets += 1;
      return map.get(table, key);
    },
  });
  const home: StoreHome = { ...memory, open: async () => counting(await memory.open()) };
  const store = await openStore(home);
  const puts = 3000;
  for (let count = 1; count <= puts; count += 1) apply(store, `put hot ${count}`);
  let most = 0;
  for (let revision = 2; revision <= puts + 1; revision += 1) {
    gets = 0;
    const expected = `@3001 count=1 [hot=${revision - 1} 2/${revision}/${revision - 1}]`;
    if (read(store, 'hot', '', { revision }) !== expected) t.fail(`revision ${revision} differs`);
    most = Math.max(most, gets);
  }
  const bits = Math.ceil(Math.log2(puts));
  t.ok(most <= (bits * (bits + 1)) / 2 + 2, `${most} records of ${puts} were read`);
  apply(store, 'compact 1000', 'put hot x', 'del hot', 'put hot y');
  while (store.compactStep());
  t.equal(read(store, 'hot', '', { revision: 1000 }), '@3004 count=1 [hot=999 2/1000/999]');
  t.equal(read(store, 'hot', '', { revision: 3003 }), '@3004 count=0 []');
  await store.close();
});

t.test('a flush is due by bytes or by time, and never twice at once', async (t) => {
  const store = await openStore(createMemoryHome());
  t.equal(store.flushIfDue(0), undefined, 'nothing to flush');
  apply(store, 'put a 1');
  t.equal(store.flushIfDue(1000), undefined, 'too young');
  t.equal(store.flushIfDue(1000 + FLUSH_MS - 1), undefined);
  const flush = store.flushIfDue(1000 + FLUSH_MS);
  t.not(flush, undefined);
  apply(store, `put b ${'v'.repeat(FLUSH_BYTES)}`);
  t.equal(store.flushIfDue(9000), undefined, 'one is in flight');
  await flush;
  t.equal(store.durableApplied(), 1);
  await store.flushIfDue(9000);
  t.equal(store.durableApplied(), 2, 'enough bytes are due at once');
  account(store);
  t.equal(store.flushIfDue(9000), undefined);
  await store.flushIfDue(9000 + FLUSH_MS);
  t.equal(store.durableApplied(), 3, 'a position without effects becomes durable too');
  await store.close();
});

t.test('a flush between effects and their position is caught', async (t) => {
  const store = await openStore(createMemoryHome());
  store.put(putOf('a', '1'));
  t.throws(() => store.flush(), /every effect belongs to an applied entry/);
  account(store);
  t.throws(
    () => store.setApplied({ index: 3, term: 1, configuration: CONFIGURATION }),
    /one by one/,
  );
  await store.close();
});

t.test('a crash of the disk in memory loses what no flush covers', async (t) => {
  const home = createMemoryHome();
  let store = await openStore(home);
  apply(store, 'put a 1');
  await store.flush();
  apply(store, 'put a 2');
  void store.flush();
  home.crash();
  store = await openStore(home);
  t.equal(read(store, 'a'), '@2 count=1 [a=1 2/2/1]', 'the flush in flight is lost too');
  t.equal(store.applied().index, 1);
  await store.close();
});
