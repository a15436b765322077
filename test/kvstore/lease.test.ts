/** The rules of leases, one by one, on both kinds of map. */

import t from 'tap';
import { KEY_BYTES_MAX, type Lease, type Store } from '../../include/kvstore.ts';
import { TABLE_KEY_BYTES_MAX } from '../../src/kvstore/lease-table.ts';
import { LMDB_KEY_BYTES_MAX } from '../../src/kvstore/lmdb-base.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, LEASES, putOf, rangeOf, showAnswer, showRange } from './store-requests.ts';

/** Applies an entry; its answer as text. */
function apply(store: Store, run: (store: Store) => unknown): string {
  const answer = showAnswer(run(store));
  const configuration = { voters: [0], outgoing: [], learners: [] };
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration });
  return answer;
}

function grant(store: Store, id: bigint, ttlSeconds = 60): string {
  return apply(store, () => store.leaseGrant({ id, ttlSeconds }));
}

function put(store: Store, key: string, lease: bigint, more: object = {}): string {
  return apply(store, () => store.put(putOf(key, 'v', { lease, ...more })));
}

function revoke(store: Store, id: bigint): string {
  return apply(store, () => store.leaseRevoke({ id }));
}

function keysOf(store: Store, id: bigint): string {
  return store.leaseKeys(id).join(' ');
}

function idsOf(store: Store): bigint[] {
  const ids: bigint[] = [];
  store.visitLeases(({ id }) => ids.push(id));
  return ids.sort();
}

for (const home of HOMES) {
  t.test(`${home.name}: a lease is granted once, and makes no revision`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    for (const id of LEASES) t.equal(grant(store, id), `{id:${id}n revision:1 ttlSeconds:60}`);
    t.equal(grant(store, -1n), 'LeaseExists');
    t.equal(store.lease(3n), undefined);
    t.strictSame(idsOf(store), [...LEASES].sort());
    const expected: Lease = { id: 2n, ttlSeconds: 60, remainingSeconds: 0, grantIndex: 2 };
    t.strictSame(store.lease(2n), expected);
    await store.close();
    store = await openStore(place);
    t.strictSame(store.lease(2n), expected, 'a restart knows it');
    t.strictSame(idsOf(store), [...LEASES].sort());
    await store.close();
  });

  t.test(`${home.name}: keys hang on the lease of their last put`, async (t) => {
    const store = await openStore(await home.create(t));
    t.equal(put(store, 'a', 1n), 'LeaseNotFound');
    grant(store, 1n);
    grant(store, 2n);
    put(store, 'b', 1n);
    put(store, 'a', 1n);
    t.equal(keysOf(store, 1n), 'a b', 'in key order');
    t.equal(showRange(store.range(rangeOf('a'))), '@3 count=1 [a=v 3/3/1 lease=1]');
    put(store, 'a', 2n);
    t.equal(keysOf(store, 1n), 'b');
    t.equal(keysOf(store, 2n), 'a');
    put(store, 'a', 0n, { ignoreLease: true });
    t.equal(keysOf(store, 2n), 'a', 'the lease is kept');
    put(store, 'a', 0n);
    t.equal(keysOf(store, 2n), '', 'a put without a lease takes it off');
    apply(store, () => store.deleteRange(deleteOf('b')));
    t.equal(keysOf(store, 1n), '', 'so does its deletion');
    await store.close();
  });

  t.test(`${home.name}: a revocation deletes its keys in one revision`, async (t) => {
    const store = await openStore(await home.create(t));
    grant(store, 1n);
    for (const key of ['c', 'a', 'b']) put(store, key, 1n);
    put(store, 'd', 0n);
    t.equal(revoke(store, 2n), 'LeaseNotFound');
    t.equal(revoke(store, 1n), '{revision:6}');
    t.equal(showRange(store.range(rangeOf('a', 'z'))), '@6 count=1 [d=v 5/5/1]');
    t.equal(store.lease(1n), undefined);
    t.equal(revoke(store, 1n), 'LeaseNotFound');
    grant(store, 1n);
    t.equal(keysOf(store, 1n), '', 'a lease of the same id starts without keys');
    t.equal(revoke(store, 1n), '{revision:6}', 'without keys there is no revision');
    await store.close();
  });

  t.test(`${home.name}: what ran out ends, unless it was granted anew`, async (t) => {
    const store = await openStore(await home.create(t));
    for (const id of [1n, 2n, 3n, 4n]) grant(store, id);
    for (const id of [1n, 2n, 3n]) put(store, `of-${id}`, id);
    revoke(store, 2n);
    grant(store, 2n);
    put(store, 'of-2', 2n);
    const leases = [1n, 2n, 3n, 4n, 9n].map((id) => ({ id, grantIndex: Number(id) }));
    apply(store, () => store.expire({ leases, sessions: [] }));
    t.strictSame(idsOf(store), [2n]);
    t.equal(store.revision(), 8, 'each lease with keys makes a revision');
    t.equal(showRange(store.range(rangeOf('o', 'p'))), '@8 count=1 [of-2=v 6/6/1 lease=2]');
    const before = showRange(store.range(rangeOf('o', 'p', { revision: 7 })));
    t.match(before, /count=2 .*of-2.*of-3/, 'one after the other');
    await store.close();
  });

  t.test(`${home.name}: a checkpoint says what is left, until the next`, async (t) => {
    const store = await openStore(await home.create(t));
    grant(store, 1n);
    const left = (remainingSeconds: number) => {
      const checkpoints = [1n, 5n].map((id) => ({ id, remainingSeconds }));
      apply(store, () => store.leaseCheckpoint({ checkpoints }));
      return store.lease(1n)?.remainingSeconds;
    };
    t.equal(left(40), 40);
    t.equal(left(0), 0);
    t.equal(store.lease(5n), undefined, 'a checkpoint grants nothing');
    await store.close();
  });

  t.test(`${home.name}: the longest key hangs on a lease`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    grant(store, -1n);
    const longest = '\xff'.repeat(KEY_BYTES_MAX);
    put(store, longest, -1n);
    await store.close();
    store = await openStore(place);
    t.strictSame(store.leaseKeys(-1n), [Buffer.from(longest, 'latin1')]);
    revoke(store, -1n);
    t.match(store.range(rangeOf('\0', '\0')), { count: 0 });
    await store.close();
  });
}

t.test('the keys of every table are short enough for LMDB', (t) => {
  t.ok(TABLE_KEY_BYTES_MAX <= LMDB_KEY_BYTES_MAX);
  t.end();
});

t.test('a grant that was not made ready to be applied is caught', async (t) => {
  const store = await openStore(createMemoryHome());
  t.throws(() => store.leaseGrant({ id: 0n, ttlSeconds: 5 }), /id of a lease is chosen/);
  t.throws(() => store.leaseGrant({ id: 1n, ttlSeconds: 0 }), /at least a second/);
  await store.close();
});
