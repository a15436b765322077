/** Members of two versions in one cluster: what is held back, until all know it. */

import t from 'tap';
import { AlarmAction, AlarmKind } from '../../include/kvstore.ts';
import { ErrorCode, FrameType, PROTOCOL_VERSION, sinceVersion } from '../../include/rpc.ts';
import { versionOfCommand } from '../../src/node/versions.ts';
import { startLoad } from '../cluster/load.ts';
import { nextTick } from '../cluster/processes.ts';
import { GrowingCluster } from './growing-cluster.ts';

const OLDER = PROTOCOL_VERSION - 1;

t.setTimeout(240_000);

/** Waits until every node that runs is told that the cluster has a version. */
async function untilVersion(cluster: GrowingCluster, version: number): Promise<void> {
  for (const { member } of cluster.nodes.values()) {
    while (member.store.clusterVersion() !== version) await nextTick();
  }
}

t.test(
  'while one member is older the cluster is; nothing that it does not know is sent',
  async (t) => {
    const cluster = await GrowingCluster.start(t, { protocolVersion: OLDER });
    const client = cluster.client();
    const second = await cluster.addVoter(client);
    const third = await cluster.addVoter(client);
    const load = startLoad([cluster.client([0, second, third])], 4);
    const raise = { nodeId: 0, kind: AlarmKind.NoSpace, action: AlarmAction.Raise } as const;

    // A rolling upgrade, the leader last.
    for (const id of [third, second]) {
      await cluster.stopNode(id);
      await cluster.startNode(id, { protocolVersion: PROTOCOL_VERSION });
      await load.nextAcknowledgement();
    }
    const leader = await cluster.leader();
    await load.nextAcknowledgement();
    t.equal(cluster.nodes.get(leader)?.member.store.clusterVersion(), OLDER);
    await t.rejects(client.disarmAlarm(raise), { code: ErrorCode.ClusterTooOld });
    const status = await client.status({ endpoint: `127.0.0.1:${cluster.ports.get(second)}` });
    t.match(status, { protocolVersion: PROTOCOL_VERSION, clusterVersion: OLDER });

    await cluster.stopNode(0);
    await cluster.startNode(0, { protocolVersion: PROTOCOL_VERSION });
    await untilVersion(cluster, PROTOCOL_VERSION);
    await client.disarmAlarm(raise);
    await load.stop();
    const { kvs } = await client.range('load/', { prefix: true });
    const found = new Map(kvs.map(({ key, value }) => [String(key), String(value)]));
    for (const [key, value] of load.acknowledged) t.equal(found.get(key), value);
  },
);

t.test('a member older than its cluster is refused, and does not start', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  await untilVersion(cluster, PROTOCOL_VERSION);
  const port = await cluster.choosePort();
  const { added } = await client.addMember({ address: '127.0.0.1', port, isLearner: true });
  const [id = -1] = added;
  cluster.ports.set(id, port);
  const older = await cluster.startNode(id, { protocolVersion: OLDER });
  await nextTick();
  t.equal(older.member.store.applied().index, 0, 'it is told nothing');
  await cluster.stopNode(id);
  const upgraded = await cluster.startNode(id);
  while (upgraded.member.store.clusterVersion() !== PROTOCOL_VERSION) await nextTick();

  await cluster.stopNode(id);
  await t.rejects(cluster.startNode(id, { protocolVersion: OLDER }), {
    kind: 'directory-newer',
    message: /the cluster speaks protocol version 2, this node 1; run the release/,
  });
});

t.test('the version of a command is that of its type, within a session too', async (t) => {
  const body = { nodeId: 0, kind: AlarmKind.NoSpace, action: AlarmAction.Raise } as const;
  t.equal(versionOfCommand({ type: FrameType.AlarmSet, body }), 2);
  const command = { type: FrameType.LeaseRevoke, body: { id: 1n } } as const;
  const mark = { session: 1, sequence: 1, acknowledged: 0 };
  t.equal(versionOfCommand({ type: FrameType.Once, mark, command }), 1);
  for (const type of Object.values(FrameType)) {
    t.ok(sinceVersion(type) <= PROTOCOL_VERSION, `${type}`);
  }
});
