/** The rules of watches, one by one. */

import t from 'tap';
import { KEY_BYTES_MAX, OpKind, STREAM_WATCHES_MAX } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { deleteOf, putOf } from './store-requests.ts';
import { Listener, watchOf } from './watch-requests.ts';
import { apply, applyTogether, catchUp, openWatched, write } from './watched-store.ts';

t.test('a watch is told of its key, range, prefix, or all from a key on', async (t) => {
  const { store, listener, stream } = await openWatched('put a 0');
  const watches = [
    watchOf('b'),
    watchOf('b', 'd'),
    watchOf('c', '\0'),
    watchOf('', '\0'),
    watchOf('bb', 'bc'),
    watchOf(''),
  ];
  watches.forEach((request, id) => {
    t.equal(stream.create(id, request), 0);
  });
  t.equal(stream.count(), 6);
  t.strictSame(listener.take(), [], 'nothing of what was before');
  const toldOf = (line: string) => {
    write(store, line);
    return listener
      .take()
      .map((text) => text[0])
      .sort();
  };
  t.strictSame(toldOf('put a 1'), ['3']);
  t.strictSame(toldOf('put b 1'), ['0', '1', '3']);
  t.strictSame(toldOf('put bb 1'), ['1', '3', '4']);
  t.strictSame(toldOf('put bbb 1'), ['1', '3', '4']);
  t.strictSame(toldOf('put bc 1'), ['1', '3']);
  t.strictSame(toldOf('put c 1'), ['1', '2', '3']);
  t.strictSame(toldOf('put d 1'), ['2', '3']);
  t.strictSame(toldOf('del b'), ['0', '1', '3']);
  t.strictSame(toldOf('put \xff 1'), ['2', '3']);
  t.strictSame(toldOf('put \0 1'), ['3', '5'], 'an empty key is the smallest there is');
  await store.close();
});

t.test('events come by revision, then in the order of the operations, all at once', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1', 'put b 1', 'put d 1');
  stream.create(7, watchOf('a', 'z'));
  applyTogether(store, [
    { kind: OpKind.Put, request: putOf('c', '2') },
    { kind: OpKind.DeleteRange, request: deleteOf('a', 'c') },
    { kind: OpKind.Put, request: putOf('e', '2') },
  ]);
  apply(store, 'put a 3');
  store.watches.notify();
  t.equal(listener.batches.length, 1);
  t.equal(listener.batches[0]?.revision, 6);
  t.equal(listener.batches[0]?.isFragment, false);
  t.strictSame(listener.take(), [
    '7: put c=2 5/5/1',
    '7: delete a 5',
    '7: delete b 5',
    '7: put e=2 5/5/1',
    '7: put a=3 6/6/1',
  ]);
  await store.close();
});

t.test(
  'a watch from an old revision is told all since, then goes on without a repeat',
  async (t) => {
    for (const end of ['', 'b']) {
      const { store, listener, stream } = await openWatched(
        'put a 1',
        'put b 1',
        'put a 2',
        'del a',
      );
      stream.create(1, watchOf('a', end, { startRevision: 3 }));
      t.strictSame(listener.take(), [], 'events never come from within create');
      write(store, 'put a 3');
      catchUp(store);
      t.strictSame(listener.take(), ['1: put a=2 2/4/2', '1: delete a 5', '1: put a=3 6/6/1']);
      write(store, 'put a 4');
      catchUp(store);
      t.strictSame(listener.take(), ['1: put a=4 6/7/2']);
      await store.close();
    }
  },
);

t.test('a watch that starts in the future is told nothing before', async (t) => {
  for (const end of ['', 'b']) {
    const { store, listener, stream } = await openWatched();
    stream.create(1, watchOf('a', end, { startRevision: 5, progressNotify: true }));
    stream.create(2, watchOf('a', end));
    write(store, 'put a 2', 'put a 3');
    store.watches.tellProgress();
    write(store, 'put a 4', 'put a 5', 'put a 6');
    const lines = listener.take();
    t.strictSame(
      lines.filter((line) => line.startsWith('1')),
      ['1: put a=5 2/5/4', '1: put a=6 2/6/5'],
    );
    t.equal(lines.length, 7);
    t.notOk(store.watches.catchUp());
    await store.close();
  }
});

t.test('a negative start is an old one', async (t) => {
  for (const end of ['', 'b']) {
    for (const startRevision of [-1, -7]) {
      const { store, listener, stream } = await openWatched('put a 1');
      stream.create(1, watchOf('a', end, { startRevision }));
      catchUp(store);
      t.strictSame(listener.take(), ['1: put a=1 2/2/1']);
      apply(store, 'compact 2');
      stream.create(2, watchOf('a', end, { startRevision }));
      catchUp(store);
      t.strictSame(listener.take(), ['2: Compacted 2']);
      await store.close();
    }
  }
});

t.test('filters leave out puts or deletions; what is left empty is not sent', async (t) => {
  for (const startRevision of [0, 1]) {
    const { store, listener, stream } = await openWatched();
    stream.create(1, watchOf('a', '', { startRevision, noPut: true }));
    stream.create(2, watchOf('a', 'b', { startRevision, noDelete: true }));
    stream.create(3, watchOf('a', 'b', { startRevision, noDelete: true, noPut: true }));
    write(store, 'put a 1', 'del a', 'put a 2');
    catchUp(store);
    t.strictSame(listener.lines.sort(), ['1: delete a 3', '2: put a=1 2/2/1', '2: put a=2 4/4/1']);
    t.equal(listener.batches.length, 2);
    await store.close();
  }
});

t.test('what cannot be watched is refused, and nothing changes', async (t) => {
  const { store, listener, stream } = await openWatched();
  const long = 'k'.repeat(KEY_BYTES_MAX + 1);
  t.equal(stream.create(1, watchOf('a')), 0);
  t.equal(stream.create(1, watchOf('b')), ErrorCode.WatchExists);
  t.equal(stream.create(2, watchOf('b', 'b')), ErrorCode.WatchRangeEmpty);
  t.equal(stream.create(2, watchOf('b', 'a')), ErrorCode.WatchRangeEmpty);
  t.equal(stream.create(2, watchOf(long, '\0', { startRevision: 1 })), 0);
  t.equal(stream.create(3, watchOf(`${long}k`)), ErrorCode.KeyTooLong);
  t.equal(stream.create(3, watchOf('a', `${long}k`)), ErrorCode.KeyTooLong);
  t.equal(stream.create(3, watchOf(long, '', { startRevision: 1 })), 0, 'no such key can be');
  t.equal(stream.count(), 3);
  write(store, 'put a 1', 'put b 1');
  catchUp(store);
  t.strictSame(listener.take(), ['1: put a=1 2/2/1']);
  await store.close();
});

t.test('a stream has STREAM_WATCHES_MAX watches, not one more', async (t) => {
  const { store, stream } = await openWatched();
  const request = watchOf('a', '', { startRevision: 10 });
  let refused = 0;
  for (let id = 1; id < STREAM_WATCHES_MAX; id += 1) refused += stream.create(id, request);
  t.equal(refused, 0);
  t.equal(stream.create(0, request), 0);
  t.equal(stream.create(-1, request), ErrorCode.TooManyWatches);
  t.ok(stream.cancel(5));
  t.equal(stream.create(-1, request), 0);
  t.equal(stream.count(), STREAM_WATCHES_MAX);
  stream.close();
  t.equal(stream.count(), 0);
  catchUp(store);
  await store.close();
});

t.test('watches with equal keys and options share a batch, whatever their stream', async (t) => {
  const { store, listener, stream } = await openWatched();
  const other = new Listener();
  const otherStream = store.watches.open(other.sink);
  for (const end of ['', 'b']) {
    stream.create(end.length * 10, watchOf('a', end));
    stream.create(end.length * 10 + 1, watchOf('a', end));
    otherStream.create(end.length, watchOf('a', end));
  }
  stream.create(50, watchOf('a', '', { prevKv: true }));
  write(store, 'put a 1');
  const batches = new Set([...listener.batches, ...other.batches]);
  t.equal(listener.batches.length + other.batches.length, 7);
  t.equal(batches.size, 3);
  await store.close();
});

t.test('progress is told to those who asked, are in sync, and had no news', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1');
  stream.create(1, watchOf('a', '', { progressNotify: true }));
  stream.create(2, watchOf('b', '', { progressNotify: true }));
  stream.create(3, watchOf('b'));
  stream.create(4, watchOf('a', '', { progressNotify: true, startRevision: 1 }));
  write(store, 'put a 2');
  listener.take();
  store.watches.tellProgress();
  t.strictSame(listener.take(), ['2: progress 3']);
  catchUp(store);
  listener.take();
  store.watches.tellProgress();
  t.strictSame(listener.take(), ['1: progress 3', '2: progress 3']);
  store.watches.tellProgress();
  t.strictSame(listener.take().length, 3);
  stream.cancel(1);
  listener.isFull = true;
  store.watches.tellProgress();
  t.strictSame(listener.take(), []);
  await store.close();
});

t.test('many notes of progress are told in steps, each watch once', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1');
  const ids = Array.from({ length: 5000 }, (_, id) => id);
  for (const id of ids) stream.create(id, watchOf('a', '', { progressNotify: true }));
  store.watches.tellProgress();
  t.ok(listener.lines.length < ids.length);
  stream.cancel(4999);
  catchUp(store);
  const expected = ids.slice(0, -1).map((id) => `${id}: progress 2`);
  t.strictSame(listener.take(), expected);
  await store.close();
});

t.test('a watch that is cancelled or closed hears no more', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1');
  stream.create(1, watchOf('a'));
  stream.create(2, watchOf('a', 'b', { startRevision: 1 }));
  stream.create(3, watchOf('a', '', { startRevision: 1 }));
  t.ok(stream.cancel(1));
  t.notOk(stream.cancel(1));
  t.ok(stream.cancel(2));
  stream.close();
  write(store, 'put a 2');
  catchUp(store);
  t.strictSame(listener.take(), []);
  t.notOk(stream.cancel(3));
  await store.close();
});

t.test('a closed stream of many watches is forgotten in steps, and hears no more', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1');
  for (let id = 0; id < 10_000; id += 1) stream.create(id, watchOf('a', id % 2 === 0 ? '' : 'b'));
  stream.close();
  write(store, 'put a 2');
  t.strictSame(listener.take(), []);
  t.ok(catchUp(store) > 5);
  await store.close();
});
