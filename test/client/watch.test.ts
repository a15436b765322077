/** A watch: one flow of whole revisions, whatever happens underneath. */

import t, { type Test } from 'tap';
import {
  WATCH_BUFFER_BYTES,
  WatchError,
  type WatchEvents,
  type Watcher,
} from '../../include/client.ts';
import { NO_NODE } from '../../include/node.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { startFakeNode, statusOf } from './fake-node.ts';
import { FakeWatches, putAt } from './fake-watches.ts';

/** A fake node with watches, and a client of it. */
async function startWatched(t: Test) {
  const watches = new FakeWatches();
  const node = await startFakeNode(0, watches.script);
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  return { watches, node, client };
}

/** Takes so many batches of a watch. */
async function take(watcher: Watcher, count: number): Promise<readonly WatchEvents[]> {
  const iterator = watcher[Symbol.asyncIterator]();
  const batches: WatchEvents[] = [];
  while (batches.length < count) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    batches.push(value);
  }
  return batches;
}

/** The revisions of the events in batches. */
function revisionsOf(batches: readonly WatchEvents[]): readonly number[] {
  return batches.flatMap(({ events }) => events.map(({ kv }) => kv.modRevision));
}

t.test('a watch travels as it was asked for, and tells from where on it tells', async (t) => {
  const { watches, client } = await startWatched(t);
  const options = { prevKv: true, noPut: true, noDelete: true, progressNotify: true };
  const watcher = client.watch('a', { prefix: true, startRevision: 5, ...options });
  t.equal(await watcher.created, 5);
  t.match(watches.created[0]?.body, {
    key: Buffer.from('a'),
    rangeEnd: Buffer.from('b'),
    startRevision: 5,
    ...options,
  });
  t.equal(await client.watch('a').created, 8, 'from now on: behind the revision of the node');
});

t.test('batches are yielded in order, those that came before anyone took too', async (t) => {
  const { watches, client } = await startWatched(t);
  const watcher = client.watch('a');
  const watch = await watches.untilCreated(1);
  watch.tell(8);
  watch.tell(9, 10);
  const taken = await take(watcher, 2);
  t.strictSame(
    taken.map(({ revision }) => revision),
    [8, 10],
  );
  const next = take(watcher, 1);
  watch.tell(11);
  t.strictSame(revisionsOf(await next), [11]);
});

t.test('fragments of a revision are joined', async (t) => {
  const { watches, client } = await startWatched(t);
  const watcher = client.watch('a');
  const { asked, body, tell } = await watches.untilCreated(1);
  const fragment = { revision: 20, isFragment: true };
  asked.tellEvents(body.watchId, { ...fragment, events: [putAt(8), putAt(9)] });
  asked.tellEvents(body.watchId, { ...fragment, events: [putAt(9)] });
  asked.tellEvents(body.watchId, { ...fragment, isFragment: false, events: [putAt(9)] });
  tell(10);
  const taken = await take(watcher, 2);
  t.strictSame(
    taken.map(({ events }) => events.length),
    [4, 1],
  );
  t.equal(taken[0]?.revision, 9);
});

t.test('after a lost connection a watch goes on behind what it has', async (t) => {
  const { watches, client } = await startWatched(t);
  const watcher = client.watch('a', { startRevision: 3 });
  const first = await watches.untilCreated(1);
  first.tell(3, 5);
  t.strictSame(revisionsOf(await take(watcher, 1)), [3, 5]);
  first.tell(6);
  const part = { revision: 20, isFragment: true, events: [putAt(7)] };
  first.asked.tellEvents(first.body.watchId, part);
  t.strictSame(revisionsOf(await take(watcher, 1)), [6]);
  first.asked.hangUp();

  const second = await watches.untilCreated(2);
  t.equal(second.body.startRevision, 7, 'a revision that was not whole is asked for again');
  t.not(second.body.watchId, first.body.watchId);
  second.tell(7);
  t.strictSame(revisionsOf(await take(watcher, 1)), [7]);
});

t.test('a watch from now on stays where it began', async (t) => {
  const { watches, client } = await startWatched(t);
  const watcher = client.watch('a');
  t.equal(await watcher.created, 8);
  watches.revision = 30;
  watches.created[0]?.asked.hangUp();
  t.equal((await watches.untilCreated(2)).body.startRevision, 8);
  t.equal(await watcher.created, 8);
});

t.test('a watch moves to another node when its own is gone', async (t) => {
  const watches = [new FakeWatches(), new FakeWatches()] as const;
  const first = await startFakeNode(0, watches[0].script);
  const second = await startFakeNode(1, watches[1].script);
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), second.close()]));

  const watcher = client.watch('a');
  (await watches[0].untilCreated(1)).tell(8);
  t.strictSame(revisionsOf(await take(watcher, 1)), [8]);
  await first.close();
  const moved = await watches[1].untilCreated(1);
  t.equal(moved.body.startRevision, 9);
  moved.tell(9);
  t.strictSame(revisionsOf(await take(watcher, 1)), [9]);
});

t.test('a quiet watch notices that its node has fallen silent', async (t) => {
  const watches = [new FakeWatches(), new FakeWatches()] as const;
  const first = await startFakeNode(0, watches[0].script);
  const second = await startFakeNode(1, watches[1].script);
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));
  await client.watch('a').created;
  first.freeze();
  t.equal((await watches[1].untilCreated(1)).body.startRevision, 8);
});

t.test('a node in trouble is left', async (t) => {
  const watches = [new FakeWatches(), new FakeWatches()] as const;
  const first = await startFakeNode(0, watches[0].script);
  const second = await startFakeNode(1, watches[1].script);
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));
  watches[0].onCreated = ({ asked, body }) =>
    asked.tellCancelled(body.watchId, { code: ErrorCode.NoLeader, compactRevision: 0 });
  client.watch('a');
  t.equal((await watches[1].untilCreated(1)).body.startRevision, 8);
});

t.test('a node that knows no leader is left by its watches, but not by those for it', async (t) => {
  const watches = [new FakeWatches(), new FakeWatches()] as const;
  const first = await startFakeNode(0, (asked) => {
    const { request, reply } = asked;
    if (request.type !== FrameType.Status) return watches[0].script(asked);
    reply({ type: request.type, body: statusOf(0, { leader: NO_NODE }) });
  });
  const second = await startFakeNode(1, watches[1].script);
  const endpoints = [first.endpoint, second.endpoint];
  const clock = new ManualClock();
  const client = connect({ endpoints }, { clock, random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));
  const watcher = client.watch('a');
  client.watch('b', { endpoint: first.endpoint });
  const { tell } = await watches[0].untilCreated(2).then(() => watches[0].created[0]!);
  tell(8);
  t.strictSame(revisionsOf(await take(watcher, 1)), [8]);
  const moved = watches[1].untilCreated(1);
  let hasMoved = false;
  moved.then(() => {
    hasMoved = true;
  });
  while (!hasMoved) {
    clock.advance(500);
    await client.get('a'); // what the node says to a tick is here before the next
  }
  t.equal((await moved).body.startRevision, 9);
  await watches[0].untilCancelled(1);
  t.strictSame(watches[0].cancelled, [watches[0].created[0]?.body.watchId]);
  t.equal(watches[1].created.length, 1);
});

t.test('a watch at one node asks that node until it serves', async (t) => {
  const { watches, node, client } = await startWatched(t);
  const other = await startFakeNode(1, ({ hangUp }) => hangUp());
  const watcher = client.watch('a', { endpoint: other.endpoint });
  while (other.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  other.script = ({ refuse }) => refuse(ErrorCode.NoLeader);
  while (other.requests.length < 4) await new Promise((resolve) => setImmediate(resolve));
  other.script = watches.script;
  t.equal(await watcher.created, 8);
  t.equal(node.requests.length, 0);
  await other.close();
});

t.test('what is compacted ends a watch, behind what came before', async (t) => {
  const { watches, client } = await startWatched(t);
  watches.onCreated = ({ asked, body, tell }) => {
    tell(3);
    asked.tellCancelled(body.watchId, { code: ErrorCode.Compacted, compactRevision: 12 });
  };
  const watcher = client.watch('a', { startRevision: 3 });
  await watches.untilCreated(1);
  t.strictSame(revisionsOf(await take(watcher, 1)), [3]);
  const error = await take(watcher, 1).catch((failure) => failure);
  t.ok(error instanceof WatchError);
  t.match(error, { code: ErrorCode.Compacted, compactRevision: 12, message: /compacted: 12 is/ });
  t.strictSame(await take(watcher, 1), [], 'told once');
  await t.rejects(watcher.progress());
  t.equal(watches.created.length, 1);
});

t.test('a watch that is refused says why, to who iterates and who waits', async (t) => {
  const node = await startFakeNode(0, ({ refuse }) => refuse(ErrorCode.WatchRangeEmpty));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  const watcher = client.watch('b', { rangeEnd: 'a' });
  const refusal = { code: ErrorCode.WatchRangeEmpty };
  await t.rejects(watcher.created, refusal);
  await t.rejects(take(watcher, 1), refusal);
  t.throws(() => client.watch('a', { startRevision: 0.5 }), { code: ErrorCode.FrameMalformed });
  t.throws(() => client.watch('a', { endpoint: 'x' }), { code: ErrorCode.BadEndpoint });
});

t.test('a watch that nobody takes from is held, and goes on where it was', async (t) => {
  const { watches, client } = await startWatched(t);
  const value = Buffer.alloc(256 * 1024);
  watches.onCreated = ({ asked, body }) => {
    for (let revision = body.startRevision; revision < body.startRevision + 99; revision += 1) {
      const events = [putAt(revision, value)];
      asked.tellEvents(body.watchId, { revision, events, isFragment: false });
    }
  };
  const watcher = client.watch('a', { startRevision: 8 });
  await watches.untilCancelled(1);
  await client.get('a');
  const heldMax = WATCH_BUFFER_BYTES / value.length + 1;
  t.equal(watches.created.length, 1, 'nothing is asked for while it is full');

  const seen: number[] = [];
  for await (const batch of watcher) {
    seen.push(...revisionsOf([batch]));
    if (seen.length === 120) break;
  }
  t.strictSame(
    seen,
    Array.from({ length: 120 }, (_, at) => at + 8),
    'no gap, no repeat',
  );
  const second = watches.created[1]?.body.startRevision ?? 0;
  t.ok(second - 8 <= heldMax, `${second - 8} revisions were kept, at most ${heldMax}`);
});

t.test('one revision larger than what may wait is yielded whole', async (t) => {
  const { watches, client } = await startWatched(t);
  const watcher = client.watch('a');
  const { asked, body } = await watches.untilCreated(1);
  const events = [putAt(8, Buffer.alloc(1024 * 1024))];
  for (let part = 0; part < 20; part += 1) {
    asked.tellEvents(body.watchId, { revision: 8, events, isFragment: part < 19 });
  }
  await watches.untilCancelled(1);
  t.equal((await take(watcher, 1))[0]?.events.length, 20);
  t.equal((await watches.untilCreated(2)).body.startRevision, 9);
});

t.test('progress is asked of the node, and known behind the events before it', async (t) => {
  const { watches, client } = await startWatched(t);
  const watcher = client.watch('a');
  const early = watcher.progress();
  t.equal(await early, 7);
  watches.onProgress = ({ reply }) => {
    const { clusterId, nodeId, term } = { clusterId: 1n, nodeId: 0, term: 1 };
    watches.created[0]?.tell(9);
    reply({ type: FrameType.WatchProgress, body: { clusterId, nodeId, term, revision: 15 } });
  };
  t.equal(await watcher.progress(), 15);
  t.strictSame(revisionsOf(await take(watcher, 1)), [9]);
  watches.created[0]?.asked.hangUp();
  t.equal(
    (await watches.untilCreated(2)).body.startRevision,
    16,
    'what is known is not read again',
  );
});

t.test('progress is asked again where the watch goes on', async (t) => {
  const { watches, client } = await startWatched(t);
  const answer = watches.onProgress;
  watches.onProgress = ({ hangUp }) => hangUp();
  const watcher = client.watch('a', { progressNotify: true });
  const progress = watcher.progress();
  await watches.untilCreated(2);
  watches.onProgress = answer;
  t.equal(await progress, 7);
  t.strictSame(await take(watcher, 1), [{ revision: 7, events: [] }], 'a note for the taker');
});

t.test('notes are yielded as batches without events', async (t) => {
  const { watches, client } = await startWatched(t);
  watches.onCreated = ({ asked, body }) => asked.tellNote(body.watchId, 12);
  const watcher = client.watch('a', { progressNotify: true });
  t.strictSame(await take(watcher, 1), [{ revision: 12, events: [] }]);
  watches.created[0]?.asked.hangUp();
  t.equal((await watches.untilCreated(2)).body.startRevision, 13);
});

t.test('a watch that is left or closed is cancelled, and ends quietly', async (t) => {
  const { watches, client } = await startWatched(t);
  watches.onCreated = ({ tell }) => tell(8);
  for await (const _batch of client.watch('a')) break;
  t.equal(watches.cancelled.length, 1);

  const watcher = client.watch('a');
  t.equal((await take(watcher, 1)).length, 1);
  const waiting = take(watcher, 1);
  const progress = watcher.progress();
  await Promise.all([watcher.close(), t.rejects(progress, { code: ErrorCode.Stopped })]);
  t.strictSame(await waiting, []);
  t.strictSame(await take(watcher, 1), []);
  await watcher.close();
  t.equal(watches.cancelled.length, 2);
});

t.test('a watch that is closed before it is accepted is cancelled when it is', async (t) => {
  const { watches, client } = await startWatched(t);
  await client.get('a');
  const watcher = client.watch('a');
  await watcher.close();
  await t.rejects(watcher.created, { code: ErrorCode.Stopped });
  await watches.untilCancelled(1);
  t.strictSame(watches.cancelled, [watches.created[0]?.body.watchId]);
});

t.test('many watches share a connection, each gets its own', async (t) => {
  const { watches, node, client } = await startWatched(t);
  const watchers = Array.from({ length: 5_000 }, (_, at) => client.watch(`${at}`));
  await Promise.all(watchers.map(({ created }) => created));
  for (const [at, watch] of watches.created.entries()) watch.tell(8 + at);
  const taken = await Promise.all(watchers.map((watcher) => take(watcher, 1)));
  for (const [at, watcher] of watches.created.entries()) {
    const place = Number(watcher.body.key.toString());
    if (revisionsOf(taken[place] ?? [])[0] !== 8 + at) t.fail(`watch ${place} got another's event`);
  }
  t.equal(node.connectionCount(), 1);
  await Promise.all(watchers.map((watcher) => watcher.close()));
  t.equal(watches.cancelled.length, 5_000);
});

t.test('watches are not counted among the requests of the user', async (t) => {
  const client = connect({ endpoints: ['127.0.0.1:1'], requestTimeoutMs: 50 });
  const watchers = Array.from({ length: 70_000 }, () => client.watch('a'));
  await t.rejects(client.get('a'), { code: ErrorCode.Unreachable });
  await client.close();
  await t.rejects(take(watchers[0]!, 1), { code: ErrorCode.Stopped });
});
