/** Redirects: followed, remembered, bounded. */

import t from 'tap';
import { type ClientEvent, REDIRECT_HOPS_MAX } from '../../include/client.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { redirectTo, serve, startFakeNode, unusedPort } from './fake-node.ts';

t.test('a put to a follower reaches the leader, which need not be an endpoint', async (t) => {
  const leader = await startFakeNode(0, serve(0));
  const follower = await startFakeNode(1, ({ redirect }) => redirect(redirectTo(leader)));
  const events: ClientEvent[] = [];
  const client = connect({
    endpoints: [follower.endpoint],
    onEvent: (event) => events.push(event),
  });
  t.teardown(() => Promise.all([client.close(), leader.close(), follower.close()]));

  const reply = await client.put('a', '10');
  t.equal(reply.nodeId, 0);
  t.strictSame(
    events.filter((event) => event.kind === 'redirect'),
    [{ kind: 'redirect', endpoint: follower.endpoint, leaderId: 0, leader: leader.endpoint }],
  );
});

t.test('the leader is remembered: a second put asks no follower', async (t) => {
  const leader = await startFakeNode(0, serve(0));
  const follower = await startFakeNode(1, ({ redirect }) => redirect(redirectTo(leader)));
  const client = connect({ endpoints: [follower.endpoint] });
  t.teardown(() => Promise.all([client.close(), leader.close(), follower.close()]));

  await client.put('a', '1');
  await client.put('b', '2');
  await client.delete('c');
  t.equal(follower.requests.length, 1);
  t.equal(leader.requests.length, 3);
});

t.test('reads stay with the endpoint although the leader is known', async (t) => {
  const leader = await startFakeNode(0, serve(0));
  const follower = await startFakeNode(1, (asked) => {
    if (asked.request.type === 0x11) serve(1)(asked);
    else asked.redirect(redirectTo(leader));
  });
  const client = connect({ endpoints: [follower.endpoint] });
  t.teardown(() => Promise.all([client.close(), leader.close(), follower.close()]));

  await client.put('a', '1');
  t.equal((await client.get('a'))?.value.toString(), 'A');
  t.equal((await client.range('a')).nodeId, 1);
});

t.test('a request that is sent in circles rests, and fails at its deadline', async (t) => {
  const first = await startFakeNode(0, () => {});
  const second = await startFakeNode(1, ({ redirect }) => redirect(redirectTo(first)));
  first.script = ({ redirect }) => redirect(redirectTo(second));
  const client = connect({ endpoints: [first.endpoint], requestTimeoutMs: 1_000 });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));

  await t.rejects(client.put('a', '1'), {
    code: ErrorCode.DeadlineExceeded,
    message: /it redirects to node [01] at .*; it did not take effect$/,
  });
  const rounds = Math.ceil(1_000 / 5);
  t.ok(first.requests.length + second.requests.length < rounds * (REDIRECT_HOPS_MAX + 1));
});

t.test('a node that redirects to itself is asked again after a rest', async (t) => {
  const node = await startFakeNode(0, () => {});
  node.script = (asked) => {
    if (node.requests.length < 3) asked.redirect(redirectTo(node));
    else serve(0)(asked);
  };
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  await client.put('a', '1');
  t.equal(node.requests.length, 3);
});

t.test('a redirect to a leader that is gone leads back, until there is a new one', async (t) => {
  const port = await unusedPort();
  const follower = await startFakeNode(1, (asked) => {
    if (follower.requests.length > 2) serve(1)(asked);
    else asked.redirect({ leaderId: 0, address: '127.0.0.1', port });
  });
  const client = connect({ endpoints: [follower.endpoint] });
  t.teardown(() => Promise.all([client.close(), follower.close()]));

  t.equal((await client.put('a', '1')).nodeId, 1);
  t.equal(follower.requests.length, 3);
});

t.test('a leader that lost its office is forgotten', async (t) => {
  const old = await startFakeNode(0, serve(0));
  const follower = await startFakeNode(1, ({ redirect }) => redirect(redirectTo(old)));
  const client = connect({ endpoints: [follower.endpoint] });
  t.teardown(() => Promise.all([client.close(), old.close(), follower.close()]));

  await client.put('a', '1');
  old.script = ({ refuse }) => refuse(ErrorCode.NotLeader);
  follower.script = serve(1);
  t.equal((await client.put('a', '2')).nodeId, 1);
  t.equal((await client.put('a', '3')).nodeId, 1);
  t.equal(old.requests.length, 2);
});
