/** Deletions of many keys: gone at once, removed step by step. */

import t, { type Test } from 'tap';
import {
  CompareResult,
  CompareTarget,
  DELETE_ANSWER_BYTES_MAX,
  DELETE_AT_ONCE_KEYS_MAX,
  NO_RANGE_END,
  SortOrder,
  SortTarget,
  type Store,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { STORE_LIMITS } from '../../src/kvstore/store-state.ts';
import { createMemoryHome } from './memory-base.ts';
import {
  compareOf,
  deleteOf,
  putOf,
  rangeOf,
  showAnswer,
  showRange,
  txnOf,
} from './store-requests.ts';
import { account } from './watched-store.ts';

/** So small that few keys make large deletions. */
const SMALL = { deleteAtOnceKeysMax: 2, deleteStepKeysMax: 1, readVisitsMax: 1_000 };

/** Two stores on which the same is applied: one deletes in steps, one at once. */
class Pair {
  readonly steps: Store;
  readonly atOnce: Store;

  constructor(steps: Store, atOnce: Store) {
    this.steps = steps;
    this.atOnce = atOnce;
  }

  apply(...entries: readonly ((store: Store) => unknown)[]): void {
    for (const entry of entries) {
      for (const store of [this.steps, this.atOnce]) {
        entry(store);
        account(store);
      }
    }
  }

  static async open(t: Test): Promise<Pair> {
    const pair = new Pair(
      await openStore(createMemoryHome(), SMALL),
      await openStore(createMemoryHome(), STORE_LIMITS),
    );
    t.teardown(async () => {
      await pair.steps.close();
      await pair.atOnce.close();
    });
    return pair;
  }
}

const put =
  (key: string, lease = 0n) =>
  (store: Store) =>
    store.put(putOf(key, 'v', { lease }));
const grant = (id: bigint) => (store: Store) => store.leaseGrant({ id, ttlSeconds: 60 });
const remove = (from: string, to: string) => (store: Store) =>
  store.deleteRange(deleteOf(from, to));
const revoke = (id: bigint) => (store: Store) => store.leaseRevoke({ id });

const LATEST_FIRST = { sortTarget: SortTarget.Mod, sortOrder: SortOrder.Descend };

/** All that can be asked of a store that bears on its keys, as text. */
function look(store: Store): string {
  const lines: string[] = [];
  for (const revision of [0, store.revision() - 1, store.revision()]) {
    for (const more of [{}, { countOnly: true }, { limit: 2 }, LATEST_FIRST]) {
      for (const [from, to] of [
        ['\0', '\0'],
        ['a', 'c'],
        ['b2', 'b4'],
        ['b2', ''],
        ['c', '\0'],
      ]) {
        lines.push(showRange(store.range(rangeOf(from!, to, { revision, ...more }))));
      }
    }
  }
  for (const [from, to] of [
    ['b2', ''],
    ['a', 'c'],
    ['b1', 'b2'],
  ] as const) {
    const exists = compareOf(from, CompareTarget.Version, CompareResult.Greater, 0, to);
    lines.push(showAnswer(store.readTxn(txnOf([exists]))));
  }
  for (const id of [1n, 2n]) {
    lines.push(showAnswer([store.lease(id), store.leaseKeys(id).map(String)]));
  }
  return lines.join('\n');
}

const KEYS = [put('a1'), put('a2', 2n), put('b1', 1n), put('b2', 1n), put('b3', 2n), put('b4', 1n)];

const deletions = [
  ['a range', remove('b', 'c')],
  ['everything', remove('\0', '\0')],
  ['what hangs on a lease', revoke(1n)],
] as const;
for (const [name, deletion] of deletions) {
  t.test(`of ${name}: whoever looks sees it whole after each step`, async (t) => {
    const pair = await Pair.open(t);
    pair.apply(grant(1n), grant(2n), ...KEYS, put('c1'), put('d1'), deletion);
    t.equal(pair.steps.deletions.count(), 1);
    t.ok(pair.steps.deletions.has(pair.steps.revision()));
    let steps = 0;
    for (let hasMore = true; hasMore; steps += 1) {
      t.equal(look(pair.steps), look(pair.atOnce), `after ${steps} steps`);
      // What is written elsewhere meanwhile is seen too.
      if (name !== 'everything') pair.apply(put('c2'), put('d1'));
      hasMore = pair.steps.deletions.step();
    }
    t.ok(steps > 3);
    t.equal(look(pair.steps), look(pair.atOnce));
    t.equal(pair.steps.hash(), pair.atOnce.hash());
  });
}

t.test('what is compacted meanwhile is removed when the deletion has ended', async (t) => {
  const pair = await Pair.open(t);
  pair.apply(grant(1n), grant(2n), ...KEYS, ...KEYS, remove('b', 'c'), put('c1'));
  pair.steps.deletions.step();
  const revision = pair.steps.revision();
  pair.apply((store) => store.compact({ revision, physical: false }));
  t.equal(pair.steps.compactStep(), false, 'not before');
  t.not(pair.steps.compactedPhysically(), revision);
  while (pair.steps.deletions.step());
  for (const store of [pair.steps, pair.atOnce]) while (store.compactStep());
  t.equal(pair.steps.compactedPhysically(), revision);
  t.equal(pair.steps.hash(), pair.atOnce.hash());
  t.equal(look(pair.steps), look(pair.atOnce));
});

t.test('what would write keys of a deletion under way must wait for it', async (t) => {
  const store = await openStore(createMemoryHome(), SMALL);
  t.teardown(() => store.close());
  for (const entry of [grant(1n), grant(2n), grant(3n), ...KEYS, put('x1', 3n)]) {
    entry(store);
    account(store);
  }
  const touches = (from: string, to = ''): boolean =>
    store.deletions.touches({
      key: Buffer.from(from),
      rangeEnd: to === '' ? NO_RANGE_END : Buffer.from(to),
    });
  remove('b', 'c')(store);
  account(store);
  const writes = [
    ['b2', '', true],
    ['b9', '', true],
    ['a1', '', false],
    ['c', '', false],
    ['a', 'b', false],
    ['a', 'b1', true],
    ['bz', 'd', true],
    ['c', 'd', false],
    ['a', '\0', true],
  ] as const;
  for (const [from, to, expected] of writes) t.equal(touches(from, to), expected, `${from} ${to}`);
  t.ok(store.deletions.touchesLease(1n), 'keys of the range hang on it');
  t.ok(store.deletions.touchesLease(2n));
  t.notOk(store.deletions.touchesLease(3n));
  while (store.deletions.step());
  t.notOk(touches('b2'));

  for (const entry of [put('b1', 1n), put('b5', 1n), put('b7', 1n), put('b6'), revoke(1n)]) {
    entry(store);
    account(store);
  }
  t.ok(touches('b1'));
  t.notOk(touches('b6'), 'it hangs on no lease');
  t.notOk(touches('b8'), 'nothing is there');
  t.ok(touches('a', 'c'));
  t.notOk(touches('b6', 'b7'));
  t.ok(store.deletions.touchesLease(1n), 'it would be granted anew');
  t.notOk(store.deletions.touchesLease(2n));
  store.deletions.step();
  t.notOk(touches('b1'), 'it is removed');
  t.ok(touches('b7'));
});

t.test('the answer comes when the deletion has ended', async (t) => {
  const store = await openStore(createMemoryHome(), SMALL);
  t.teardown(() => store.close());
  for (const key of ['a', 'b', 'c']) {
    put(key)(store);
    account(store);
  }
  const begun = store.deleteRange(deleteOf('a', 'd', true));
  account(store);
  const revision = store.revision();
  t.strictSame(begun, { revision, isUnderWay: true });
  t.strictSame(store.deletions.takeEnded(), []);
  while (store.deletions.step());
  const [ended] = store.deletions.takeEnded();
  t.match(ended, { revision, answer: { revision, deleted: 3 } });
  t.match(ended?.answer, { prevKvs: ['a', 'b', 'c'].map((key) => ({ key: Buffer.from(key) })) });
  t.strictSame(store.deletions.takeEnded(), [], 'it is taken once');
});

t.test('pairs beyond the limit of an answer are not gathered', async (t) => {
  const store = await openStore(createMemoryHome(), SMALL);
  t.teardown(() => store.close());
  const value = 'v'.repeat(1_500_000);
  const count = Math.ceil(DELETE_ANSWER_BYTES_MAX / value.length);
  for (let number = 0; number < count; number += 1) {
    store.put(putOf(`k${number}`, value));
    account(store);
  }
  store.deleteRange(deleteOf('k', 'l', true));
  account(store);
  while (store.deletions.step());
  const revision = store.revision();
  const ended = [{ revision, answer: ErrorCode.AnswerForgotten }];
  t.strictSame(store.deletions.takeEnded(), ended);
});

t.test('a session remembers how a deletion ended, and before, that it is under way', async (t) => {
  const store = await openStore(createMemoryHome(), SMALL);
  t.teardown(() => store.close());
  store.sessionOpen({ ttlSeconds: 60 });
  account(store);
  const send = (sequence: number, acknowledged: number, hasPrevKvs: boolean): unknown => {
    const mark = { session: 1, sequence, acknowledged };
    const answer = store.once(mark, () => store.deleteRange(deleteOf('a', 'd', hasPrevKvs)));
    account(store);
    return answer;
  };
  const fill = (): void => {
    for (const key of ['a', 'b', 'c']) {
      put(key)(store);
      account(store);
    }
  };
  fill();
  const begun = send(1, 0, false);
  const revision = store.revision();
  t.strictSame(begun, { revision, isUnderWay: true });
  t.strictSame(send(1, 0, false), begun, 'sent again');
  t.ok(store.deletions.isAnswered({ session: 1, sequence: 1, acknowledged: 0 }));
  t.notOk(store.deletions.isAnswered({ session: 1, sequence: 2, acknowledged: 0 }));
  t.ok(store.deletions.isAnswered({ session: 99, sequence: 1, acknowledged: 0 }), 'it has ended');
  while (store.deletions.step());
  t.strictSame(send(1, 0, false), { revision, deleted: 3, prevKvs: [] });

  fill();
  t.match(send(2, 0, true), { isUnderWay: true });
  t.equal(send(2, 0, true), ErrorCode.AnswerForgotten, 'of pairs only the fact is remembered');
  while (store.deletions.step());
  t.equal(send(2, 0, true), ErrorCode.AnswerForgotten);

  fill();
  send(3, 0, false);
  t.equal(send(3, 3, false), ErrorCode.AnswerGiven, 'given up while it is under way');
  while (store.deletions.step());
  t.equal(send(3, 3, false), ErrorCode.AnswerGiven);
  fill();
  send(4, 3, false);
  const { lastIndex } = store.session(1)!;
  store.expire({ leases: [], sessions: [{ session: 1, lastIndex }] });
  account(store);
  while (store.deletions.step());
  t.equal(send(4, 3, false), ErrorCode.SessionExpired);
});

t.test('as many keys as go at once, and one more', async (t) => {
  for (const [count, underWay] of [
    [DELETE_AT_ONCE_KEYS_MAX, 0],
    [DELETE_AT_ONCE_KEYS_MAX + 1, 1],
  ] as const) {
    const store = await openStore(createMemoryHome());
    for (let number = 0; number < count; number += 1) {
      put(`k${number}`)(store);
      account(store);
    }
    remove('k', 'l')(store);
    account(store);
    t.equal(store.deletions.count(), underWay);
    t.match(store.range(rangeOf('k', 'l')), { count: 0 });
    await store.close();
  }
});
