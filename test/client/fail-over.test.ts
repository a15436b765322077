/** What is sent again, where, and what is not. */

import t from 'tap';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { serve, startFakeNode, unusedPort } from './fake-node.ts';

t.test('an endpoint that cannot be reached is passed over, for reads and writes', async (t) => {
  const port = await unusedPort();
  const node = await startFakeNode(0, serve(0));
  const endpoints = [`127.0.0.1:${port}`, node.endpoint];
  t.teardown(() => node.close());

  for (const pin of [0, 1]) {
    const client = connect({ endpoints }, { random: { below: () => pin } });
    t.equal((await client.get('a'))?.value.toString(), 'A');
    await client.put('a', '1');
    await client.close();
  }
});

t.test('reads stick to one endpoint', async (t) => {
  const nodes = await Promise.all([0, 1, 2].map((id) => startFakeNode(id, serve(id))));
  const endpoints = nodes.map((node) => node.endpoint);
  const client = connect({ endpoints }, { random: { below: () => 1 } });
  t.teardown(() => Promise.all([client.close(), ...nodes.map((node) => node.close())]));

  for (let i = 0; i < 20; i += 1) await client.get('a');
  t.strictSame(
    nodes.map((node) => node.requests.length),
    [0, 20, 0],
  );
  t.equal(nodes[0]?.connectionCount(), 0);
});

t.test('a read whose connection breaks is sent again', async (t) => {
  const first = await startFakeNode(0, ({ hangUp }) => hangUp());
  const second = await startFakeNode(1, serve(1));
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));

  t.equal((await client.get('a'))?.value.toString(), 'A');
  t.equal(first.requests.length, 1);
  t.equal(second.requests.length, 1);
});

t.test('without sessions a put whose connection breaks is lost: nobody knows', async (t) => {
  const first = await startFakeNode(0, ({ hangUp }) => hangUp());
  const second = await startFakeNode(1, serve(1));
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints, sessions: false }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));

  await t.rejects(client.put('a', '1'), {
    code: ErrorCode.ConnectionLost,
    message: /nobody knows whether it took effect$/,
  });
  t.equal(second.requests.length, 0);
  t.equal((await client.put('a', '2')).nodeId, 1, 'the next one goes elsewhere');
});

t.test('a client finds its node again after a restart', async (t) => {
  const before = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [before.endpoint] });
  await client.put('a', '1');
  await before.close();

  const late = client.get('a');
  const after = await startFakeNode(0, serve(0), before.port);
  t.teardown(() => Promise.all([client.close(), after.close()]));
  t.equal((await late)?.value.toString(), 'A');
});

const retried = [
  ['no leader', ErrorCode.NoLeader],
  ['not leader', ErrorCode.NotLeader],
  ['too many requests', ErrorCode.TooManyRequests],
  ['a learner', ErrorCode.LearnerRefused],
] as const;
for (const [name, code] of retried) {
  t.test(`a put that a node refuses with ${name} is sent again`, async (t) => {
    const node = await startFakeNode(0, () => {});
    node.script = (asked) => {
      if (node.requests.length < 4) asked.refuse(code);
      else serve(0)(asked);
    };
    const client = connect({ endpoints: [node.endpoint] });
    t.teardown(() => Promise.all([client.close(), node.close()]));
    await client.put('a', '1');
    t.equal(node.requests.length, 4);
  });
}

const unknown = [
  ['timed out', ErrorCode.TimedOut],
  ['leader changed', ErrorCode.LeaderChanged],
  ['stopped', ErrorCode.Stopped],
] as const;
for (const [name, code] of unknown) {
  t.test(`without sessions a put refused with ${name} says that nobody knows`, async (t) => {
    const node = await startFakeNode(0, ({ refuse }) => refuse(code, 'it says why'));
    const client = connect({ endpoints: [node.endpoint], sessions: false });
    t.teardown(() => Promise.all([client.close(), node.close()]));
    await t.rejects(client.put('a', '1'), {
      code,
      message: 'it says why; nobody knows whether it took effect',
    });
    t.equal(node.requests.length, 1);
  });

  t.test(`a read refused with ${name} is sent again, to another endpoint`, async (t) => {
    const first = await startFakeNode(0, ({ refuse }) => refuse(code));
    const second = await startFakeNode(1, serve(1));
    const endpoints = [first.endpoint, second.endpoint];
    const client = connect({ endpoints }, { random: { below: () => 0 } });
    t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));
    await client.get('a');
    t.equal(first.requests.length, 1);
    t.equal(second.requests.length, 1);
  });
}

t.test('a refusal that would come again is not retried', async (t) => {
  const node = await startFakeNode(0, ({ refuse }) => refuse(ErrorCode.Compacted));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  const refusal = {
    code: ErrorCode.Compacted,
    message: 'etcdserver: mvcc: required revision has been compacted',
  };
  await t.rejects(client.get('a', { revision: 1 }), refusal);
  await t.rejects(client.put('a', '1'), refusal);
  t.equal(node.requests.length, 2);
});

t.test('a node that falls silent is left after a while: reads move on', async (t) => {
  const first = await startFakeNode(0, serve(0));
  const second = await startFakeNode(1, serve(1));
  const endpoints = [first.endpoint, second.endpoint];
  const client = connect({ endpoints }, { random: { below: () => 0 } });
  t.teardown(() => Promise.all([client.close(), first.close(), second.close()]));
  await client.get('a');
  // A stopped process: its kernel takes what is sent, nothing comes back.
  first.freeze();
  t.equal((await client.range('a')).nodeId, 1);
  await client.status();
});

t.test('one node asked by name is not replaced by another', async (t) => {
  const port = await unusedPort();
  const node = await startFakeNode(0, serve(0));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await t.rejects(client.status({ endpoint: `127.0.0.1:${port}` }), {
    code: ErrorCode.Unreachable,
    message: /connection refused/,
  });
  t.equal((await client.status({ endpoint: node.endpoint })).nodeId, 0);
  t.equal(node.requests.filter(({ type }) => type === FrameType.Status).length, 1);
});
