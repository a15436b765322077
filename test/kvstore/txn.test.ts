/** The rules of transactions, one by one. */

import t from 'tap';
import {
  CompareResult,
  CompareTarget,
  type Store,
  TXN_ANSWER_BYTES_MAX,
  type TxnOp,
  type TxnRequest,
} from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createMemoryHome } from './memory-base.ts';
import {
  compareOf,
  delOp,
  putOf,
  putOp,
  rangeOf,
  rangeOp,
  showAnswer,
  showError,
  showTxn,
  txnOf,
  txnOp,
} from './store-requests.ts';

const { Equal, Greater, Less, NotEqual } = CompareResult;
const { Version, Create, Mod, Value, Lease } = CompareTarget;

function account(store: Store): void {
  const configuration = { voters: [0], outgoing: [], learners: [] };
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration });
}

/** Applies a transaction; its answer as text. */
function apply(store: Store, request: TxnRequest): string {
  const result = store.txn(request);
  account(store);
  return typeof result === 'number' ? showError(result) : showTxn(result);
}

function put(store: Store, key: string, value: string, lease = 0n): void {
  store.put(putOf(key, value, { lease }));
  account(store);
}

/** A store with a=1 put twice, b=2 on lease 7, revision 4. */
async function openFilled(home = createMemoryHome()): Promise<Store> {
  const store = await openStore(home);
  store.leaseGrant({ id: 7n, ttlSeconds: 60 });
  account(store);
  put(store, 'a', '0');
  put(store, 'a', '1');
  put(store, 'b', '2', 7n);
  return store;
}

t.test('all writes of a transaction share a revision, and reads see them', async (t) => {
  const store = await openFilled();
  const ops: TxnOp[] = [
    rangeOp('a'),
    putOp('a', '3', { prevKv: true }),
    putOp('c', '4'),
    rangeOp('a', 'z'),
    delOp('b', '', true),
    rangeOp('a', 'z', { countOnly: true }),
  ];
  t.strictSame(apply(store, txnOf([], ops)).split('; '), [
    '@5 succeeded',
    'range 1 [a=1 2/3/2]',
    'put a=1 2/3/2',
    'put',
    'range 3 [a=3 2/5/3, b=2 4/4/1 lease=7, c=4 5/5/1]',
    'delete 1 [b=2 4/4/1 lease=7]',
    'range 2 []',
  ]);
  t.equal(store.revision(), 5);
  await store.close();
});

t.test('a read of an old revision in a transaction sees nothing of it', async (t) => {
  const store = await openFilled();
  const ops = [putOp('a', 'x'), putOp('n', 'x'), rangeOp('a', 'z', { revision: 4 })];
  const answer = apply(store, txnOf([], ops));
  t.equal(answer, '@5 succeeded; put; put; range 2 [a=1 2/3/2, b=2 4/4/1 lease=7]');
  await store.close();
});

t.test('without a change there is no revision', async (t) => {
  const store = await openFilled();
  t.equal(apply(store, txnOf()), '@4 succeeded');
  t.equal(
    apply(store, txnOf([], [delOp('x'), rangeOp('x')])),
    '@4 succeeded; delete 0 []; range 0 []',
  );
  t.equal(apply(store, txnOf([], [txnOp()])), '@4 succeeded; (@4 succeeded)');
  await store.close();
});

t.test('compares look at what a key has', async (t) => {
  const store = await openFilled();
  const holds = (...compare: Parameters<typeof compareOf>): boolean => {
    const result = store.readTxn(txnOf([compareOf(...compare)]));
    return typeof result !== 'number' && result.succeeded;
  };
  const table: readonly [boolean, ...Parameters<typeof compareOf>][] = [
    [true, 'a', Version, Equal, 2],
    [false, 'a', Version, NotEqual, 2],
    [true, 'a', Version, Greater, 1],
    [false, 'a', Version, Greater, 2],
    [true, 'a', Version, Less, 3],
    [true, 'a', Version, Greater, -1],
    [true, 'a', Create, Equal, 2],
    [true, 'a', Mod, Equal, 3],
    [true, 'a', Value, Equal, '1'],
    [true, 'a', Value, Less, '10'],
    [false, 'a', Value, Greater, '1'],
    [true, 'b', Lease, Equal, 7n],
    [true, 'b', Lease, Greater, -7n],
    [true, 'a', Lease, Equal, 0n],
    [true, 'none', Version, Equal, 0],
    [true, 'none', Create, Equal, 0],
    [true, 'none', Mod, Less, 1],
    [true, 'none', Lease, Equal, 0n],
    [false, 'none', Value, Equal, ''],
    [false, 'none', Value, NotEqual, 'x'],
    [true, 'a', Version, Greater, 0, 'c'],
    [false, 'a', Version, Equal, 2, 'c'],
    [true, 'a', Value, Less, '3', '\0'],
    [true, 'c', Version, Equal, 0, 'd'],
    [false, 'c', Value, NotEqual, 'x', 'd'],
  ];
  for (const [expected, ...compare] of table) {
    t.equal(holds(...compare), expected, showAnswer(compare));
  }
  await store.close();
});

t.test('all compares must hold, else the other branch runs', async (t) => {
  const store = await openFilled();
  const good = compareOf('a', Value, Equal, '1');
  const bad = compareOf('b', Value, Equal, '1');
  const branches = [[putOp('s', '')], [putOp('f', '')]] as const;
  t.equal(apply(store, txnOf([good, bad], ...branches)), '@5 failed; put');
  t.equal(apply(store, txnOf([good, good], ...branches)), '@6 succeeded; put');
  const all = store.range(rangeOf('f', 't', { keysOnly: true }));
  t.match(all, { kvs: [{ key: Buffer.from('f') }, { key: Buffer.from('s') }] });
  await store.close();
});

t.test('nested compares see the state before the transaction', async (t) => {
  const store = await openFilled();
  const isNew = compareOf('n', Create, Equal, 0);
  const nested = txnOp([isNew], [putOp('seen', 'before')], [putOp('seen', 'after')]);
  t.equal(
    apply(store, txnOf([], [putOp('n'), nested, rangeOp('seen')])),
    '@5 succeeded; put; (@5 succeeded; put); range 1 [seen=before 5/5/1]',
  );
  await store.close();
});

t.test('a refusal on the branch taken leaves nothing behind', async (t) => {
  const store = await openFilled();
  store.compact({ revision: 3, physical: false });
  account(store);
  const hash = store.hash();
  const table: readonly [TxnOp, string][] = [
    [putOp('x', '1', { lease: 8n }), 'LeaseNotFound'],
    [putOp('x', '', { ignoreValue: true }), 'KeyNotFound'],
    [putOp('x', '1', { ignoreLease: true }), 'KeyNotFound'],
    [putOp('x', '', { ignoreValue: true, lease: 8n }), 'KeyNotFound'],
    [rangeOp('a', '', { revision: 5 }), 'FutureRevision'],
    [rangeOp('a', '', { revision: 2 }), 'Compacted'],
    [rangeOp('a', '', { revision: -1 }), 'Compacted'],
  ];
  for (const [op, expected] of table) {
    t.equal(apply(store, txnOf([], [putOp('a', 'no'), op])), expected);
    t.equal(apply(store, txnOf([], [putOp('a', 'no'), txnOp([], [txnOp([], [op])])])), expected);
    t.equal(store.hash(), hash, 'nothing was applied');
    t.equal(store.revision(), 4);
  }
  const notTaken = txnOf([], [rangeOp('b')], [putOp('x', '1', { lease: 8n })]);
  t.equal(apply(store, notTaken), '@4 succeeded; range 1 [b=2 4/4/1 lease=7]');
  const both = [rangeOp('a', '', { revision: 9 }), putOp('x', '1', { lease: 8n })];
  t.equal(apply(store, txnOf([], both)), 'LeaseNotFound', 'puts are checked before ranges');
  await store.close();
});

t.test('what a deletion from a key on has deleted cannot be kept', async (t) => {
  const store = await openFilled();
  const keep = putOp('b', '', { ignoreValue: true });
  t.equal(apply(store, txnOf([], [delOp('a', '\0'), keep])), 'KeyNotFound');
  t.equal(apply(store, txnOf([], [delOp('a', '\0'), txnOp([], [keep])])), 'KeyNotFound');
  t.equal(apply(store, txnOf([], [delOp('c', '\0'), keep])), '@5 succeeded; delete 0 []; put');
  t.equal(apply(store, txnOf([], [keep, delOp('a', '\0')])), '@6 succeeded; put; delete 2 []');
  await store.close();
});

t.test('a key deleted and put in one transaction is created anew', async (t) => {
  const store = await openFilled();
  const ops = [delOp('\0', '\0'), putOp('a', '9'), rangeOp('\0', '\0')];
  const answer = '@5 succeeded; delete 2 []; put; range 1 [a=9 5/5/1]';
  t.equal(apply(store, txnOf([], ops)), answer);
  const before = store.range(rangeOf('a', 'c', { revision: 4 }));
  t.match(before, { count: 2 });
  store.compact({ revision: 5, physical: false });
  account(store);
  while (store.compactStep());
  t.match(store.range(rangeOf('a', 'c', { revision: 5 })), { count: 1, kvs: [{ version: 1 }] });
  t.strictSame(store.leaseKeys(7n), [], 'deleted keys hang on nothing');
  await store.close();
});

t.test('a transaction that only reads is bounded by what it may answer', async (t) => {
  const store = await openFilled();
  put(store, 'large', 'v'.repeat(1000));
  const reads = txnOf([], [rangeOp('large'), txnOp([], [rangeOp('large'), rangeOp('a')])]);
  const ask = (bytesMax: number) => {
    const result = store.readTxn(reads, bytesMax);
    return typeof result === 'number' ? showError(result) : result.results.length;
  };
  t.equal(ask(2000), 'ReplyTooLarge');
  t.equal(ask(3000), 2);
  t.match(store.readTxn(txnOf([], [rangeOp('a', '', { revision: 99 })])), 36);
  t.equal(store.applied().index, 5, 'a read is no entry');
  await store.close();
});

t.test('a transaction whose answer is too large takes effect all the same', async (t) => {
  const store = await openStore(createMemoryHome());
  const value = 'v'.repeat(1024 * 1024);
  put(store, 'large', value);
  const reads = Array.from({ length: TXN_ANSWER_BYTES_MAX / value.length }, () => rangeOp('large'));
  t.equal(apply(store, txnOf([], [...reads, putOp('done', '1')])), 'AnswerForgotten');
  t.match(store.range(rangeOf('done')), { count: 1 });
  t.match(apply(store, txnOf([], [...reads.slice(1), putOp('done', '2')])), /^@4 succeeded/);
  await store.close();
});

t.test('a read of what is compacted ends a transaction alike on every member', async (t) => {
  const home = createMemoryHome();
  const eager = await openFilled();
  const lazy = await openFilled();
  const restarted = await openFilled(home);
  for (const store of [eager, lazy, restarted]) {
    store.compact({ revision: 3, physical: false });
    account(store);
  }
  while (eager.compactStep());
  await restarted.flush();
  home.crash();

  const members = [eager, lazy, await openStore(home)];
  for (const revision of [2, 3, 4, 5]) {
    const request = txnOf([], [putOp('c', `${revision}`), rangeOp('a', '', { revision })]);
    const answers = members.map((store) => apply(store, request));
    t.equal(new Set(answers).size, 1, `as of ${revision}: ${answers.join(' | ')}`);
    t.equal(new Set(members.map((store) => store.hash())).size, 1, `as of ${revision}: one state`);
  }
  t.equal(members[0]?.revision(), 7, 'three of them wrote');
});
