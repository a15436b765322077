/** Watches that lag: full clients, old revisions, compactions, snapshots. */

import t from 'tap';
import { OpKind } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { deleteOf, putOf } from './store-requests.ts';
import { Listener, watchOf } from './watch-requests.ts';
import {
  apply,
  applyTogether,
  catchUp,
  openWatched,
  replace,
  sweep,
  write,
} from './watched-store.ts';

t.test('the pair before: none at a creation, none when it is compacted', async (t) => {
  for (const end of ['', 'b']) {
    const { store, listener, stream } = await openWatched();
    stream.create(1, watchOf('a', end, { prevKv: true }));
    write(store, 'put a 1', 'put a 2', 'del a', 'put a 3', 'put a 4', 'put a 5');
    const expected = [
      'put a=1 2/2/1',
      'put a=2 2/3/2 was a=1 2/2/1',
      'delete a 4 was a=2 2/3/2',
      'put a=3 5/5/1',
      'put a=4 5/6/2 was a=3 5/5/1',
      'put a=5 5/7/3 was a=4 5/6/2',
    ];
    t.strictSame(
      listener.take(),
      expected.map((line) => `1: ${line}`),
    );
    apply(store, 'compact 6');
    for (const isSwept of [false, true]) {
      if (isSwept) sweep(store);
      stream.cancel(2);
      stream.create(2, watchOf('a', end, { prevKv: true, startRevision: 6 }));
      catchUp(store);
      t.strictSame(listener.take(), ['2: put a=4 5/6/2', '2: put a=5 5/7/3 was a=4 5/6/2']);
    }
    await store.close();
  }
});

t.test('all watches are ended, wherever they are, step by step', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1', 'put b 1');
  const other = new Listener();
  const full = store.watches.open(other.sink);
  const count = 2_500;
  for (let id = 0; id < count; id += 1) stream.create(id, watchOf('a'));
  stream.create(count, watchOf('a', 'z', { startRevision: 1 }));
  stream.create(count + 1, watchOf('a', '', { startRevision: 1 }));
  other.isFull = true;
  full.create(7, watchOf('b'));
  write(store, 'put b 2');
  let synced = 0;
  full.whenInSync(() => {
    synced += 1;
  });
  t.equal(synced, 0, 'it is told nothing while it is full');

  let steps = 1;
  while (store.watches.endAll(ErrorCode.CorruptCluster)) steps += 1;
  t.equal(steps, 3);
  t.strictSame(store.watches.counts(), { streams: 2, watches: 0, lagging: 0 });
  t.strictSame(other.take(), ['7: CorruptCluster 0']);
  t.equal(synced, 1, 'nobody waits for it for ever');
  const lines = listener.take();
  t.equal(lines.length, count + 2);
  t.equal(lines.at(-1), `${count + 1}: CorruptCluster 0`);
  write(store, 'put a 3');
  catchUp(store);
  t.strictSame(listener.take(), []);
  t.equal(stream.create(1, watchOf('a')), 0, 'a new one is as good as any');
  write(store, 'put a 4');
  t.strictSame(listener.take(), ['1: put a=4 2/6/3']);
  await store.close();
});

t.test('the pair before is that of the revision before, not of an operation before', async (t) => {
  for (const end of ['', '\0']) {
    const { store, listener, stream } = await openWatched('put a 1');
    stream.create(1, watchOf('a', end, { prevKv: true }));
    const ops = [
      { kind: OpKind.DeleteRange, request: deleteOf('a', '\0') },
      { kind: OpKind.Put, request: putOf('a', '2') },
      { kind: OpKind.DeleteRange, request: deleteOf('a', '\0') },
    ] as const;
    applyTogether(store, ops);
    applyTogether(store, ops.slice(1));
    store.watches.notify();
    const expected = [
      ...['delete a 3 was a=1 2/2/1', 'put a=2 3/3/1', 'delete a 3 was a=1 2/2/1'],
      ...['put a=2 4/4/1', 'delete a 4'],
    ];
    t.strictSame(
      listener.take(),
      expected.map((line) => `1: ${line}`),
    );
    await store.close();
  }
});

t.test('a client that does not read is passed over, and catches up later', async (t) => {
  for (const end of ['', 'b']) {
    const { store, listener, stream } = await openWatched();
    const other = new Listener();
    store.watches.open(other.sink).create(1, watchOf('a', end));
    stream.create(1, watchOf('a', end));
    stream.create(2, watchOf('c', end === '' ? '' : 'd'));
    listener.isFullAfterNext = true;
    write(store, 'put a 1');
    write(store, 'put a 2');
    write(store, 'put a 3');
    t.notOk(store.watches.catchUp(), 'there is nothing to do for it');
    t.strictSame(listener.take(), ['1: put a=1 2/2/1']);
    t.strictSame(other.take().length, 3);
    stream.drained();
    catchUp(store);
    t.strictSame(listener.take(), [], 'it is still full');
    listener.isFull = false;
    listener.isFullAfterNext = false;
    stream.drained();
    write(store, 'put c 1', 'put a 4');
    catchUp(store);
    t.strictSame(listener.take().sort(), [
      '1: put a=2 2/3/2',
      '1: put a=3 2/4/3',
      '1: put a=4 2/6/4',
      '2: put c=1 5/5/1',
    ]);
    await store.close();
  }
});

t.test('a start below the compacted revision ends the watch; from it all is told', async (t) => {
  for (const end of ['', 'b']) {
    for (const isSwept of [false, true]) {
      const { store, listener, stream } = await openWatched(
        'put a 1',
        'put b 1',
        'put a 2',
        'put a 3',
      );
      apply(store, 'compact 4');
      if (isSwept) sweep(store);
      t.equal(stream.create(1, watchOf('a', end, { startRevision: 3 })), 0);
      t.equal(stream.create(2, watchOf('a', end, { startRevision: 4 })), 0);
      t.strictSame(listener.take(), []);
      catchUp(store);
      const expected = ['1: Compacted 4', '2: put a=2 2/4/2', '2: put a=3 2/5/3'];
      t.strictSame(listener.take().sort(), expected);
      t.equal(stream.count(), 1);
      t.notOk(stream.cancel(1));
      await store.close();
    }
  }
});

t.test('what the compacted revision itself deleted is told from there', async (t) => {
  for (const end of ['', 'c']) {
    const { store, listener, stream } = await openWatched('put a 1', 'put b 1', 'del a', 'put b 2');
    const told = (startRevision: number) => {
      stream.create(1, watchOf('a', end, { startRevision, noPut: end !== '' }));
      catchUp(store);
      stream.cancel(1);
      return listener.take();
    };
    apply(store, 'compact 4');
    sweep(store);
    t.equal(store.compactedPhysically(), 4);
    t.strictSame(told(4), ['1: delete a 4']);
    // Created anew, its chain still leads to the deletion.
    apply(store, 'put a 2', 'del a');
    t.strictSame(told(4).slice(0, 1), ['1: delete a 4']);
    t.strictSame(told(4).at(-1), '1: delete a 7');
    apply(store, 'compact 5');
    sweep(store);
    t.equal(store.compactedPhysically(), 5);
    t.strictSame(told(4), ['1: Compacted 5']);
    t.strictSame(told(5).at(-1), '1: delete a 7');
    await store.close();
  }
});

t.test('both changes of a key in the compacted revision are told from there', async (t) => {
  for (const end of ['', 'b']) {
    const { store, listener, stream } = await openWatched('put a 1');
    applyTogether(store, [
      { kind: OpKind.DeleteRange, request: deleteOf('a') },
      { kind: OpKind.Put, request: putOf('a', '2') },
    ]);
    apply(store, 'compact 3');
    sweep(store);
    apply(store, 'put a 3');
    stream.create(1, watchOf('a', end, { startRevision: 3 }));
    catchUp(store);
    t.strictSame(listener.take(), ['1: delete a 3', '1: put a=2 3/3/1', '1: put a=3 3/4/2']);
    apply(store, 'compact 4');
    sweep(store);
    t.equal(store.compactedPhysically(), 4);
    await store.close();
  }
});

t.test('a watch that lags behind a compaction ends when its client reads again', async (t) => {
  for (const end of ['', 'b']) {
    const { store, listener, stream } = await openWatched();
    stream.create(1, watchOf('a', end));
    listener.isFull = true;
    write(store, 'put a 1', 'put a 2', 'put a 3', 'compact 4');
    t.strictSame(listener.take(), []);
    listener.isFull = false;
    stream.drained();
    catchUp(store);
    t.strictSame(listener.take(), ['1: Compacted 4']);
    t.equal(stream.count(), 0);
    await store.close();
  }
});

t.test('no compaction comes between a watch in sync and what was applied', async (t) => {
  const { store, listener, stream } = await openWatched();
  stream.create(1, watchOf('a'));
  stream.create(2, watchOf('a', 'b'));
  apply(store, 'put a 1', 'put a 2', 'del a', 'put a 3', 'compact 5');
  sweep(store);
  store.watches.notify();
  t.equal(listener.take().length, 8);
  await store.close();
});

t.test('a watch in sync is known to be at once, a lagging one once it has caught up', async (t) => {
  const { store, listener, stream } = await openWatched('put a 1', 'put a 2');
  const said: string[] = [];
  const ask = (name: string) => stream.whenInSync((revision) => said.push(`${name} ${revision}`));
  ask('empty');
  stream.create(1, watchOf('a'));
  stream.create(2, watchOf('a', '', { startRevision: 9 }));
  ask('live and future');
  t.strictSame(said.splice(0), ['empty 3', 'live and future 3']);
  stream.create(3, watchOf('a', 'b', { startRevision: 1 }));
  stream.create(4, watchOf('a', '', { startRevision: 1 }));
  ask('lagging');
  t.strictSame(said, []);
  catchUp(store);
  t.strictSame(said.splice(0), ['lagging 3']);
  t.equal(listener.take().length, 4, 'events come before');
  listener.isFull = true;
  write(store, 'put a 3');
  ask('full');
  catchUp(store);
  t.strictSame(said, []);
  for (const id of [1, 3, 4]) stream.cancel(id);
  t.strictSame(said.splice(0), ['full 4'], 'none that lags is left');
  stream.create(5, watchOf('a', 'b', { startRevision: 1 }));
  ask('closed');
  stream.close();
  catchUp(store);
  t.strictSame(said, []);
  await store.close();
});

t.test('a snapshot brings what the watches missed, or ends them', async (t) => {
  for (const end of ['', 'b']) {
    const { store, listener, stream } = await openWatched('put a 1');
    const { store: ahead } = await openWatched('put a 1', 'put a 2', 'put a 3', 'put c 1');
    stream.create(1, watchOf('a', end));
    stream.create(2, watchOf('a', end, { startRevision: 4 }));
    stream.create(3, watchOf('a', end, { startRevision: 7 }));
    await replace(store, ahead);
    let inSync = 0;
    stream.whenInSync((revision) => {
      inSync = revision;
    });
    t.equal(inSync, 0);
    catchUp(store);
    t.equal(inSync, 5);
    t.strictSame(listener.take().sort(), [
      '1: put a=2 2/3/2',
      '1: put a=3 2/4/3',
      '2: put a=3 2/4/3',
    ]);
    apply(ahead, 'put a 4', 'put a 5', 'put a 6', 'compact 7');
    await replace(store, ahead);
    catchUp(store);
    t.strictSame(listener.take().sort(), [
      '1: Compacted 7',
      '2: Compacted 7',
      '3: put a=5 2/7/5',
      '3: put a=6 2/8/6',
    ]);
    write(store, 'put a 7');
    t.strictSame(listener.take(), ['3: put a=7 2/9/7']);
    await store.close();
    await ahead.close();
  }
});
