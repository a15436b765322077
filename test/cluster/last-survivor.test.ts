/** `serve --force-new-cluster`: what one node has left goes on without the others. */

import t from 'tap';
import { Role } from '../../include/node.ts';
import { startLoad } from './load.ts';
import { nextTick, startCluster } from './processes.ts';

t.setTimeout(300_000);

t.test('the last survivor keeps what its log has, and others join it', async (t) => {
  const cluster = await startCluster(t);
  await cluster.leader();
  const load = startLoad([cluster.client()], 8);
  for (let count = 0; count < 50; count += 1) await load.nextAcknowledgement();
  await load.stop();
  const { commitIndex } = await cluster.leader();
  const survivor = cluster.client([2]);
  while ((await survivor.status()).lastIndex < commitIndex) await nextTick();
  await Promise.all(cluster.endpoints.map((_, id) => cluster.kill(id)));

  await cluster.start(2, ['--force-new-cluster']);
  const alone = await cluster.leader([2]);
  t.equal(alone.role, Role.Leader);
  t.strictSame(alone.peers, []);
  const client = cluster.client([2]);
  const { kvs } = await client.range('load/', { prefix: true });
  const found = new Map(kvs.map(({ key, value }) => [String(key), String(value)]));
  for (const [key, value] of load.acknowledged) t.equal(found.get(key), value);
  t.match(await client.members(), { members: [{ id: 2, isLearner: false }] });

  // The flag changes nothing more once it has taken effect, and need not stay.
  await client.put('after', '1');
  await cluster.kill(2);
  await cluster.start(2, ['--force-new-cluster']);
  t.equal(String((await cluster.client([2]).get('after'))?.value), '1');

  const lost = await cluster.start(0);
  t.match(await lost.ended, { code: 7 });
  t.ok(lost.lines.some(({ event }) => event === 'removed from the cluster'));

  const joined = await cluster.join();
  t.equal(joined.id, 3);
  await cluster.leader([2, 3]);
  t.equal(String((await cluster.client([3]).get('after'))?.value), '1');
});
