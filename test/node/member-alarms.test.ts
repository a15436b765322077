/** Alarms of a cluster: whoever is concerned, all members know. */

import t from 'tap';
import { AlarmKind } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { nextTick } from '../cluster/processes.ts';
import { GrowingCluster } from './growing-cluster.ts';

t.setTimeout(240_000);

const NODE_ONE_FULL = [{ nodeId: 1, kind: AlarmKind.NoSpace }];

t.test('a follower without space stops the growth of all, also of who joins', async (t) => {
  const cluster = await GrowingCluster.start(t, { logKept: { entriesMax: 1, bytesMax: 1 } });
  const client = cluster.client();
  await client.put('before', '1');
  await cluster.addVoter(client);
  await cluster.stopNode(1);
  await cluster.startNode(1, { upkeep: { quotaBytes: 1 } });
  while ((await client.alarms()).alarms.length === 0) await nextTick();
  t.strictSame((await client.alarms()).alarms, NODE_ONE_FULL);
  const alarmIndex = cluster.nodes.get(0)!.member.store.applied().index;
  await t.rejects(client.put('a', '1'), { code: ErrorCode.NoSpace });
  await t.resolves(client.delete('before'));

  await t.test('a member that gets a snapshot knows it as well', async (t) => {
    const { raft } = cluster.nodes.get(await cluster.leader())!.member;
    while (raft.log.startIndex < alarmIndex) await nextTick();
    const id = await cluster.addVoter(client);
    const joined = cluster.nodes.get(id)!.member;
    t.strictSame(joined.store.alarms(), NODE_ONE_FULL);
    const status = await client.status({ endpoint: `127.0.0.1:${cluster.ports.get(id)}` });
    t.strictSame(status.alarms, NODE_ONE_FULL);
  });

  await t.test('with room again, it is disarmed for good', async (t) => {
    await cluster.stopNode(1);
    await cluster.startNode(1);
    t.strictSame((await client.disarmAlarm(NODE_ONE_FULL[0]!)).alarms, NODE_ONE_FULL);
    await t.resolves(client.put('a', '1'));
    t.strictSame((await client.alarms()).alarms, []);
  });
});
