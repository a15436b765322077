/** Writes of a session take effect once: the rules, one by one. */

import t from 'tap';
import {
  SESSION_ANSWER_BYTES_MAX,
  SESSION_ANSWERS_BYTES_MAX,
  SESSION_ANSWERS_MAX,
  SESSION_TTL_SECONDS_MAX,
  SESSIONS_MAX,
  type Session,
  type Store,
} from '../../include/kvstore.ts';
import { decodeAnswer, encodeAnswer } from '../../src/kvstore/answer-codec.ts';
import { CHANGED_SESSIONS_MAX } from '../../src/kvstore/session-table.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { randomTxn } from './random-commands.ts';
import { deleteOf, delOp, putOf, putOp, showAnswer, txnOf } from './store-requests.ts';

/** Applies an entry; its answer as text. */
function apply(store: Store, run: (store: Store) => unknown): string {
  const answer = showAnswer(run(store));
  const configuration = { voters: [0], outgoing: [], learners: [] };
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration });
  return answer;
}

/** Opens a session; returns its id. */
function open(store: Store, ttlSeconds = 60): number {
  apply(store, () => store.sessionOpen({ ttlSeconds }));
  return store.applied().index;
}

/** Puts a value under the key `a` as a write of a session. */
function put(
  store: Store,
  session: number,
  sequence: number,
  acknowledged = 0,
  value = `${sequence}`,
  more: object = {},
): string {
  const mark = { session, sequence, acknowledged };
  return apply(store, () => store.once(mark, () => store.put(putOf('a', value, more))));
}

function sessionsOf(store: Store): Session[] {
  const sessions: Session[] = [];
  store.visitSessions((session) => sessions.push(session));
  return sessions;
}

for (const home of HOMES) {
  t.test(`${home.name}: a write of a session takes effect once`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    const session = open(store);
    const first = put(store, session, 1, 0, 'x', { prevKv: true });
    t.equal(first, '{prevKv:undefined revision:2}');
    const second = put(store, session, 3, 0, 'y', { prevKv: true });
    t.match(second, /revision:3/, 'numbers may be applied in any order');
    t.equal(put(store, session, 1, 0, 'z'), first, 'again: the first answer');
    t.equal(put(store, session, 2), '{prevKv:undefined revision:4}');
    await store.close();
    store = await openStore(place);
    t.equal(put(store, session, 3), second, 'after a restart too');
    t.equal(store.revision(), 4);
    await store.close();
  });

  t.test(`${home.name}: answers are forgotten once they are acknowledged`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    const session = open(store);
    for (let sequence = 1; sequence <= 600; sequence += 1) put(store, session, sequence);
    await store.flush();
    t.match(put(store, session, 601, 598), /revision:602/);
    t.equal(put(store, session, 598), 'AnswerGiven');
    t.equal(put(store, session, 599), '{prevKv:undefined revision:600}');
    await store.close();
    store = await openStore(place);
    t.equal(put(store, session, 598), 'AnswerGiven', 'a restart knows it too');
    t.equal(put(store, session, 599), '{prevKv:undefined revision:600}');
    t.equal(put(store, session, 602, 600), '{prevKv:undefined revision:603}');
    t.equal(put(store, session, 5, 2), 'AnswerGiven', 'what is acknowledged stays so');
    t.equal(put(store, session, 7, 9_000_000_000), 'AnswerGiven', 'far ahead of all writes');
    t.equal(put(store, session, 602), 'AnswerGiven');
    t.equal(store.revision(), 603);
    await store.close();
  });

  t.test(`${home.name}: a session ends when it was not used`, async (t) => {
    const place = await home.create(t);
    let store = await openStore(place);
    const used = open(store, 5);
    const idle = open(store, 6);
    t.strictSame(sessionsOf(store), [
      { session: 1, ttlSeconds: 5, lastIndex: 1 },
      { session: 2, ttlSeconds: 6, lastIndex: 2 },
    ]);
    put(store, used, 1);
    put(store, idle, 1);
    await store.flush();
    t.strictSame(store.session(used), { session: 1, ttlSeconds: 5, lastIndex: 3 });
    put(store, used, 1);
    t.equal(store.session(used)?.lastIndex, 5, 'a write that comes again is a use');
    const sessions = [
      { session: used, lastIndex: 3 },
      { session: idle, lastIndex: 4 },
      { session: 77, lastIndex: 77 },
    ];
    apply(store, () => store.expire({ leases: [], sessions }));
    t.equal(store.session(idle), undefined);
    t.equal(put(store, idle, 2), 'SessionExpired');
    t.equal(put(store, 12345, 1), 'SessionExpired', 'one that never was');
    t.match(put(store, used, 1), /revision:2/);
    await store.close();
    store = await openStore(place);
    t.equal(put(store, idle, 1), 'SessionExpired');
    t.strictSame(
      sessionsOf(store).map(({ session }) => session),
      [used],
    );
    await store.close();
  });
}

t.test('a refusal is an answer that is remembered', async (t) => {
  const store = await openStore(createMemoryHome());
  const session = open(store);
  t.equal(put(store, session, 1, 0, '', { ignoreValue: true }), 'KeyNotFound');
  t.equal(put(store, session, 2), '{prevKv:undefined revision:2}');
  t.equal(put(store, session, 1, 0, '', { ignoreValue: true }), 'KeyNotFound');
  await store.close();
});

t.test('every kind of answer is remembered as it was given', async (t) => {
  const store = await openStore(createMemoryHome());
  const session = open(store);
  const lease = { id: -5n, ttlSeconds: 7 };
  const txn = txnOf([], [putOp('t', '1', { prevKv: true }), delOp('a', 'c', true)]);
  const writes: readonly ((store: Store) => ReturnType<Store['txn' | 'leaseGrant' | 'compact']>)[] =
    [
      () => store.leaseGrant(lease),
      () => store.put(putOf('a', 'v', { lease: -5n })),
      () => store.put(putOf('a', 'w', { prevKv: true, ignoreLease: true })),
      () => store.deleteRange(deleteOf('a', 'b', true)),
      () => store.put(putOf('b', '', { lease: -5n })),
      () => store.txn(txn),
      () => store.compact({ revision: 3, physical: true }),
      () => store.leaseRevoke({ id: -5n }),
      () => store.leaseRevoke({ id: -5n }),
    ];
  const once = (slot: number) =>
    apply(store, () =>
      store.once({ session, sequence: slot + 1, acknowledged: 0 }, () => writes[slot]!(store)),
    );
  const first = writes.map((_, slot) => once(slot));
  const hash = store.revision();
  t.strictSame(
    writes.map((_, slot) => once(slot)),
    first,
  );
  t.equal(store.revision(), hash);
  t.match(first.at(-1), 'LeaseNotFound');
  await store.close();
});

t.test('answers to transactions come back from their bytes', async (t) => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const random = createRandom(seed);
    const store = await openStore(createMemoryHome());
    for (let count = 0; count < 5; count += 1) {
      const request = randomTxn(random, store.revision());
      const result = store.txn(request);
      apply(store, () => 0);
      const bytes = encodeAnswer(result);
      const again = bytes === undefined ? 'none' : showAnswer(decodeAnswer(bytes));
      if (again === showAnswer(result)) continue;
      t.equal(again, showAnswer(result), `seed ${seed}`);
      return;
    }
  }
  t.pass('no difference found');
});

t.test('of an answer that is too large only the fact is remembered', async (t) => {
  const store = await openStore(createMemoryHome());
  const session = open(store);
  // An answer to a put with the pair before it takes 50 bytes besides key and value.
  const largest = 'v'.repeat(SESSION_ANSWER_BYTES_MAX - 51);
  put(store, session, 1, 0, largest);
  const fits = put(store, session, 2, 0, `${largest}v`, { prevKv: true });
  t.equal(put(store, session, 2), fits);
  t.match(put(store, session, 3, 0, '', { prevKv: true }), /revision:4/);
  t.equal(put(store, session, 3), 'AnswerForgotten');
  t.equal(put(store, session, 3, 2), 'AnswerForgotten');
  t.equal(put(store, session, 3, 3), 'AnswerGiven');
  t.equal(store.revision(), 4);
  await store.close();
});

t.test('of answers that are too much together only the facts are remembered', async (t) => {
  const store = await openStore(createMemoryHome());
  const session = open(store);
  const value = 'v'.repeat(SESSION_ANSWER_BYTES_MAX - 51);
  const fit = SESSION_ANSWERS_BYTES_MAX / SESSION_ANSWER_BYTES_MAX;
  put(store, session, 1, 0, value);
  const large = (sequence: number, acknowledged: number) =>
    put(store, session, sequence, acknowledged, value, { prevKv: true });
  for (let sequence = 2; sequence <= fit + 2; sequence += 1) large(sequence, 1);
  t.match(large(fit + 1, 0), /revision/);
  t.equal(large(fit + 2, 0), 'AnswerForgotten');
  large(fit + 3, 3);
  t.match(large(fit + 3, 0), /revision/, 'there is room again');
  await store.close();
});

t.test('a write too far ahead of what is acknowledged is refused', async (t) => {
  const store = await openStore(createMemoryHome());
  const session = open(store);
  t.equal(put(store, session, SESSION_ANSWERS_MAX + 1), 'SessionFull');
  t.match(put(store, session, SESSION_ANSWERS_MAX), /revision:2/);
  t.match(put(store, session, SESSION_ANSWERS_MAX + 1, 1), /revision:3/, 'it was not remembered');
  await store.close();
});

t.test('a time out of bounds is brought within them', async (t) => {
  const store = await openStore(createMemoryHome());
  for (const [asked, given] of [
    [0, 1],
    [-9, 1],
    [1, 1],
    [SESSION_TTL_SECONDS_MAX, SESSION_TTL_SECONDS_MAX],
    [SESSION_TTL_SECONDS_MAX + 1, SESSION_TTL_SECONDS_MAX],
  ] as const) {
    const answer = apply(store, () => store.sessionOpen({ ttlSeconds: asked }));
    const id = store.applied().index;
    t.equal(answer, `{revision:1 session:${id} ttlSeconds:${given}}`);
  }
  await store.close();
});

t.test('there are so many sessions and no more', async (t) => {
  const store = await openStore(createMemoryHome());
  const configuration = { voters: [0], outgoing: [], learners: [] };
  for (let index = 1; index <= SESSIONS_MAX; index += 1) {
    store.sessionOpen({ ttlSeconds: 60 });
    store.setApplied({ index, term: 1, configuration });
  }
  const refused = () => apply(store, () => store.sessionOpen({ ttlSeconds: 60 }));
  t.equal(refused(), 'TooManySessions');
  const sessions = [{ session: 5, lastIndex: 5 }];
  apply(store, () => store.expire({ leases: [], sessions }));
  t.match(refused(), /session:1000003/);
});

t.test('a session that is used again and again is flushed once', async (t) => {
  const store = await openStore(createMemoryHome());
  const session = open(store);
  const unflushed = store.unflushedBytes();
  for (let sequence = 1; sequence <= 10; sequence += 1) {
    t.equal(put(store, session, sequence, 0, '', { ignoreValue: true }), 'KeyNotFound');
  }
  t.equal(store.unflushedBytes(), unflushed);
  await store.flush();
  t.equal(store.unflushedBytes(), 0);
  await store.close();
});

t.test('of very many sessions that write, a flush has few left to save', async (t) => {
  const place = createMemoryHome();
  let store = await openStore(place);
  const ended: { session: number; lastIndex: number }[] = [];
  for (let count = 1; count <= 10 * CHANGED_SESSIONS_MAX; count += 1) {
    const session = open(store);
    if (count % 3 === 0) ended.push({ session, lastIndex: session });
    const unflushed = store.unflushedBytes();
    store.flushIfDue(0);
    const isSaved = store.unflushedBytes() > unflushed;
    if (isSaved !== count > CHANGED_SESSIONS_MAX) t.fail(`session ${count}`);
  }
  apply(store, () => store.expire({ leases: [], sessions: ended }));
  store.flushIfDue(0);
  const known = sessionsOf(store);
  t.equal(known.length, 10 * CHANGED_SESSIONS_MAX - ended.length);
  await store.close();
  store = await openStore(place);
  t.strictSame(sessionsOf(store), known);
  await store.close();
});
