/** Watches while a large deletion is under way: who waits for it, and who does not. */

import t, { type Test } from 'tap';
import type { Store, WatchStream } from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { STORE_LIMITS } from '../../src/kvstore/store-state.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf } from './store-requests.ts';
import { Listener, watchOf } from './watch-requests.ts';
import { account, catchUp } from './watched-store.ts';

/** So small that four keys make a large deletion of four steps. */
const LIMITS = { ...STORE_LIMITS, deleteAtOnceKeysMax: 2, deleteStepKeysMax: 1 };

type Stage = {
  readonly store: Store;
  readonly listener: Listener;
  readonly stream: WatchStream;
  /** Applies an entry and lets the watches hear of it. */
  readonly apply: (...entries: readonly (() => unknown)[]) => void;
  readonly put: (key: string, lease?: bigint) => () => unknown;
};

/** A store with a1, b1 to b4 and c1 at revisions 2 to 7; b1, b2 and b4 hang on a lease. */
async function createStage(t: Test): Promise<Stage> {
  const store = await openStore(createMemoryHome(), LIMITS);
  t.teardown(() => store.close());
  const listener = new Listener();
  const stream = store.watches.open(listener.sink);
  const apply = (...entries: readonly (() => unknown)[]): void => {
    for (const entry of entries) {
      entry();
      account(store);
    }
    store.watches.notify();
    catchUp(store);
  };
  const put =
    (key: string, lease = 0n) =>
    () =>
      store.put(putOf(key, 'v', { lease }));
  apply(
    () => store.leaseGrant({ id: 1n, ttlSeconds: 60 }),
    put('a1'),
    ...[put('b1', 1n), put('b2', 1n), put('b3'), put('b4', 1n)],
    put('c1'),
  );
  return { store, listener, stream, apply, put };
}

/** Carries out what is under way. */
function finish({ store }: Stage): void {
  while (store.deletions.step());
  store.watches.notify();
  catchUp(store);
}

t.test('a deletion is told when it is whole, before what comes later', async (t) => {
  const stage = await createStage(t);
  const { store, stream, listener, apply, put } = stage;
  stream.create(1, watchOf('b2'));
  stream.create(2, watchOf('b1', 'b3'));
  stream.create(3, watchOf('\0', '\0'));
  apply(() => store.deleteRange(deleteOf('b', 'c')), put('c1'));
  t.equal(store.deletions.count(), 1);
  for (let step = 0; step < 3; step += 1) {
    store.deletions.step();
    store.watches.notify();
    catchUp(store);
    t.strictSame(listener.take(), [], `after step ${step}`);
  }
  finish(stage);
  const told = listener.take();
  t.strictSame(
    told.filter((line) => line.startsWith('1')),
    ['1: delete b2 8'],
  );
  t.strictSame(
    told.filter((line) => line.startsWith('2')),
    ['2: delete b1 8', '2: delete b2 8'],
  );
  t.strictSame(
    told.filter((line) => line.startsWith('3')),
    [...['b1', 'b2', 'b3', 'b4'].map((key) => `3: delete ${key} 8`), '3: put c1=v 7/9/2'],
  );
  apply(put('b2'));
  t.equal(listener.take().length, 3, 'all are in sync again');
});

for (const [name, deletion] of [
  ['a range', (store: Store) => store.deleteRange(deleteOf('b', 'c'))],
  ['the keys of a lease', (store: Store) => store.leaseRevoke({ id: 1n })],
] as const) {
  t.test(`watches of other keys do not wait for the deletion of ${name}`, async (t) => {
    const stage = await createStage(t);
    const { store, stream, listener, apply, put } = stage;
    stream.create(1, watchOf('c1'));
    stream.create(2, watchOf('c', 'd'));
    stream.create(3, watchOf('a', 'b'));
    stream.create(4, watchOf('c1', '', { startRevision: 2 }));
    apply();
    listener.take();
    apply(() => deletion(store), put('c1'), put('a1'));
    const told = ['1: put c1=v 7/9/2', '2: put c1=v 7/9/2', '3: put a1=v 2/10/2'];
    t.strictSame(listener.take().sort(), [...told, '4: put c1=v 7/9/2']);
    t.ok(store.deletions.count() > 0);
    finish(stage);
    t.strictSame(listener.take(), []);
  });
}

t.test('a watch of a key of no lease does not wait for that between them', async (t) => {
  const stage = await createStage(t);
  const { store, stream, listener, apply, put } = stage;
  stream.create(1, watchOf('b3'));
  stream.create(2, watchOf('b2'));
  apply(() => store.leaseRevoke({ id: 1n }), put('b3'));
  t.strictSame(listener.take(), ['1: put b3=v 5/9/2']);
  finish(stage);
  t.strictSame(listener.take(), ['2: delete b2 8']);
});

t.test('a watch begun meanwhile is told the past, the deletion, and what follows', async (t) => {
  const stage = await createStage(t);
  const { store, stream, listener, apply, put } = stage;
  apply(() => store.deleteRange(deleteOf('b', 'c')), put('c1'), put('c1'));
  store.deletions.step();
  stream.create(1, watchOf('b4', '', { startRevision: 2 }));
  stream.create(2, watchOf('b1', '', { startRevision: 2 }));
  stream.create(3, watchOf('b', 'd', { startRevision: 6 }));
  stream.create(4, watchOf('b4', '', { startRevision: 9 }));
  stream.create(5, watchOf('b', 'd', { startRevision: 9 }));
  stream.create(6, watchOf('b', 'c'));
  apply();
  const isOf = (id: number) => (line: string) => line.startsWith(`${id}:`);
  const before = listener.take();
  t.strictSame(before.filter(isOf(1)), ['1: put b4=v 6/6/1 lease=1']);
  t.strictSame(before.filter(isOf(3)), ['3: put b4=v 6/6/1 lease=1', '3: put c1=v 7/7/1']);
  t.strictSame(before.filter(isOf(4)), []);
  finish(stage);
  const told = [...before, ...listener.take()];
  t.strictSame(told.filter(isOf(2)), ['2: put b1=v 3/3/1 lease=1', '2: delete b1 8']);
  t.strictSame(told.filter(isOf(1)).slice(1), ['1: delete b4 8']);
  const later = ['put c1=v 7/9/2', 'put c1=v 7/10/3'];
  const deleted = ['delete b1 8', 'delete b2 8', 'delete b3 8', 'delete b4 8'];
  t.strictSame(
    told.filter(isOf(3)).slice(2),
    [...deleted, ...later].map((line) => `3: ${line}`),
  );
  t.strictSame(told.filter(isOf(4)), []);
  t.strictSame(
    told.filter(isOf(5)),
    later.map((line) => `5: ${line}`),
  );
  t.strictSame(told.filter(isOf(6)), []);
  apply(put('b4'));
  t.strictSame(
    listener.take().sort(),
    [1, 3, 4, 5, 6].map((id) => `${id}: put b4=v 11/11/1`),
  );
});

t.test('a stream with a watch that waits is not in sync', async (t) => {
  const stage = await createStage(t);
  const { store, stream, apply } = stage;
  stream.create(1, watchOf('b2'));
  apply(() => store.deleteRange(deleteOf('b', 'c')));
  let inSync = 0;
  stream.whenInSync((revision) => {
    inSync = revision;
  });
  t.equal(inSync, 0);
  finish(stage);
  t.equal(inSync, 8);
});

t.test('a compaction meanwhile ends no watch that was in sync', async (t) => {
  const stage = await createStage(t);
  const { store, stream, listener, apply, put } = stage;
  stream.create(1, watchOf('b', 'c'));
  apply(() => store.deleteRange(deleteOf('b', 'c')), put('c1'));
  apply(() => store.compact({ revision: 9, physical: false }));
  while (store.deletions.step());
  while (store.compactStep()) store.watches.catchUp();
  catchUp(store);
  t.strictSame(
    listener.take(),
    ['b1', 'b2', 'b3', 'b4'].map((key) => `1: delete ${key} 8`),
  );
  t.equal(store.compactedPhysically(), 9);
});

t.test('thousands of watches are sorted out in steps, and all are told', async (t) => {
  const stage = await createStage(t);
  const { store, stream, listener, apply, put } = stage;
  const watchers = 2_500;
  for (let id = 0; id < watchers; id += 1) {
    stream.create(id, id % 2 === 0 ? watchOf('b2') : watchOf('b2', `b3${id}`));
  }
  for (let id = 0; id < 9_000; id += 1) stream.create(watchers + id, watchOf(`a${id}`));
  store.deleteRange(deleteOf('b', 'c'));
  account(store);
  put('a1')();
  account(store);
  store.watches.notify();
  t.strictSame(listener.take(), [], 'not in one step');
  const steps = catchUp(store);
  t.ok(steps > 3, `in ${steps} steps`);
  t.strictSame(listener.take(), [`${watchers + 1}: put a1=v 2/9/2`]);
  finish(stage);
  t.equal(new Set(listener.take()).size, watchers + watchers / 2, 'ranges are told of b3 too');
  apply(put('b2'));
  t.equal(listener.take().length, watchers);
});
