import t from 'tap';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { createCluster, runCommand, startCluster } from './processes.ts';

t.test('three nodes serve the terminal client on each of them', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const follower = cluster.endpoints[(leader + 1) % 3] ?? '';

  await t.test('a put at a follower follows the redirect, and -v shows it', async (t) => {
    const put = await runCommand(['--endpoints', follower, '-v', 'put', 'a', '10']);
    t.equal(put.output, 'OK\n');
    t.equal(put.code, 0);
    t.match(put.errorOutput, `redirect: ${follower} -> leader ${leader}`);
  });

  await t.test('a get on each node prints key and value', async (t) => {
    for (const endpoint of cluster.endpoints) {
      const get = await runCommand(['--endpoints', endpoint, 'get', 'a']);
      t.equal(get.output, 'a\n10\n');
    }
  });

  await t.test('a linearizable read on a follower sees a write just acknowledged', async (t) => {
    const writer = cluster.client([leader]);
    const reader = cluster.client([(leader + 1) % 3]);
    for (let i = 0; i < 100; i += 1) {
      await writer.put('fresh', String(i));
      t.equal((await reader.get('fresh'))?.value.toString(), String(i));
    }
  });

  await t.test('move-leader hands leadership to the node named', async (t) => {
    const { nodeId: from } = await cluster.leader();
    const target = (from + 1) % 3;
    const moved = await runCommand(['--endpoints', follower, 'move-leader', String(target)]);
    t.equal(moved.output, `Leadership transferred from ${from} to ${target}\n`);
    t.equal((await cluster.leader()).nodeId, target);
  });

  await t.test('move-leader to a node that does not exist is refused', async (t) => {
    const moved = await runCommand(['--endpoints', follower, 'move-leader', '9']);
    t.equal(moved.errorOutput, 'Error: etcdserver: bad leader transferee\n');
    t.equal(moved.code, 1);
  });

  await t.test('status shows every node once, with one leader', async (t) => {
    const status = await runCommand(['--endpoints', follower, 'status']);
    for (const endpoint of cluster.endpoints) t.match(status.output, endpoint);
    t.equal(status.output.match(/\bleader\b/g)?.length, 1);
  });

  await t.test('SIGTERM to the leader hands over and exits 0', async (t) => {
    const { nodeId: old } = await cluster.leader();
    const node = cluster.node(old);
    node.kill('SIGTERM');
    t.strictSame(await node.ended, { code: 0, signal: null });
    t.ok(node.lines.some((line) => line.event === 'handing leadership over'));
    const others = [0, 1, 2].filter((id) => id !== old);
    t.not((await cluster.leader(others)).nodeId, old);
    t.equal((await cluster.client(others).get('a'))?.value.toString(), '10');
  });
});

t.test('without a majority writes and linearizable reads name who is missing', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  await cluster.client([leader]).put('a', '1');
  const left = (leader + 1) % 3;
  const gone = [0, 1, 2].filter((id) => id !== left);
  await cluster.client([left]).get('a');
  await Promise.all(gone.map((id) => cluster.kill(id)));
  const client = cluster.client([left], 1_500);

  const failures = [
    await client.put('a', '2').catch((error: unknown) => error),
    await client.get('a').catch((error: unknown) => error),
  ];
  for (const failure of failures) {
    t.type(failure, KvorumError);
    t.equal(failure instanceof KvorumError && failure.code, ErrorCode.DeadlineExceeded);
    for (const id of gone) {
      t.match(
        String(failure),
        `node ${id} (${cluster.endpoints[id]})`,
        'it names the missing member',
      );
    }
  }
  const local = await client.range('a', { serializable: true });
  t.equal(local.kvs[0]?.value.toString(), '1', 'a serializable read still answers');
});

t.test('a learner receives the log, serves reads and never leads', async (t) => {
  const cluster = await startCluster(t, { size: 4, attributes: { 3: 'role=learner' } });
  const { nodeId: leader } = await cluster.leader([0, 1, 2]);
  await cluster.client([leader]).put('a', '1');
  t.equal((await cluster.client([3]).get('a'))?.value.toString(), '1');
  const refused = await runCommand(['--endpoints', cluster.endpoints[0] ?? '', 'move-leader', '3']);
  t.equal(refused.errorOutput, 'Error: etcdserver: bad leader transferee\n');
});

t.test('one node alone is a cluster', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  await cluster.leader();
  const client = cluster.client();
  t.equal((await client.put('a', '1')).revision, 2);
  await cluster.kill(0);
  await cluster.start(0);
  t.equal((await client.get('a'))?.value.toString(), '1');
});

t.test('a cluster that is not started yet is waited for', async (t) => {
  const cluster = await createCluster(t);
  const put = cluster.client(undefined, 20_000).put('a', '1');
  await Promise.all([0, 1, 2].map((id) => cluster.start(id)));
  t.equal((await put).revision, 2);
});
