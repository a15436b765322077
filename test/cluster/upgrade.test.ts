/** Nodes of two versions as processes: a rolling upgrade while clients write. */

import t, { type Test } from 'tap';
import { PROTOCOL_VERSION } from '../../include/rpc.ts';
import { findLost, startLoad } from './load.ts';
import { createCluster, nextTick } from './processes.ts';

const OLDER = PROTOCOL_VERSION - 1;

/** Milliseconds a request may take: not a limit on speed, but an end of waiting. */
const REQUEST_MS = 120_000;

t.setTimeout(900_000);

/**
 * Restarts all nodes in turn as they are now, those that are older at the end, under load.
 *
 * @param older ids of nodes that begin as an older version
 */
async function upgrade(t: Test, older: readonly number[]): Promise<void> {
  const cluster = await createCluster(t);
  const newer = [0, 1, 2].filter((id) => !older.includes(id));
  await Promise.all([
    ...newer.map((id) => cluster.start(id)),
    ...older.map((id) => cluster.startOlder(id, OLDER)),
  ]);
  await cluster.leader();
  const client = cluster.client(undefined, REQUEST_MS);
  const statuses = () =>
    Promise.all(cluster.endpoints.map((endpoint) => client.status({ endpoint })));
  const load = startLoad([cluster.client(undefined, REQUEST_MS)], 4);
  for (const id of [...newer, ...older]) {
    await load.nextAcknowledgement();
    for (const { clusterVersion } of await statuses()) t.equal(clusterVersion, OLDER);
    const node = cluster.node(id);
    node.kill('SIGTERM');
    t.match(await node.ended, { code: 0 });
    await cluster.start(id);
    await load.nextAcknowledgement();
  }
  while ((await statuses()).some((one) => one.clusterVersion < PROTOCOL_VERSION)) {
    await nextTick();
  }
  await load.nextAcknowledgement();
  await load.stop();
  t.strictSame(load.failures, [], 'the client has tried again by itself');
  t.ok(load.acknowledged.size > 0);
  t.strictSame(await findLost(client, load), []);
}

t.test('a cluster with one older member is upgraded under load, and loses nothing', (t) =>
  upgrade(t, [2]),
);

t.test('so is one with two older members', (t) => upgrade(t, [0, 2]));
