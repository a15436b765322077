/** Alarms of a cluster: whoever is concerned, all members know. */

import t from 'tap';
import { type Alarm, AlarmAction, AlarmKind } from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { requestWrite } from '../../src/node/client-requests.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
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

t.test(
  'watches of a member that turns out to be corrupt end there, or go on elsewhere',
  async (t) => {
    const cluster = await GrowingCluster.start(t);
    const client = cluster.client();
    const odd = await cluster.addVoter(client);
    const { store } = cluster.nodes.get(odd)!.member;
    const own = cluster.client([odd]).watch('seen');
    await own.created;
    // Which endpoint a client begins with is drawn.
    let any = cluster.client().watch('seen');
    await any.created;
    while (store.watches.counts().watches < 2) {
      await any.close();
      any = cluster.client().watch('seen');
      await any.created;
    }
    await raise(cluster, { nodeId: odd, kind: AlarmKind.Corrupt });
    await t.rejects(own[Symbol.asyncIterator]().next(), {
      code: ErrorCode.CorruptCluster,
      message: 'etcdserver: corrupt cluster',
    });
    t.equal(store.watches.counts().watches, 0);
    const { revision } = await cluster.client([0]).put('seen', '1');
    for await (const { events } of any) {
      t.strictSame(
        events.map(({ kv }) => kv.modRevision),
        [revision],
      );
      break;
    }
  },
);

/** Raises an alarm, as its member would. */
async function raise(cluster: GrowingCluster, alarm: Alarm): Promise<void> {
  const body = { ...alarm, action: AlarmAction.Raise };
  const command = { type: FrameType.AlarmSet, body } as const;
  const { member } = cluster.nodes.get(await cluster.leader())!;
  await new Promise<void>((resolve, reject) => {
    const answer = (): void => resolve();
    const asker = { answer, refuse: reject, redirect: reject };
    requestWrite(member, asker, 1, encodeCommand(command), command);
  });
}
