/** Many requests on one connection. */

import t from 'tap';
import { CLIENT_CALLS_MAX } from '../../include/client.ts';
import { CLIENT_INFLIGHT_MAX, ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { createRandom } from '../../src/random.ts';
import { type Asked, headerOf, serve, startFakeNode } from './fake-node.ts';

t.test('replies find their requests in whatever order they come', async (t) => {
  const random = createRandom(7);
  const waiting: Asked[] = [];
  const node = await startFakeNode(0, (asked) => {
    waiting.push(asked);
    if (waiting.length < 500) return;
    while (waiting.length > 0) {
      const [next] = waiting.splice(random.below(waiting.length), 1);
      if (next !== undefined) serve(0)(next);
    }
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  for (let round = 0; round < 3; round += 1) {
    const keys = Array.from({ length: 500 }, (_, i) => `k${round}-${i}`);
    const pairs = await Promise.all(keys.map((key) => client.get(key)));
    t.strictSame(
      pairs.map((pair) => pair?.value.toString()),
      keys.map((key) => key.toUpperCase()),
    );
  }
  t.equal(node.connectionCount(), 1);
});

t.test(
  'no more requests are in flight than a node reads; the rest wait and are sent',
  async (t) => {
    const waiting: Asked[] = [];
    const node = await startFakeNode(0, (asked) => {
      waiting.push(asked);
    });
    const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 30_000 });
    t.teardown(() => Promise.all([client.close(), node.close()]));

    const answers = Array.from({ length: 10_000 }, (_, i) => client.put(`${i}`, 'x'));
    let answered = 0;
    let most = 0;
    while (answered < 10_000) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, waiting.length);
      for (const asked of waiting.splice(0, 100)) {
        serve(0)(asked);
        answered += 1;
      }
    }
    await Promise.all(answers);
    t.ok(most < CLIENT_INFLIGHT_MAX, `${most} at once`);
  },
);

t.test(
  'a write that was waiting for room is sent elsewhere when the connection breaks',
  async (t) => {
    const first = await startFakeNode(0, (asked) => {
      if (first.requests.length === 1_000) asked.hangUp();
    });
    const second = await startFakeNode(1, serve(1));
    const endpoints = [first.endpoint, second.endpoint];
    const client = connect({ endpoints, sessions: false }, { random: { below: () => 0 } });
    t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));

    const puts = Array.from({ length: 6_000 }, (_, i) => client.put(`${i}`, 'x'));
    const outcomes = await Promise.allSettled(puts);
    const lost = outcomes.filter(({ status }) => status === 'rejected').length;
    t.ok(lost >= 1_000, 'what was sent is lost');
    t.equal(
      outcomes.length - lost,
      second.requests.length,
      'what was not sent went elsewhere, once',
    );
    t.ok(second.requests.length > 0);
  },
);

t.test('one request too many is refused, the others go on', async (t) => {
  const node = await startFakeNode(0, () => {});
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 60_000 });
  t.teardown(() => node.close());

  const reads: Promise<unknown>[] = [];
  for (let i = 0; i < CLIENT_CALLS_MAX; i += 1) reads.push(client.get('a'));
  await t.rejects(client.get('a'), { code: ErrorCode.TooManyRequests });
  await client.close();
  const outcomes = await Promise.allSettled(reads);
  t.ok(outcomes.every(({ status }) => status === 'rejected'));
});

t.test('a value of a MiB and more travels both ways', async (t) => {
  const value = Buffer.alloc(1_500_000, 'xyz');
  const node = await startFakeNode(0, ({ request, reply }) => {
    if (request.type !== FrameType.Put) return;
    const facts = { createRevision: 1, modRevision: 1, version: 1, lease: 5n };
    const prevKv = {
      key: Buffer.from(request.body.key),
      value: Buffer.from(request.body.value),
      ...facts,
    };
    reply({ type: FrameType.Put, body: { ...headerOf(0), prevKv } });
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  const { prevKv } = await client.put('big', value, { prevKv: true });
  t.ok(prevKv?.value.equals(value));
  t.equal(prevKv?.lease, 5n);
});

t.test('a request beyond the frame limit is refused here, and harms no other', async (t) => {
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  const [before, huge, after] = await Promise.allSettled([
    client.put('a', '1'),
    client.put('b', Buffer.alloc(3 * 1024 * 1024)),
    client.put('c', '1'),
  ]);
  t.equal(before.status, 'fulfilled');
  t.match(huge, { status: 'rejected', reason: { code: ErrorCode.RequestTooLarge } });
  t.equal(after.status, 'fulfilled');
  t.equal(node.requests.length, 2);
});

t.test(
  'closing fails what is under way, writes as unknown, and stops further requests',
  async (t) => {
    const node = await startFakeNode(0, () => {});
    const client = connect({ endpoints: [node.endpoint] });
    t.teardown(() => node.close());
    const read = client.get('a');
    const write = client.put('a', '1');
    while (node.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));

    await client.close();
    await t.rejects(read, { code: ErrorCode.Stopped });
    await t.rejects(write, { code: ErrorCode.ConnectionLost, message: /nobody knows/ });
    await t.rejects(client.get('a'), { code: ErrorCode.Stopped });
    await client.close();
  },
);
