/** Long histories and large revisions: told in pieces, order and wholeness kept. */

import t from 'tap';
import {
  CATCH_UP_COHORTS_MAX,
  CATCH_UP_STEP_REVISIONS_MAX,
  OpKind,
  type TxnOp,
  WATCH_BATCH_BYTES,
  WATCH_BATCH_EVENTS_MAX,
} from '../../include/kvstore.ts';
import { putOf } from './store-requests.ts';
import { type Listener, watchOf } from './watch-requests.ts';
import { apply, applyTogether, catchUp, openWatched } from './watched-store.ts';

t.test('catching up tells whole revisions, WATCH_BATCH_EVENTS_MAX events at a time', async (t) => {
  const { store, listener, stream } = await openWatched();
  for (let round = 0; round < 30; round += 1) {
    const ops = Array.from({ length: 100 }, (_, slot): TxnOp => {
      return { kind: OpKind.Put, request: putOf(`k${slot}`, `${round}`) };
    });
    applyTogether(store, ops);
  }
  stream.create(1, watchOf('k', 'l', { startRevision: 1 }));
  catchUp(store);
  t.equal(listener.lines.length, 3000);
  for (const { events, isFragment } of listener.batches) {
    t.notOk(isFragment);
    t.equal(events.length, WATCH_BATCH_EVENTS_MAX);
  }
  await store.close();
});

/** How many events the batches of a watch have, fragments put together. */
function wholeCounts(listener: Listener, watchId: number): number[] {
  const counts: number[] = [];
  let count = 0;
  for (const { events, isFragment } of listener.batchesOf(watchId)) {
    count += events.length;
    if (isFragment) continue;
    counts.push(count);
    count = 0;
  }
  return counts;
}

t.test('a revision of more than WATCH_BATCH_BYTES comes in fragments', async (t) => {
  const value = 'v'.repeat(WATCH_BATCH_BYTES / 4);
  const ops = Array.from({ length: 10 }, (_, slot): TxnOp => {
    return { kind: OpKind.Put, request: putOf(`k${slot}`, value) };
  });
  for (const startRevision of [0, 1]) {
    const { store, listener, stream } = await openWatched();
    stream.create(1, watchOf('k', 'l', { startRevision }));
    apply(store, 'put k 1');
    applyTogether(store, ops);
    apply(store, 'put k 2');
    store.watches.notify();
    catchUp(store);
    t.strictSame(wholeCounts(listener, 1), [1, 10, 1]);
    t.equal(listener.batches.length, 6);
    for (const { events } of listener.batches) {
      const bytes = events.reduce((sum, { kv }) => sum + kv.key.length + kv.value.length, 0);
      t.ok(bytes <= WATCH_BATCH_BYTES);
    }
    await store.close();
  }
});

t.test('a revision too large for one step is told in several', async (t) => {
  const count = 5 * CATCH_UP_STEP_REVISIONS_MAX;
  const keys = Array.from({ length: count }, (_, slot) => `k${String(slot).padStart(5, '0')}`);
  for (const startRevision of [0, 2]) {
    const { store, listener, stream } = await openWatched();
    for (const key of keys) apply(store, `put ${key} 1`);
    store.watches.notify();
    stream.create(1, watchOf('k', 'l', { startRevision, noPut: true, prevKv: true }));
    stream.create(2, watchOf('k', 'k00010', { startRevision, noPut: true }));
    stream.create(3, watchOf('k00007', '', { startRevision, noPut: true }));
    apply(store, 'del k l');
    store.watches.notify();
    if (startRevision === 0) t.ok(listener.lines.length < count, 'not all of it in one turn');
    catchUp(store);
    for (const [id, own] of [
      [1, count],
      [2, 10],
      [3, 1],
    ] as const) {
      t.strictSame(wholeCounts(listener, id), [own]);
    }
    const mine = listener.lines.filter((line) => line.startsWith('1:'));
    t.strictSame(
      mine.map((line) => line.split(' ')[2]),
      keys,
    );
    await store.close();
  }
});

t.test('a client that fills up within a revision goes on within it', async (t) => {
  const count = 6 * CATCH_UP_STEP_REVISIONS_MAX;
  const keys = Array.from({ length: count }, (_, slot) => `k${String(slot).padStart(5, '0')}`);
  for (const own of [count, count / 2 + 500]) {
    const { store, listener, stream } = await openWatched();
    for (const key of keys) apply(store, `put ${key} 1`);
    store.watches.notify();
    stream.create(1, watchOf('k', keys[own] ?? 'l'));
    listener.isFullAfterNext = true;
    apply(store, 'del k l', 'put k 2');
    store.watches.notify();
    catchUp(store);
    t.equal(listener.batches.length, 1);
    t.ok(listener.batches[0]?.isFragment);
    while (listener.isFull) {
      listener.isFull = false;
      stream.drained();
      catchUp(store);
    }
    t.strictSame(wholeCounts(listener, 1), [own, 1]);
    t.equal(new Set(listener.lines).size, own + 1);
    await store.close();
  }
});

t.test('the history of one key is read without reading everybody else’s', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1');
  for (let round = 0; round < 20_000; round += 1) apply(store, `put b${round % 100} ${round}`);
  apply(store, 'put a 2', 'del a');
  store.watches.notify();
  stream.create(1, watchOf('a', '', { startRevision: 1 }));
  stream.create(2, watchOf('nobody', '', { startRevision: 1 }));
  t.equal(catchUp(store), 1, 'in one step');
  t.equal(listener.take().length, 3);
  stream.create(3, watchOf('a', 'aa', { startRevision: 1 }));
  t.ok(catchUp(store) > 10);
  t.equal(listener.take().length, 3);
  await store.close();
});

t.test('the long history of one key comes in pieces, oldest first', async (t) => {
  const { store, listener, stream } = await openWatched();
  const large = 'v'.repeat(100_000);
  for (let round = 0; round < 3000; round += 1) {
    apply(store, `put a ${round % 100 === 7 ? large : round}`);
    if (round === 100) apply(store, 'compact 50');
  }
  for (const startRevision of [50, 51, 64, 1000, 2999, 3001]) {
    stream.create(1, watchOf('a', '', { startRevision, prevKv: true }));
    catchUp(store);
    const revisions = listener.batches.flatMap(({ events }) => events.map((e) => e.kv.modRevision));
    const expected = Array.from({ length: 3002 - startRevision }, (_, at) => startRevision + at);
    t.strictSame(revisions, expected);
    stream.cancel(1);
    listener.take();
  }
  await store.close();
});

t.test('more starts than are read from at once are all told everything', async (t) => {
  const { store, listener, stream } = await openWatched();
  const distance = CATCH_UP_STEP_REVISIONS_MAX + 500;
  const starts = Array.from({ length: 2 * CATCH_UP_COHORTS_MAX }, (_, at) => 2 + at * distance);
  const count = starts.length * distance;
  for (let round = 0; round < count; round += 1) apply(store, `put a${round % 100} ${round}`);
  store.watches.notify();
  // Each is behind all that came before it, so that none can join another.
  for (const startRevision of starts.toReversed()) {
    stream.create(startRevision, watchOf('a', 'b', { startRevision }));
  }
  catchUp(store);
  for (const start of starts) {
    const told = listener.batchesOf(start).flatMap(({ events }) => events);
    t.equal(told.length, count + 2 - start);
    t.equal(told[0]?.kv.modRevision, start);
  }
  await store.close();
});
