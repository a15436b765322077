/** Snapshots: out of one store, into another, while both go on; damage; what is left behind. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type ByteMap,
  KEY_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES,
  type Store,
  Table,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { encodeRevisionKey } from '../../src/kvstore/key-record.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { ALL_PAIRS } from '../../src/kvstore/pair-cursor.ts';
import { SnapshotSummary } from '../../src/kvstore/snapshot-summary.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { loadState, saveState } from '../../src/kvstore/store-state.ts';
import { createRandom } from '../../src/random.ts';
import { HOMES, temporaryDirectory } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf, rangeOf, showRange } from './store-requests.ts';

const CONFIGURATION = { voters: [0, 1, 2], outgoing: [1], learners: [9] };

function account(store: Store): void {
  store.setApplied({ index: store.applied().index + 1, term: 4, configuration: CONFIGURATION });
}

/** Fills a store with history: values of all sizes, deletions, a compaction half removed. */
function fill(store: Store): void {
  const random = createRandom(5);
  for (let count = 0; count < 2000; count += 1) {
    const size = count === 1000 ? 1_500_000 : random.below(600);
    store.put(putOf(`k${random.below(400)}`, 'v'.repeat(size)));
    account(store);
  }
  store.deleteRange(deleteOf('k1', 'k2'));
  account(store);
  store.sessionOpen({ ttlSeconds: 60 });
  account(store);
  const session = store.applied().index;
  for (let count = 1; count <= 400; count += 1) {
    if (count % 100 === 1) {
      store.leaseGrant({ id: BigInt(count), ttlSeconds: 60 });
      account(store);
    }
    const lease = BigInt(count - (count % 100) + 1);
    const key = count === 7 ? 'l'.repeat(KEY_BYTES_MAX) : `k${random.below(400)}`;
    const mark = { session, sequence: count, acknowledged: Math.max(0, count - 300) };
    store.once(mark, () => store.put(putOf(key, 'v'.repeat(400), { lease, prevKv: true })));
    account(store);
  }
  store.compact({ revision: 900, physical: false });
  account(store);
  store.compactStep();
}

async function readAll(store: Store): Promise<Buffer[]> {
  const reader = await store.exportSnapshot();
  const chunks: Buffer[] = [];
  for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) chunks.push(chunk);
  reader.close();
  return chunks;
}

for (const home of HOMES) {
  t.test(`${home.name}: a snapshot makes another store the same`, async (t) => {
    const source = await openStore(await home.create(t));
    fill(source);
    const hash = source.hash();
    const reader = await source.exportSnapshot();
    t.strictSame(reader.applied, source.applied());

    const target = await openStore(await home.create(t));
    target.put(putOf('old', 'x'));
    account(target);
    const writer = await target.importSnapshot();
    let largest = 0;
    let count = 0;
    for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) {
      largest = Math.max(largest, chunk.length);
      // The view does not move, and the target serves meanwhile.
      source.put(putOf('k1', `later ${count}`));
      account(source);
      if (count % 3 === 0) await source.flush();
      count += 1;
      await writer.write(chunk);
      t.equal(showRange(target.range(rangeOf('old'))), '@2 count=1 [old=x 2/2/1]');
    }
    reader.close();
    t.ok(count > 5);
    t.equal(largest, SNAPSHOT_CHUNK_BYTES);
    const applied = await writer.finish();
    t.strictSame(applied, reader.applied);
    t.equal(target.applied().index, 1, 'not in use before it is installed');
    await target.installSnapshot();
    t.strictSame(target.applied(), applied);
    t.equal(target.durableApplied(), applied.index);
    t.equal(target.hash(), hash);
    while (target.compactStep());
    t.equal(target.hash(), hash);
    t.strictSame(target.lease(201n), { ...target.lease(1n), id: 201n, grantIndex: 2205 });
    t.equal(target.leaseKeys(1n).at(-1)?.length, KEY_BYTES_MAX);
    const id = 2002;
    const again = target.once({ session: id, sequence: 399, acknowledged: 0 }, () => 36);
    t.match(again, { prevKv: Object }, 'a write that comes again gets its first answer');
    const given = target.once({ session: id, sequence: 100, acknowledged: 0 }, () => 36);
    t.equal(given, ErrorCode.AnswerGiven);
    account(target);
    target.put(putOf('new', 'y'));
    account(target);
    await source.close();
    await target.close();
  });

  t.test(
    `${home.name}: an installed snapshot survives a restart, an abandoned one is gone`,
    async (t) => {
      const source = await openStore(await home.create(t));
      fill(source);
      const chunks = await readAll(source);
      const place = await home.create(t);
      let target = await openStore(place);
      const given = await target.importSnapshot();
      await given.write(Buffer.from(chunks[0]!));
      await given.abort();
      const replaced = await target.importSnapshot();
      await replaced.write(Buffer.from(chunks[0]!));
      const writer = await target.importSnapshot();
      for (const chunk of chunks) await writer.write(Buffer.from(chunk));
      await writer.finish();
      await target.installSnapshot();
      await target.close();
      target = await openStore(place);
      t.equal(target.hash(), source.hash());
      const unfinished = await target.importSnapshot();
      await unfinished.write(Buffer.from(chunks[0]!));
      await target.close();
      target = await openStore(place);
      t.equal(target.hash(), source.hash());
      await target.close();
      await source.close();
    },
  );
}

t.test('a snapshot may be cut into chunks anywhere', async (t) => {
  const source = await openStore(createMemoryHome());
  for (let count = 0; count < 5; count += 1) {
    source.put(putOf(`k${count}`, 'v'.repeat(count * 3)));
    account(source);
  }
  const bytes = Buffer.concat(await readAll(source));
  for (let chunkBytes = 1; chunkBytes <= 70; chunkBytes += 1) {
    const target = await openStore(createMemoryHome());
    const writer = await target.importSnapshot();
    for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
      await writer.write(Buffer.from(bytes.subarray(offset, offset + chunkBytes)));
    }
    await writer.finish();
    await target.installSnapshot();
    if (target.hash() !== source.hash()) t.fail(`chunks of ${chunkBytes} bytes differ`);
  }
  t.pass('all sizes of chunks');
});

t.test('a damaged snapshot is never taken', async (t) => {
  const source = await openStore(createMemoryHome());
  for (let count = 0; count < 5; count += 1) {
    source.put(putOf(`k${count}`, 'value'));
    account(source);
  }
  const bytes = Buffer.concat(await readAll(source));
  const take = async (damaged: Buffer) => {
    const target = await openStore(createMemoryHome());
    const writer = await target.importSnapshot();
    await writer.write(damaged);
    await writer.finish();
  };
  await take(Buffer.from(bytes));
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const flipped = Buffer.from(bytes);
    flipped[offset] = flipped[offset]! ^ 0x11;
    await t.rejects(take(flipped), { name: 'KvorumError' }, `byte ${offset} flipped`);
    const cut = Buffer.from(bytes.subarray(0, offset));
    await t.rejects(take(cut), { name: 'KvorumError' }, `cut at ${offset}`);
  }
  const longer = Buffer.concat([bytes, Buffer.from([0])]);
  await t.rejects(take(longer), /bytes follow its end/);
});

/** A store at revision 8, whose state says 5. */
async function behindItself(spoil: (map: ByteMap) => void = () => {}): Promise<Store> {
  const home = createMemoryHome();
  const store = await openStore(home);
  for (const key of ['x', 'x', 'x', 'x', 'k', 'x', 'k']) {
    store.put(putOf(key, 'v'));
    account(store);
  }
  await store.close();
  const map = await home.open();
  spoil(map);
  const state = loadState(map, 'of the test');
  state.revision = 5;
  state.keyCount = map.count(Table.Keys, ALL_PAIRS);
  saveState(state);
  await map.flush();
  await map.close();
  return openStore(home);
}

const K = Buffer.from('k');
const NEWEST = encodeRevisionKey(8, 0);

/** Each leaves revision 8 in one table only. */
const LATER: Readonly<Record<string, (map: ByteMap) => void>> = {
  revisions: (map) => map.delete(Table.Keys, K),
  keys: (map) => map.delete(Table.Revisions, NEWEST),
  'deleted keys': (map) => {
    map.put(Table.Tombstones, K, map.get(Table.Keys, K)!);
    map.delete(Table.Keys, K);
    map.delete(Table.Revisions, NEWEST);
  },
};

for (const [where, spoil] of Object.entries(LATER)) {
  t.test(`a snapshot whose ${where} are later than its state is refused`, async (t) => {
    const source = await behindItself(spoil);
    const bytes = Buffer.concat(await readAll(source));
    const target = await openStore(createMemoryHome());
    const writer = await target.importSnapshot();
    await writer.write(Buffer.from(bytes));
    await t.rejects(writer.finish(), /it has revision 8 and says 5/);
    const summary = new SnapshotSummary();
    summary.write(Buffer.from(bytes));
    t.throws(() => summary.finish(), /it has revision 8 and says 5/);
  });
}

t.test('a revision is not written over one that it would lead to', async (t) => {
  const store = await behindItself();
  // It would be 6, and lead to 8: a read of the past went from one to the other for ever.
  t.throws(() => store.put(putOf('k', 'v')), /a revision leads to older ones/);
});

t.test('an empty store has a snapshot too', async (t) => {
  const source = await openStore(createMemoryHome());
  const target = await openStore(createMemoryHome());
  const writer = await target.importSnapshot();
  for (const chunk of await readAll(source)) await writer.write(chunk);
  t.equal((await writer.finish()).index, 0);
  await target.installSnapshot();
  t.equal(target.revision(), 1);
});

t.test('a reader of a store that was replaced is closed, not wrong', async (t) => {
  const source = await openStore(createMemoryHome());
  fill(source);
  const target = await openStore(createLmdbHome(await temporaryDirectory(t)));
  const reader = await target.exportSnapshot();
  const writer = await target.importSnapshot();
  for (const chunk of await readAll(source)) await writer.write(chunk);
  await writer.finish();
  await target.installSnapshot();
  t.throws(() => reader.next(), /the snapshot is closed/);
  reader.close();
  await target.close();
});

t.test('nothing of a received snapshot stays beside the store', async (t) => {
  const directory = await temporaryDirectory(t);
  const target = await openStore(createLmdbHome(directory));
  const writer = await target.importSnapshot();
  const source = await openStore(createMemoryHome());
  fill(source);
  for (const chunk of await readAll(source)) await writer.write(chunk);
  await writer.finish();
  t.ok(existsSync(join(directory, 'store.incoming')));
  await target.installSnapshot();
  t.notOk(existsSync(join(directory, 'store.incoming')));
  await target.close();
});
