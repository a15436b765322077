/** Members come and go while a cluster runs, on real nodes in this process. */

import t from 'tap';
import { MemberGoal } from '../../include/node.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { GrowingCluster } from './growing-cluster.ts';

t.test('a cluster is born with the members that nodes.conf names', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  const { members } = await client.members();
  const port = cluster.ports.get(0);
  const born = { id: 0, name: 'node-0', address: '127.0.0.1', port, isLearner: false };
  t.strictSame(members, [{ ...born, clientPort: undefined, goal: MemberGoal.Voter }]);
});

t.test('one node becomes three, each voting once it has caught up', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  for (let i = 0; i < 50; i += 1) await client.put(`k${i}`, 'v');
  t.equal(await cluster.addVoter(client), 1);
  t.equal(await cluster.addVoter(client), 2);
  const { members } = await client.members();
  t.strictSame(
    members.map(({ id, isLearner }) => [id, isLearner]),
    [
      [0, false],
      [1, false],
      [2, false],
    ],
  );

  await t.test('two of them are a majority without the first', async (t) => {
    await cluster.stopNode(0);
    const others = cluster.client([1, 2]);
    await others.put('after', '1');
    t.equal((await others.range('k', { prefix: true, countOnly: true })).count, 50);
  });
});

t.test('a node joins by a snapshot when the log is gone', async (t) => {
  const cluster = await GrowingCluster.start(t, { logKept: { entriesMax: 5, bytesMax: 1_000 } });
  const client = cluster.client();
  for (let i = 0; i < 200; i += 1) await client.put(`k${i}`, 'v'.repeat(100));
  const raft = cluster.nodes.get(0)!.member.raft;
  while (raft.log.startIndex === 0) await new Promise((done) => setTimeout(done, 50));
  const id = await cluster.addVoter(client);
  const own = cluster.client([id]);
  const { count } = await own.range('k', { prefix: true, countOnly: true, serializable: true });
  t.equal(count, 200);
  t.ok(cluster.nodes.get(id)!.member.raft.log.startIndex > 0, 'it did not replay the log');
});

t.test('a joining node that was told nothing yet does not say that nobody is there', async (t) => {
  const cluster = await GrowingCluster.start(t);
  cluster.ports.set(7, await cluster.choosePort());
  await cluster.startNode(7);
  const client = cluster.client([7], { requestTimeoutMs: 1_000 });
  await t.rejects(client.members({ serializable: true }), /no leader/);
});

t.test('a node that joined is a member again when it is started again', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  const id = await cluster.addVoter(client);
  await cluster.stopNode(id);
  await cluster.startNode(id);
  const { revision } = await client.put('a', '1');
  t.equal((await cluster.client([id]).range('a')).revision, revision);
});

t.test('a removed node stops and says why', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client([0]);
  await cluster.addVoter(client);
  await cluster.addVoter(client);
  const leader = await cluster.leader();
  const id = leader === 2 ? 1 : 2;
  const { members } = await client.removeMember(id);
  t.notOk(members.some((member) => member.id === id));
  const fault = await cluster.fault(id);
  t.equal(fault.kind, 'member-removed');
  t.match(fault.message, `node ${id} was removed from the cluster`);

  await t.test('and is refused when it comes back', async (t) => {
    cluster.faults.delete(id);
    await cluster.startNode(id).catch(() => {});
    t.equal((await cluster.fault(id).catch(() => fault)).kind, 'member-removed');
  });

  await t.test('its id is not given again', async (t) => {
    const { added } = await client.addMember({ address: '127.0.0.1', port: 1, isLearner: true });
    t.strictSame(added, [3]);
  });
});

t.test('a leader that is removed hands over first', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  await cluster.addVoter(client);
  await cluster.addVoter(client);
  const leader = await cluster.leader();
  const all = cluster.client();
  const { members } = await all.removeMember(leader);
  t.notOk(members.some(({ id }) => id === leader));
  t.equal((await cluster.fault(leader)).kind, 'member-removed');
  await all.put('after', '1');
  t.not(await cluster.leader(), leader);
});

t.test('a node is replaced in one step', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  await cluster.addVoter(client);
  await cluster.addVoter(client);
  await client.put('a', '1');
  const all = cluster.client();
  const port = await cluster.choosePort();
  cluster.ports.set(3, port);
  const { added, members } = await all.changeMembers([
    { add: { address: '127.0.0.1', port } },
    { remove: 1 },
  ]);
  t.strictSame(added, [3]);
  t.equal(members.find(({ id }) => id === 1)?.goal, MemberGoal.Gone, 'it stays until 3 is ready');
  await cluster.startNode(3);
  const after = await cluster.until(all, (reply) => reply.members.every(({ id }) => id !== 1));
  t.strictSame(
    after.members.map(({ id, isLearner }) => [id, isLearner]),
    [
      [0, false],
      [2, false],
      [3, false],
    ],
  );
  t.equal((await cluster.fault(1)).kind, 'member-removed');
});

t.test('the only voter is replaced by another', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  await client.put('a', '1');
  const port = await cluster.choosePort();
  cluster.ports.set(1, port);
  await client.changeMembers([{ add: { address: '127.0.0.1', port } }, { remove: 0 }]);
  await cluster.startNode(1);
  t.equal((await cluster.fault(0)).kind, 'member-removed');
  const next = cluster.client([1]);
  t.equal((await next.get('a'))?.value.toString(), '1');
  t.strictSame(
    (await next.members()).members.map(({ id }) => id),
    [1],
  );
});

t.test('a member moves to another port', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client([0]);
  const id = await cluster.addVoter(client);
  const port = await cluster.choosePort();
  await client.updateMember(id, { port, name: 'b' });
  // It hears of it, though nobody finds it at its new place yet.
  const own = cluster.client([id]);
  const isKnown = (): Promise<boolean> =>
    own.members({ serializable: true }).then(({ members }) => members.some((m) => m.port === port));
  while (!(await isKnown()));
  await cluster.stopNode(id);
  cluster.ports.set(id, port);
  await cluster.startNode(id);
  await client.put('a', '1');
  const { members } = await client.members();
  t.match(
    members.find((member) => member.id === id),
    { port, name: 'b' },
  );
});

t.test('what is not safe is refused, and what makes no sense', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client([0]);
  const second = await cluster.addVoter(client);
  const third = await cluster.addVoter(client);
  const leader = await cluster.leader();
  const down = [0, second, third].find((id) => id !== leader && id !== 0)!;
  await cluster.stopNode(down);
  const healthy = [0, second, third].find((id) => id !== down && id !== leader)!;
  const place = { address: '127.0.0.1', port: 1 };
  await cluster.until(client, () =>
    cluster.nodes
      .get(leader)!
      .member.options.transport.peers()
      .some((peer) => !peer.isOnline),
  );
  const refused = [
    ['a removal that costs the majority', client.removeMember(healthy), ErrorCode.NotEnoughStarted],
    ['of nobody', client.removeMember(99), ErrorCode.MemberNotFound],
    ['a voter that is promoted', client.promoteMember(0), ErrorCode.MemberNotLearner],
    [
      'a place that is taken',
      client.addMember({ address: '127.0.0.1', port: cluster.ports.get(0)! }),
      ErrorCode.PeerUrlExists,
    ],
    ['no place', client.addMember({ address: 'no place', port: 1 }), ErrorCode.InvalidPeerUrl],
    ['no port', client.addMember({ address: '10.0.0.1', port: 0 }), ErrorCode.InvalidPeerUrl],
  ] as const;
  for (const [name, attempt, code] of refused) await t.rejects(attempt, { code }, name);
  await client.addMember({ ...place, isLearner: true });
  await t.rejects(client.promoteMember(3), { code: ErrorCode.LearnerNotReady }, 'not started');
  await client.removeMember(down);
  t.equal((await client.members()).members.length, 3);
});

t.test('a node that was away follows a leader that it does not know', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  await cluster.addVoter(client);
  await cluster.addVoter(client);
  await cluster.stopNode(2);
  const running = cluster.client([0, 1]);
  const id = await cluster.addVoter(running);
  await running.moveLeader(id);
  await cluster.client([id]).put('a', '1');
  await cluster.startNode(2);
  const own = cluster.client([2]);
  t.equal((await own.get('a'))?.value.toString(), '1');
  t.equal((await own.status()).leader, id);
});

t.test('changes that are asked for at the same time are made one after the other', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  const ports = [1, 2, 3, 4];
  const replies = await Promise.all(
    ports.map((port) => client.addMember({ address: '127.0.0.1', port, isLearner: true })),
  );
  t.strictSame(replies.flatMap(({ added }) => added).sort(), [1, 2, 3, 4]);
  t.equal((await client.members()).members.length, 5);
});

t.test('a learner stays one until it is promoted', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  const id = await cluster.add(client, true);
  await client.put('a', '1');
  const own = cluster.client([id]);
  while ((await own.get('a', { serializable: true })) === undefined);
  t.equal((await own.status()).isLearner, true);
  // Until the leader, too, has found the way to it.
  const isReady = (): Promise<boolean> => client.promoteMember(id).then(Boolean, () => false);
  while (!(await isReady()));
  const { members } = await client.members();
  t.equal(members.find((member) => member.id === id)?.isLearner, false);
});

t.test('a follower sends who would change the members to the leader', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client();
  const id = await cluster.addVoter(client);
  const leader = await cluster.leader();
  const follower = leader === id ? 0 : id;
  const { nodeId } = await cluster.client([follower]).updateMember(id, { name: 'b' });
  t.equal(nodeId, leader);
});

t.test('a leader says how far its peers are', async (t) => {
  const cluster = await GrowingCluster.start(t);
  const client = cluster.client([0]);
  const id = await cluster.addVoter(client);
  const leader = await cluster.leader();
  const ofLeader = cluster.client([leader]);
  let status = await ofLeader.status();
  while (status.peers[0]?.matchIndex !== status.lastIndex) status = await ofLeader.status();
  t.match(status.peers, [{ snapshotSentBytes: 0, snapshotSizeBytes: 0 }]);
  const follower = await cluster.client([leader === id ? 0 : id]).status();
  t.match(follower.peers, [{ matchIndex: 0 }]);
});
