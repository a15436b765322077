/** Writes that take effect once: what is sent again under its number, and what is not. */

import t from 'tap';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { redirectTo, serve, startFakeNode } from './fake-node.ts';

t.test('a session is opened with the first write, once', async (t) => {
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  await client.get('a');
  await client.txn({ then: [{ get: 'a' }] });
  t.equal(node.sessionCount(), 0, 'reads need none');
  await Promise.all([client.put('a', '1'), client.put('b', '2'), client.delete('a')]);
  await client.put('c', '3');
  t.equal(node.sessionCount(), 1);
  t.strictSame(
    node.marks.map(({ session, sequence }) => [session, sequence]),
    [1, 2, 3, 4].map((sequence) => [1, sequence]),
  );
  t.equal(node.marks.at(-1)?.acknowledged, 3);
});

t.test('every write is numbered, other requests are not', async (t) => {
  const numbered = new Map<number, boolean>();
  const node = await startFakeNode(0, (asked) => {
    numbered.set(asked.request.type, asked.mark !== undefined);
    serve(0)(asked);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  await client.put('a', '1');
  await client.delete('a');
  await client.txn({ then: [{ put: 'a' }] });
  await client.compact(3);
  await client.grantLease(10, { id: 5n });
  await client.revokeLease(5n);
  await client.keepAliveLease(5n);
  await client.get('a');
  await client.moveLeader(1);
  t.strictSame(
    numbered,
    new Map<number, boolean>([
      [FrameType.Put, true],
      [FrameType.DeleteRange, true],
      [FrameType.Txn, true],
      [FrameType.Compact, true],
      [FrameType.LeaseGrant, true],
      [FrameType.LeaseRevoke, true],
      [FrameType.LeaseKeepAlive, false],
      [FrameType.Range, false],
      [FrameType.MoveLeader, false],
    ]),
  );
});

t.test('without sessions nothing is numbered', async (t) => {
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint], sessions: false });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await client.put('a', '1');
  t.equal(node.sessionCount(), 0);
  t.strictSame(node.marks, []);
});

t.test('a write whose connection breaks is sent again under its number', async (t) => {
  const first = await startFakeNode(0, ({ hangUp }) => hangUp());
  const second = await startFakeNode(1, serve(1));
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));

  const replies = await Promise.all([client.put('a', '1'), client.put('b', '2')]);
  t.strictSame(
    replies.map(({ nodeId }) => nodeId),
    [1, 1],
  );
  t.strictSame(second.marks, [
    { session: 1, sequence: 1, acknowledged: 0 },
    { session: 1, sequence: 2, acknowledged: 0 },
  ]);
  t.equal(second.sessionCount(), 0, 'the session is the same');
});

for (const [name, code] of [
  ['timed out', ErrorCode.TimedOut],
  ['leader changed', ErrorCode.LeaderChanged],
  ['stopped', ErrorCode.Stopped],
  ['no leader', ErrorCode.NoLeader],
] as const) {
  t.test(`a write refused with ${name} is sent again under its number`, async (t) => {
    const node = await startFakeNode(0, () => {});
    node.script = (asked) => {
      if (node.requests.length < 3) asked.refuse(code);
      else serve(0)(asked);
    };
    const client = connect({ endpoints: [node.endpoint] });
    t.teardown(() => Promise.all([client.close(), node.close()]));
    await client.put('a', '1');
    t.strictSame(
      node.marks.map(({ sequence }) => sequence),
      [1, 1, 1],
    );
  });
}

t.test('a write of a session that has expired goes into a new one', async (t) => {
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await client.put('a', '1');
  node.script = (asked) => {
    if (asked.mark?.session === 1) asked.refuse(ErrorCode.SessionExpired);
    else serve(0)(asked);
  };
  await Promise.all([client.put('a', '2'), client.put('b', '3')]);
  t.equal(node.sessionCount(), 2, 'one session for both');
  t.strictSame(
    node.marks.slice(-2).map(({ session, sequence }) => [session, sequence]),
    [
      [2, 1],
      [2, 2],
    ],
  );
});

t.test('a write of unknown outcome fails when its session has expired', async (t) => {
  const first = await startFakeNode(0, ({ hangUp }) => hangUp());
  const second = await startFakeNode(1, ({ refuse }) => refuse(ErrorCode.SessionExpired));
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));

  await t.rejects(client.put('a', '1'), {
    code: ErrorCode.SessionExpired,
    message: 'kvorum: the session of this write has expired; nobody knows whether it took effect',
  });
  second.script = serve(1);
  await client.put('a', '2');
  t.match(second.marks.at(-1), { session: 1, sequence: 1 }, "the second node's first session");
});

t.test('a write of unknown outcome is asked again where there is no room', async (t) => {
  const node = await startFakeNode(0, (asked) => {
    if (node.requests.length === 1) asked.hangUp();
    else if (node.requests.length === 2) asked.refuse(ErrorCode.NoSpace);
    else serve(0)(asked);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await client.put('a', '1');
  t.strictSame(
    node.marks.map(({ sequence }) => sequence),
    [1, 1, 1],
  );
  node.script = ({ refuse }) => refuse(ErrorCode.NoSpace);
  await t.rejects(client.put('a', '2'), { code: ErrorCode.NoSpace }, 'of which there is no doubt');
});

t.test('a write that no node took before is not in doubt when its session expires', async (t) => {
  const node = await startFakeNode(0, (asked) => {
    if (node.requests.length === 1) asked.refuse(ErrorCode.NoLeader);
    else if (node.requests.length === 2) asked.refuse(ErrorCode.SessionExpired);
    else serve(0)(asked);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await client.put('a', '1');
  t.match(node.marks.at(-1), { session: 2, sequence: 1 });
});

t.test('a node that expires every session at once is asked slower and slower', async (t) => {
  const node = await startFakeNode(0, ({ refuse }) => refuse(ErrorCode.SessionExpired));
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await t.rejects(client.put('a', '1'), {
    code: ErrorCode.DeadlineExceeded,
    message: /; it did not take effect$/,
  });
  t.ok(node.requests.length < 60, `${node.requests.length} attempts`);
});

t.test('a session that is full is left for a new one', async (t) => {
  const node = await startFakeNode(0, (asked) => {
    if (asked.mark?.session === 1) asked.refuse(ErrorCode.SessionFull);
    else serve(0)(asked);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await client.put('a', '1');
  t.match(node.marks.at(-1), { session: 2, sequence: 1 });
});

t.test('a write that is given up counts as settled: its answer need not be kept', async (t) => {
  const node = await startFakeNode(0, (asked) => {
    if (node.requests.length > 1) serve(0)(asked);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await t.rejects(client.put('a', '1', { timeoutMs: 500 }), {
    code: ErrorCode.DeadlineExceeded,
    message: /nobody knows whether it took effect$/,
  });
  await client.put('a', '2');
  t.match(node.marks.at(-1), { sequence: 2, acknowledged: 1 });
});

t.test('a request that is refused before it is sent leaves no gap', async (t) => {
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await t.rejects(client.put('a', '1', { lease: 2n ** 64n }), { code: ErrorCode.FrameMalformed });
  const tooLarge = client.put('a', Buffer.alloc(3 * 1024 * 1024));
  await t.rejects(tooLarge, { code: ErrorCode.RequestTooLarge });
  await client.put('a', '1');
  t.match(node.marks, [{ sequence: 2, acknowledged: 1 }]);
});

t.test('a session is opened at the leader', async (t) => {
  const leader = await startFakeNode(0, serve(0));
  const follower = await startFakeNode(1, serve(1));
  follower.onSession = ({ redirect }) => redirect(redirectTo(leader));
  const client = connect({ endpoints: [follower.endpoint] });
  t.teardown(() => Promise.all([client.close(), leader.close(), follower.close()]));
  t.equal((await client.put('a', '1')).nodeId, 0);
  t.equal(leader.sessionCount(), 1);
  t.equal(follower.requests.length, 0, 'the write goes there at once');
});

t.test('a session that nobody opens: writes say why at their deadline', async (t) => {
  const node = await startFakeNode(0, serve(0));
  node.onSession = ({ refuse }) => refuse(ErrorCode.TooManySessions);
  const client = connect({ endpoints: [node.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await t.rejects(client.put('a', '1'), {
    code: ErrorCode.DeadlineExceeded,
    message: /too many sessions; it did not take effect$/,
  });
  const before = node.sessionCount();
  node.onSession = () => {};
  await t.rejects(client.put('a', '1'), { message: /no answer to the request/ });
  t.equal(node.sessionCount(), before + 1, 'nobody asks on when nobody waits');
  t.equal(node.requests.filter(({ type }) => type === FrameType.Put).length, 0);
});

t.test('closing ends writes that wait for a session: they had no effect', async (t) => {
  const node = await startFakeNode(0, serve(0));
  node.onSession = () => {};
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => node.close());
  const write = client.put('a', '1');
  while (node.sessionCount() === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.close();
  await t.rejects(write, { code: ErrorCode.Stopped, message: 'the client was closed' });
});
