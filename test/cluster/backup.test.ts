/** Backups of a cluster that serves on, and clusters made from them. */

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startLoad } from './load.ts';
import { createCluster, type ProcessCluster, runCommand, startCluster } from './processes.ts';

t.setTimeout(300_000);

/** What a cluster's key space holds, as text. */
async function pairsOf(cluster: ProcessCluster): Promise<Map<string, string>> {
  const pairs = new Map<string, string>();
  for await (const { kvs } of cluster.client().pages('', { prefix: true })) {
    for (const { key, value } of kvs) pairs.set(String(key), String(value));
  }
  return pairs;
}

/** Makes the data directories of all nodes anew. */
async function restoreAll(cluster: ProcessCluster, file: string, ...flags: readonly string[]) {
  for (const id of cluster.endpoints.keys()) {
    await rename(join(cluster.directory, `node-${id}`), join(cluster.directory, `old-${id}`));
    const { code, errorOutput } = await runCommand(
      ['snapshot', 'restore', file, '--id', String(id), '--data-dir', `node-${id}`, ...flags],
      { cwd: cluster.directory },
    );
    t.equal(code, 0, errorOutput);
  }
}

t.test('a cluster restored from a backup under load has a state of one revision', async (t) => {
  const cluster = await startCluster(t);
  const leader = await cluster.leader();
  const load = startLoad([cluster.client()], 8);
  await load.nextAcknowledgement();
  const before = new Map(load.acknowledged);
  const follower = cluster.endpoints.findIndex((_, id) => id !== leader.nodeId);
  const file = join(cluster.directory, 'backup');
  const endpoint = cluster.endpoints[follower] ?? '';
  const saved = await runCommand(['snapshot', 'save', file, '--endpoints', endpoint]);
  t.equal(saved.code, 0, saved.errorOutput);
  const revision = Number(/revision (\d+) of/.exec(saved.errorOutput)?.[1]);
  await load.stop();
  t.ok(load.failures.length === 0, 'the cluster served on');
  const { kvs } = await cluster.client().range('', { prefix: true, revision });
  const asOfThen = new Map(kvs.map(({ key, value }) => [String(key), String(value)]));
  for (const [key, value] of before) t.equal(asOfThen.get(key), value);

  await Promise.all(cluster.endpoints.map((_, id) => cluster.kill(id)));
  await restoreAll(cluster, file, '--bump-revision', '1000000', '--mark-compacted');
  await Promise.all(cluster.endpoints.map((_, id) => cluster.start(id)));
  const restored = await cluster.leader();
  t.not(restored.clusterId, leader.clusterId);
  t.strictSame(await pairsOf(cluster), asOfThen);
  const { revision: next } = await cluster.client().put('after', '1');
  t.equal(next, revision + 1_000_000 + 1);

  // A member of the old cluster is none of the new one.
  await cluster.kill(2);
  await rename(join(cluster.directory, 'node-2'), join(cluster.directory, 'new-2'));
  await rename(join(cluster.directory, 'old-2'), join(cluster.directory, 'node-2'));
  await cluster.start(2);
  await cluster.client([0, 1]).put('still', 'served');
  const alone = cluster.client([2], 1_000);
  await t.rejects(alone.get('still'));
  t.equal((await alone.get('after', { serializable: true }))?.value, undefined);
});

t.test('a backup of three nodes becomes a cluster of one', async (t) => {
  const cluster = await startCluster(t);
  await cluster.client().put('a', '10');
  const file = join(cluster.directory, 'backup');
  const [endpoint = ''] = cluster.endpoints;
  await runCommand(['snapshot', 'save', file, '--endpoints', endpoint]);

  const single = await createCluster(t, { size: 1 });
  const { code, errorOutput } = await runCommand(
    ['snapshot', 'restore', file, '--id', '0', '--data-dir', 'node-0'],
    { cwd: single.directory },
  );
  t.equal(code, 0, errorOutput);
  await single.start(0);
  await single.leader();
  t.equal(String((await single.client().get('a'))?.value), '10');
  await single.kill(0);
  await single.start(0);
  await single.client().put('b', '11');
});
