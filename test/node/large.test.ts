/** Many keys at once, through a node alone: one revision, and nobody else waits. */

import t from 'tap';
import { type KeyValue, OpKind } from '../../include/kvstore.ts';
import { FrameType, type RangeReply, type TxnReply } from '../../include/rpc.ts';
import { deleteOf, putOf, putOp, rangeOf, rangeOp, txnOf } from '../kvstore/store-requests.ts';
import { watchOf } from '../kvstore/watch-requests.ts';
import { LoneMember } from './lone-member.ts';

const KEYS = 5_000;

const put = (key: string, value = 'v') =>
  ({ type: FrameType.Put, body: putOf(key, value) }) as const;
const range = (key: string, end = '', more = {}) =>
  ({ type: FrameType.Range, body: rangeOf(key, end, more) }) as const;
const removeAll = {
  type: FrameType.DeleteRange,
  body: deleteOf('big/', 'big0'),
} as const;

function name(number: number): string {
  return `big/${String(number).padStart(6, '0')}`;
}

/** Puts the keys, a hundred a transaction. */
async function fill(lone: LoneMember, value = 'v'): Promise<void> {
  const writes: Promise<unknown>[] = [];
  for (let start = 0; start < KEYS; start += 100) {
    const ops = Array.from({ length: 100 }, (_, slot) => putOp(name(start + slot), value));
    writes.push(lone.write({ type: FrameType.Txn, body: txnOf([], ops) }));
  }
  await Promise.all(writes);
}

t.test('a large deletion is one revision to whoever looks, from its entry on', async (t) => {
  const lone = await LoneMember.start(t);
  await fill(lone);
  const watcher = lone.watcher();
  watcher.request(1, {
    type: FrameType.WatchCreate,
    body: { watchId: 7, ...watchOf('big/', 'big0') },
  });
  watcher.request(2, { type: FrameType.WatchCreate, body: { watchId: 8, ...watchOf('other') } });
  await watcher.heard(2);
  let hasEnded = false;
  const deletion = lone.write(removeAll).then((reply) => {
    hasEnded = true;
    return reply;
  });
  await lone.write(put('other'));
  t.notOk(hasEnded, 'others are answered meanwhile');
  t.match(await lone.read(range('big/', 'big0')), { count: 0, kvs: [] });
  t.match(await lone.read(range('\0', '\0', { countOnly: true })), { count: 1 });
  t.ok(lone.member.store.deletions.count() > 0);
  const before = await lone.read(range('big/', 'big0', { revision: 51, countOnly: true }));
  t.equal(before.count, KEYS);
  const { deleted, revision } = await deletion;
  t.equal(deleted, KEYS);
  t.equal(revision, 52);
  const told = (await watcher.heard(2 + 1 + KEYS)).slice(2);
  t.equal(told[0], '8 put other=v @53', 'a watch of another key did not wait');
  const expected = Array.from({ length: KEYS }, (_, number) => `7 delete ${name(number)} @52`);
  t.strictSame(told.slice(1), expected);
  await lone.write(put(name(3)));
  t.match(await lone.read(range(name(3))), { kvs: [{ version: 1, createRevision: 54 }] });
});

t.test('a restart goes on with a large deletion', async (t) => {
  const lone = await LoneMember.start(t);
  await fill(lone);
  lone.write(removeAll).catch(() => {});
  await lone.write(put('other'));
  t.ok(lone.member.store.deletions.count() > 0);
  await lone.restart();
  t.match(await lone.read(range('big/', 'big0')), { count: 0 });
  await lone.write(put(name(7)));
  t.match(await lone.read(range('big/', 'big0')), { count: 1 });
  t.match(await lone.read(range('big/', 'big0', { revision: 52 })), { count: 0 });
  t.match(await lone.read(range('big/', 'big0', { revision: 51, limit: 1 })), { count: KEYS });
});

t.test('thousands of pairs are read as of one revision, while others write', async (t) => {
  const lone = await LoneMember.start(t);
  await fill(lone);
  let hasEnded = false;
  const reads = [
    range('big/', 'big0'),
    range('big/', 'big0', { serializable: true }),
    { type: FrameType.Txn, body: txnOf([], [rangeOp('big/', 'big0')]) } as const,
    {
      type: FrameType.Txn,
      body: txnOf([], [rangeOp('big/', 'big0', { serializable: true })]),
    } as const,
  ].map((read) => lone.read(read));
  const all = Promise.all(reads).then((replies) => {
    hasEnded = true;
    return replies;
  });
  for (let count = 0; !hasEnded; count += 1) await lone.write(put(name(count % KEYS), 'new'));
  for (const reply of await all) {
    const kvs = pairsOf(reply);
    t.equal(kvs.length, KEYS);
    t.ok(
      kvs.every((kv) => kv.modRevision <= reply.revision),
      'of one revision',
    );
  }
});

function pairsOf(reply: RangeReply | TxnReply): readonly KeyValue[] {
  if ('kvs' in reply) return reply.kvs;
  const [first] = reply.results;
  return first?.kind === OpKind.Range ? first.result.kvs : [];
}
