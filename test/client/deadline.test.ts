/** What an error at the deadline says. */

import t from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { serve, startFakeNode, statusOf, unusedPort } from './fake-node.ts';

t.test('no endpoint reached: the error names each and why', async (t) => {
  const ports = [await unusedPort(), await unusedPort()];
  const endpoints = ports.map((port) => `127.0.0.1:${port}`);
  const client = connect({ endpoints, requestTimeoutMs: 1_000 });
  t.teardown(() => client.close());

  for (const request of [client.get('a'), client.put('a', '1')]) {
    const error = await request.catch((failure) => failure);
    t.match(error, { code: ErrorCode.Unreachable });
    t.match(error.message, /^context deadline exceeded: no endpoint could be reached: /);
    for (const endpoint of endpoints) {
      t.match(error.message, `${endpoint}: connection refused`);
    }
  }
});

t.test('a put that was never sent says that it did not take effect', async (t) => {
  const client = connect({
    endpoints: [`127.0.0.1:${await unusedPort()}`],
    requestTimeoutMs: 500,
  });
  t.teardown(() => client.close());
  await t.rejects(client.put('a', '1'), { message: /; it did not take effect$/ });
});

t.test('a put whose node was lost while it was under way may have taken effect', async (t) => {
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => client.close());
  await client.put('a', '1');
  node.script = ({ hangUp }) => {
    void node.close();
    hangUp();
  };
  await t.rejects(client.put('a', '2'), {
    code: ErrorCode.DeadlineExceeded,
    message: /; nobody knows whether it took effect$/,
  });
});

t.test("a node's reason travels into the deadline error", async (t) => {
  const why = 'etcdserver: no leader: cannot reach node 1 at 127.0.0.1:7002';
  const node = await startFakeNode(0, ({ refuse }) => refuse(ErrorCode.NoLeader, why));
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  // The deadline may find the request between two attempts, or the last one under way.
  await t.rejects(client.put('a', '1'), { code: ErrorCode.DeadlineExceeded, message: why });
  await t.rejects(client.get('a'), { code: ErrorCode.DeadlineExceeded, message: why });
});

t.test('an attempt without an answer does not hide the reason of the one before', async (t) => {
  const why = 'etcdserver: no leader';
  let count = 0;
  const node = await startFakeNode(0, ({ refuse }) => {
    count += 1;
    if (count === 1) refuse(ErrorCode.NoLeader, why);
  });
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  await t.rejects(client.put('a', '1'), {
    message: `no answer to the request, before that: ${why}; nobody knows whether it took effect`,
  });
});

t.test('a node that gives no answer is asked which members it does not reach', async (t) => {
  const progress = { matchIndex: 0, snapshotSentBytes: 0, snapshotSizeBytes: 0 };
  const facts = { isOnline: false, isLearner: false, roundTripMicros: 0, ...progress };
  const peer = { ...facts, address: '127.0.0.1' };
  const status = statusOf(0, {
    peers: [
      { ...peer, id: 1, port: 7002 },
      { ...peer, id: 2, port: 7003, isOnline: true },
      { ...peer, id: 3, port: 7004 },
    ],
  });
  const node = await startFakeNode(0, ({ request, reply }) => {
    if (request.type === 0x14) reply({ type: request.type, body: status });
  });
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  const why = 'it does not reach node 1 at 127.0.0.1:7002 and node 3 at 127.0.0.1:7004';
  await t.rejects(client.put('a', '1'), {
    code: ErrorCode.DeadlineExceeded,
    message:
      `context deadline exceeded: ${node.endpoint}: no answer to the request, ${why}` +
      '; nobody knows whether it took effect',
  });
  await t.rejects(client.get('a'), {
    message: `context deadline exceeded: ${node.endpoint}: no answer to the read, ${why}`,
  });
  t.equal(node.requests.filter(({ type }) => type === 0x10).length, 1, 'the put went out once');
});

t.test('a reply behind its deadline goes nowhere, and harms no later request', async (t) => {
  const late: (() => void)[] = [];
  const node = await startFakeNode(0, (asked) => {
    if (asked.request.type === 0x11) late.push(() => serve(0)(asked));
    else serve(0)(asked);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  await t.rejects(client.get('a', { timeoutMs: 50 }), { code: ErrorCode.DeadlineExceeded });
  const answers = [client.put('b', '1'), client.put('c', '1')];
  for (const answer of late) answer();
  for (const answer of answers) t.equal((await answer).nodeId, 0);
  t.equal(node.connectionCount(), 1);
});

t.test('a timeout of one request is not that of another', async (t) => {
  const node = await startFakeNode(0, () => {});
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 60_000 });
  t.teardown(() => node.close());
  const long = client.get('a');
  await t.rejects(client.get('b', { timeoutMs: 30 }), { code: ErrorCode.DeadlineExceeded });
  await client.close();
  await t.rejects(long, { code: ErrorCode.Stopped });
});
