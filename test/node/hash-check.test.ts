/** Members compare their stores; the odd one is found, and serves nobody any more. */

import t from 'tap';
import { type Alarm, AlarmKind } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { nextTick } from '../cluster/processes.ts';
import { garble, PRECIOUS } from './garble.ts';
import { GrowingCluster } from './growing-cluster.ts';

t.setTimeout(280_000);

/** Elections that a machine with other work does not cause. */
const PATIENT = { upkeep: { corruptCheckMs: 300 }, heartbeatMs: 100, electionMs: 1_000 };

async function startThree(t: Parameters<typeof GrowingCluster.start>[0]): Promise<GrowingCluster> {
  const cluster = await GrowingCluster.start(t, PATIENT);
  const client = cluster.client();
  await cluster.addVoter(client);
  await cluster.addVoter(client);
  await client.put('precious', PRECIOUS);
  const numbers = Array.from({ length: 100 }, (_, number) => number);
  await Promise.all(numbers.map((number) => client.put(`k${number}`, String(number))));
  for (const { member } of cluster.nodes.values()) {
    while (member.store.revision() < 102) await nextTick();
    await member.store.flush();
  }
  return cluster;
}

/** Stops a node, changes what its disk holds, and starts it again. */
async function corrupt(cluster: GrowingCluster, id: number): Promise<void> {
  await cluster.stopNode(id);
  await garble(cluster.directoryOf(id));
  await cluster.startNode(id);
}

async function alarmsOf(
  cluster: GrowingCluster,
  ids: readonly number[],
): Promise<readonly Alarm[]> {
  const client = cluster.client(ids);
  for (;;) {
    const { alarms } = await client.alarms();
    if (alarms.length > 0) return alarms;
    await nextTick();
  }
}

t.test('a member whose disk garbled a value is found, and refuses to serve', async (t) => {
  const cluster = await startThree(t);
  const leader = await cluster.leader();
  const odd = [0, 1, 2].find((id) => id !== leader)!;
  await corrupt(cluster, odd);
  const others = [0, 1, 2].filter((id) => id !== odd);
  t.strictSame(await alarmsOf(cluster, others), [{ nodeId: odd, kind: AlarmKind.Corrupt }]);
  const { member } = cluster.nodes.get(odd)!;
  while (!member.serving.isCorrupt) await nextTick();

  const own = cluster.client([odd]);
  const refusal = { code: ErrorCode.CorruptCluster, message: 'etcdserver: corrupt cluster' };
  await t.rejects(own.get('precious'), refusal);
  await t.rejects(own.get('precious', { serializable: true }), refusal);
  await t.rejects(own.put('a', '1'), refusal);
  await t.rejects(own.leases(), refusal);
  t.strictSame((await own.alarms()).alarms, [{ nodeId: odd, kind: AlarmKind.Corrupt }]);

  await t.test('clients of the cluster are served by the others', async (t) => {
    const client = cluster.client();
    await client.put('a', '1');
    for (let times = 0; times < 5; times += 1) {
      t.equal((await cluster.client().get('precious'))?.value.toString(), PRECIOUS);
    }
  });

  await t.test('it is replaced by a member that is sound', async (t) => {
    const client = cluster.client(others);
    await client.removeMember(odd);
    await cluster.fault(odd);
    cluster.nodes.delete(odd);
    await cluster.addVoter(client);
    await client.disarmAlarm({ nodeId: odd, kind: AlarmKind.Corrupt });
    const hashes = await Promise.all(
      [...cluster.nodes.keys()].map((id) => cluster.client([id]).hashKv({ revision: 100 })),
    );
    t.equal(new Set(hashes.map(({ hash }) => hash)).size, 1);
    t.strictSame((await client.alarms()).alarms, []);
  });
});

t.test('a leader that turns out to be the odd one hands leadership over', async (t) => {
  const cluster = await startThree(t);
  const odd = await cluster.leader();
  const others = [0, 1, 2].filter((id) => id !== odd);
  await corrupt(cluster, odd);
  const client = cluster.client(others);
  await client.moveLeader(odd).catch(() => {});
  t.strictSame(await alarmsOf(cluster, others), [{ nodeId: odd, kind: AlarmKind.Corrupt }]);
  await client.put('a', '1');
  t.not(await cluster.leader(), odd);
});

t.test('of two members that differ neither serves', async (t) => {
  const cluster = await GrowingCluster.start(t, PATIENT);
  const client = cluster.client();
  await cluster.addVoter(client);
  await client.put('precious', PRECIOUS);
  for (const { member } of cluster.nodes.values()) {
    while (member.store.revision() < 2) await nextTick();
    await member.store.flush();
  }
  await corrupt(cluster, 1);
  const both = [0, 1].map((nodeId) => ({ nodeId, kind: AlarmKind.Corrupt }));
  for (;;) {
    const { alarms } = await cluster.client().alarms();
    if (alarms.length === 2) break;
    await nextTick();
  }
  t.strictSame((await cluster.client().alarms()).alarms, both);
  for (const id of [0, 1]) {
    await t.rejects(cluster.client([id]).get('precious'), { code: ErrorCode.CorruptCluster });
  }
});

t.test('sound members raise no alarm, whatever they do', async (t) => {
  const cluster = await GrowingCluster.start(t, {
    ...PATIENT,
    upkeep: { corruptCheckMs: 100 },
    logKept: { entriesMax: 5, bytesMax: 1_000 },
  });
  const client = cluster.client();
  await cluster.addVoter(client);
  let checked = 0;
  for (let round = 0; round < 3; round += 1) {
    const numbers = Array.from({ length: 60 }, (_, number) => number);
    await Promise.all(
      numbers.map((number) => client.put(`k${(number * 7) % 40}`, `${round}-${number}`)),
    );
    const { revision } = await client.delete('k1', { prefix: true });
    await client.compact(revision - 20);
    if (round === 1) await cluster.addVoter(client);
    if (round === 2) {
      await cluster.stopNode(1);
      await cluster.startNode(1);
    }
  }
  const { revision } = await client.put('last', '1');
  for (const id of cluster.nodes.keys()) {
    const { member } = cluster.nodes.get(id)!;
    while (member.store.revision() < revision) await nextTick();
    checked += 1;
  }
  t.equal(checked, 3);
  const hashes = await Promise.all(
    [...cluster.nodes.keys()].map((id) => cluster.client([id]).hashKv({ revision })),
  );
  for (const reply of hashes) t.match(reply, { hash: hashes[0]!.hash, hashRevision: revision });
  t.strictSame((await client.alarms()).alarms, []);
});
