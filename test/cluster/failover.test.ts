import t from 'tap';
import { findLost, startLoad } from './load.ts';
import { startCluster } from './processes.ts';

t.test('writes go on after kill -9 of the leader, and nothing acknowledged is lost', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const load = startLoad([cluster.client(), cluster.client()], 4);
  await load.nextAcknowledgement();
  await cluster.kill(leader);
  const survivors = [0, 1, 2].filter((id) => id !== leader);
  const next = await cluster.leader(survivors);
  t.not(next.nodeId, leader);
  for (let count = 0; count < 100; count += 1) await load.nextAcknowledgement();
  await load.stop();
  for (const id of survivors) t.strictSame(await findLost(cluster.client([id]), load), []);

  await cluster.start(leader);
  const returned = cluster.client([leader]);
  t.strictSame(await findLost(returned, load), [], 'the killed leader catches up');
});

t.test('after kill -9 of all nodes under load nothing acknowledged is missing', async (t) => {
  const cluster = await startCluster(t);
  await cluster.leader();
  const clients = [cluster.client(undefined, 1_000), cluster.client(undefined, 1_000)];
  const load = startLoad(clients, 16);
  for (let count = 0; count < 500; count += 1) await load.nextAcknowledgement();
  await Promise.all([0, 1, 2].map((id) => cluster.kill(id)));
  await load.stop();

  await Promise.all([0, 1, 2].map((id) => cluster.start(id)));
  await cluster.leader();
  for (const id of [0, 1, 2]) t.strictSame(await findLost(cluster.client([id]), load), []);
  t.ok(load.acknowledged.size >= 500);
});

t.test('a follower that was away catches up from the log', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const away = (leader + 1) % 3;
  await cluster.kill(away);
  const client = cluster.client([leader]);
  for (let i = 0; i < 50; i += 1) await client.put(`k${i}`, 'v');
  const node = await cluster.start(away);
  const read = await cluster.client([away]).range('k', { prefix: true, countOnly: true });
  t.equal(read.count, 50);
  t.notOk(node.lines.some((line) => line.event === 'snapshot installed'));
});

t.test('a follower that missed more than the log keeps gets a snapshot', async (t) => {
  const cluster = await startCluster(t, { flags: ['--log-entries-kept', '20'] });
  const { nodeId: leader } = await cluster.leader();
  const away = (leader + 1) % 3;
  const client = cluster.client([leader]);
  await client.put('before', 'v');
  await cluster.kill(away);
  for (let i = 0; i < 300; i += 1) await client.put(`k${i % 30}`, `v${i}`);
  await client.delete('before');
  // The log is trimmed once a second, behind what the store has flushed.
  for (;;) {
    await client.put('tick', 'v');
    const { lastIndex } = await client.status();
    if (lastIndex > 2_000) break;
    if (cluster.node(leader).lines.some((line) => line.event === 'log trimmed')) break;
  }
  const node = await cluster.start(away);
  await node.waitFor((line) => line.event === 'snapshot installed');
  const local = cluster.client([away]);
  const read = await local.range('k', { prefix: true });
  t.equal(read.count, 30);
  t.equal(read.kvs.find((kv) => kv.key.toString() === 'k29')?.value.toString(), 'v299');
  t.equal(await local.get('before'), undefined);
  const old = await local.range('before', { revision: 2 });
  t.equal(old.kvs[0]?.value.toString(), 'v', 'history came with it');

  await cluster.kill(away);
  await cluster.start(away);
  t.equal((await cluster.client([away]).range('k', { prefix: true })).count, 30);
});
