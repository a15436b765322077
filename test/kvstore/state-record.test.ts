/** The record of a store's state, which may come from another node: damaged ones are refused. */

import t from 'tap';
import { StoreError, Table } from '../../include/kvstore.ts';
import { decodeDeletions, encodeDeletions } from '../../src/kvstore/deletion-record.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { loadState, STORE_LIMITS, saveState } from '../../src/kvstore/store-state.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf } from './store-requests.ts';

const STATE_KEY = Buffer.from('state');

const deletion = {
  main: 7,
  from: Buffer.from('a'),
  to: Buffer.from('z'),
  lease: 0n,
  compactRevision: 3,
  hasPrevKvs: true,
  session: 0,
  sequence: 0,
  next: Buffer.from('k'),
  sub: 9,
  prevKvs: undefined,
  prevBytes: 0,
};

t.test('deletions are read as they were written, and no part of their bytes is', async (t) => {
  const bytes = encodeDeletions([deletion, { ...deletion, to: undefined }]);
  t.strictSame(decodeDeletions(bytes), [deletion, { ...deletion, to: undefined }]);
  for (let end = 0; end < bytes.length; end += 1) {
    t.equal(decodeDeletions(bytes.subarray(0, end)), undefined, `cut at ${end}`);
  }
  t.equal(decodeDeletions(Buffer.concat([bytes, Buffer.alloc(1)])), undefined);
});

t.test('a count of deletions that are not there is refused before it is believed', async (t) => {
  t.equal(decodeDeletions(Buffer.from('ffffffff', 'hex')), undefined);
});

t.test('a state that is cut anywhere is refused with a remedy', async (t) => {
  const home = createMemoryHome();
  const store = await openStore(home);
  store.put(putOf('a', '1'));
  const configuration = { voters: [0], outgoing: [], learners: [] };
  store.setApplied({ index: 1, term: 1, configuration });
  await store.close();
  const map = await home.open();
  const state = map.get(Table.Meta, STATE_KEY)!;
  for (let end = 0; end < state.length; end += 1) {
    map.put(Table.Meta, STATE_KEY, state.subarray(0, end));
    t.throws(() => loadState(map, 'of the test'), StoreError, `cut at ${end}`);
  }
  t.doesNotThrow(() => {
    map.put(Table.Meta, STATE_KEY, state);
    loadState(map, 'of the test');
  });
  await map.close();
});

t.test('a deletion under way that is newer than the state is refused', async (t) => {
  const home = createMemoryHome();
  const store = await openStore(home, { ...STORE_LIMITS, deleteAtOnceKeysMax: 1 });
  const configuration = { voters: [0], outgoing: [], learners: [] };
  for (const key of ['a', 'b', 'c']) store.put(putOf(key, '1'));
  store.deleteRange(deleteOf('a', 'd'));
  store.setApplied({ index: 1, term: 1, configuration });
  await store.close();
  const map = await home.open();
  const state = loadState(map, 'of the test');
  t.match(state, { revision: 5, deletions: [{ main: 5 }] });
  state.revision = 4;
  saveState(state);
  t.throws(() => loadState(map, 'of the test'), StoreError);
  await map.close();
});

t.test('a table of sessions that is cut anywhere is refused', async (t) => {
  const home = createMemoryHome();
  const store = await openStore(home);
  const configuration = { voters: [0], outgoing: [], learners: [] };
  store.sessionOpen({ ttlSeconds: 60 });
  store.setApplied({ index: 1, term: 1, configuration });
  store.once({ session: 1, sequence: 1, acknowledged: 0 }, () => store.put(putOf('a', '1')));
  store.setApplied({ index: 2, term: 1, configuration });
  await store.close();
  const map = await home.open();
  const pairs: (readonly [Buffer, Buffer])[] = [];
  map.scan(Table.Sessions, { from: Buffer.of(0), to: undefined, reverse: false }, (key, value) => {
    pairs.push([key, value]);
    return true;
  });
  t.equal(pairs.length, 2, 'the session, and a block of answers');
  for (const [key, value] of pairs) {
    // A block of no answers is one.
    const isBlock = key.length > 8;
    for (let end = isBlock ? 1 : 0; end < value.length; end += 1) {
      map.put(Table.Sessions, key, value.subarray(0, end));
      t.throws(() => loadState(map, 'of the test'), StoreError, `cut at ${end}`);
    }
    map.put(Table.Sessions, key, value);
  }
  t.doesNotThrow(() => loadState(map, 'of the test'));
  map.put(Table.Sessions, Buffer.from('short'), Buffer.alloc(24));
  t.throws(() => loadState(map, 'of the test'), StoreError);
  await map.close();
});

t.test('a record of alarms that is cut is refused', async (t) => {
  const map = await createMemoryHome().open();
  map.put(Table.Meta, Buffer.from('alarms'), Buffer.alloc(4));
  t.throws(() => loadState(map, 'of the test'), StoreError);
  await map.close();
});

t.test('a state whose numbers no counter reaches is refused', async (t) => {
  const home = createMemoryHome();
  const store = await openStore(home);
  store.put(putOf('a', '1'));
  store.sessionOpen({ ttlSeconds: 60 });
  store.setApplied({
    index: 1,
    term: 1,
    configuration: { voters: [0], outgoing: [], learners: [] },
  });
  await store.close();
  const map = await home.open();
  const state = map.get(Table.Meta, STATE_KEY)!;
  for (const offset of [4, 12, 20, 32, 40, 48, 56]) {
    const spoilt = Buffer.from(state);
    spoilt.writeUInt32BE(0x20_0000, offset);
    map.put(Table.Meta, STATE_KEY, spoilt);
    t.throws(() => loadState(map, 'of the test'), StoreError, `a counter at ${offset}`);
  }
  map.put(Table.Meta, STATE_KEY, state);

  const session = Buffer.alloc(8);
  session[7] = 1;
  const head = Buffer.from(map.get(Table.Sessions, session)!);
  head.writeUInt32BE(0x20_0000, 8);
  map.put(Table.Sessions, session, head);
  t.throws(() => loadState(map, 'of the test'), StoreError, 'of a session');
  await map.close();

  const bytes = encodeDeletions([deletion]);
  bytes.writeUInt32BE(0x20_0000, 4);
  t.equal(decodeDeletions(bytes), undefined, 'of a deletion');
});
