/** Members come and go under load: real processes join, are replaced, removed and killed. */

import t from 'tap';
import type { Client, MembersReply } from '../../include/client.ts';
import { freePorts } from '../free-ports.ts';
import { findLost, startLoad } from './load.ts';
import { nextTick, runCommand, startCluster } from './processes.ts';

/** Asks for the members until they are as wanted. */
async function until(
  client: Client,
  isWanted: (reply: MembersReply) => boolean,
): Promise<MembersReply> {
  for (;;) {
    const reply = await client.members().catch(() => undefined);
    if (reply !== undefined && isWanted(reply)) return reply;
    await nextTick();
  }
}

const voters = ({ members }: MembersReply): number[] =>
  members.filter(({ isLearner }) => !isLearner).map(({ id }) => id);

t.test('1 -> 3 -> 5 -> 3 under load without a failed write', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const operator = cluster.client();
  const client = cluster.client();
  const load = startLoad([client, cluster.client()], 4);
  await load.nextAcknowledgement();
  for (let id = 1; id <= 4; id += 1) {
    await cluster.join();
    await until(operator, (reply) => voters(reply).length === id + 1);
    for (let count = 0; count < 50; count += 1) await load.nextAcknowledgement();
  }
  const all = cluster.client();
  t.strictSame(voters(await all.members()), [0, 1, 2, 3, 4]);

  const { nodeId: leader } = await cluster.leader();
  const leaving = [leader, (leader + 1) % 5];
  for (const id of leaving) {
    await all.removeMember(id);
    t.match(await cluster.node(id).ended, { code: 7 }, `node ${id} ends by itself`);
    t.ok(cluster.node(id).lines.some(({ event }) => event === 'node stopped for good'));
    for (let count = 0; count < 50; count += 1) await load.nextAcknowledgement();
  }
  const left = [0, 1, 2, 3, 4].filter((id) => !leaving.includes(id));
  t.strictSame(voters(await cluster.client(left).members()), left);
  await load.stop();
  t.strictSame(load.failures, [], 'the session of a client carries each write through');
  for (const id of left) t.strictSame(await findLost(cluster.client([id]), load), []);

  await t.test('a removed node that comes back is refused, and says why', async (t) => {
    const [id = -1] = leaving;
    const again = cluster.start(id);
    await again.catch(() => {});
    t.match(await cluster.node(id).ended, { code: 7 });
    const { errorOutput, lines } = cluster.node(id);
    t.match(errorOutput + JSON.stringify(lines), `node ${id} was removed from the cluster`);
  });
});

t.test('a dead node is replaced in one step, under load', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const dead = (leader + 1) % 3;
  const running = [0, 1, 2].filter((id) => id !== dead);
  const load = startLoad([cluster.client(running)], 4);
  await load.nextAcknowledgement();
  await cluster.kill(dead);
  const { id, port } = await cluster.choosePlace();
  const [endpoint = ''] = running.map((one) => cluster.endpoints[one]);
  const url = `http://127.0.0.1:${port}`;
  const change = ['member', 'change', '--add', url, '--remove', String(dead), '--wait'];
  const changed = runCommand(['--endpoints', endpoint, ...change]);
  await until(cluster.client(running), (reply) => reply.members.length === 4);
  await cluster.start(id);
  const { code, output, errorOutput } = await changed;
  t.equal(code, 0, errorOutput);
  t.match(output, `Member ${id} added to cluster `);
  t.match(output, `KVORUM_LISTEN="127.0.0.1:${port}"`);
  t.match(errorOutput, `member ${id} is in the cluster`);
  const members = await until(cluster.client(running), (reply) => reply.members.length === 3);
  t.strictSame(voters(members), [...running, id]);
  await load.stop();
  t.strictSame(await findLost(cluster.client([id]), load), []);
});

t.test('a change outlives the leader that began it', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const others = [0, 1, 2].filter((id) => id !== leader);
  const client = cluster.client(others);
  const load = startLoad([client], 2);
  const { id, port } = await cluster.choosePlace();
  await client.addMember({ address: '127.0.0.1', port });
  const started = cluster.start(id);
  await cluster.kill(leader);
  await started;
  await until(client, (reply) => voters(reply).includes(id));
  await load.stop();
  t.strictSame(await findLost(cluster.client([id]), load), []);
  await cluster.start(leader);
  t.strictSame(await findLost(cluster.client([leader]), load), [], 'the old leader goes on');
});

t.test('a node killed while it joins goes on joining when it is started again', async (t) => {
  const cluster = await startCluster(t, { size: 1, flags: ['--log-entries-kept', '20'] });
  const client = cluster.client();
  const value = 'v'.repeat(10_000);
  for (let i = 0; i < 2_000; i += 1) await client.put(`k${i}`, value);
  const node = await cluster.join();
  await node.waitFor((line) => line.event === 'receiving a snapshot');
  await cluster.kill(1);
  await cluster.start(1);
  await until(client, (reply) => voters(reply).length === 2);
  const { count } = await cluster.client([1]).range('k', { prefix: true, countOnly: true });
  t.equal(count, 2_000);

  await t.test('and votes on after both were started again', async (t) => {
    await Promise.all([cluster.kill(0), cluster.kill(1)]);
    await Promise.all([cluster.start(0), cluster.start(1)]);
    await cluster.leader([0, 1]);
    t.equal((await cluster.client([1]).range('k', { prefix: true, countOnly: true })).count, 2_000);
  });
});

t.test('the member commands say what etcdctl says', async (t) => {
  const [clientPort] = await freePorts(1);
  const cluster = await startCluster(t, { size: 1, attributes: { 0: `client=${clientPort}` } });
  const [endpoint = ''] = cluster.endpoints;
  const run = async (...args: string[]): Promise<string> => {
    const { output, errorOutput } = await runCommand(['--endpoints', endpoint, 'member', ...args]);
    return (output + errorOutput).replaceAll(endpoint, 'HOST').replace(/[0-9a-f ]{16}\n/, 'CID\n');
  };
  t.equal(
    await run('list'),
    `0, started, node-0, http://HOST, http://127.0.0.1:${clientPort}, false\n`,
  );
  const urls = '--peer-urls=http://127.0.0.1:2';
  t.equal(
    await run('add', 'b', urls, '--learner'),
    [
      'Member 1 added to cluster CID',
      '',
      'KVORUM_NAME="b"',
      'KVORUM_JOIN="HOST"',
      'KVORUM_LISTEN="127.0.0.1:2"',
      '',
    ].join('\n'),
  );
  t.match(await run('list'), '1, unstarted, , http://127.0.0.1:2, , true\n');
  t.match(await run('add', 'c', urls), 'Error: etcdserver: Peer URLs already exists\n');
  t.match(await run('promote', '1'), 'which is in sync with leader\n');
  t.equal(
    await run('update', '1', '--peer-urls=http://127.0.0.1:3'),
    'Member 1 updated in cluster CID\n',
  );
  t.equal(await run('remove', '1'), 'Member 1 removed from cluster CID\n');
  t.match(await run('remove', '1'), 'Error: etcdserver: member not found\n');
  t.match(await run('remove', '0'), 'not enough started members');
});

t.test('no force adds a voter that does not run to a node alone', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const [endpoint = ''] = cluster.endpoints;
  const { port } = await cluster.choosePlace();
  const add = (...flags: string[]) => {
    const urls = `--peer-urls=http://127.0.0.1:${port}`;
    return runCommand(['--endpoints', endpoint, 'member', 'add', 'b', urls, ...flags]);
  };
  const { code, errorOutput } = await add('--force');
  t.equal(code, 1);
  t.match(errorOutput, 'not enough started members: 1 of 2 voters would be down: 1');
  const client = cluster.client([0]);
  t.equal((await client.put('served', 'still')).revision, 2);

  t.equal((await add()).code, 0, 'it learns first');
  await cluster.start(1);
  t.strictSame(voters(await until(client, (reply) => voters(reply).length === 2)), [0, 1]);
});

t.test('a node that cannot join says why', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const [endpoint = ''] = cluster.endpoints;
  const serve = (...flags: string[]) => {
    const where = ['--data-dir', 'elsewhere', '--join', endpoint];
    return runCommand(['serve', ...where, ...flags], { cwd: cluster.directory });
  };
  const placeless = await serve();
  t.equal(placeless.code, 1);
  t.match(placeless.errorOutput, 'Error: --join needs --listen: host:port');
  const odd = await serve('--listen', 'nowhere');
  t.match(odd.errorOutput, 'Error: bad endpoint "nowhere"');
  const twin = await serve('--listen', endpoint);
  t.equal(twin.code, 1);
  t.match(twin.errorOutput, `Error: member 0 at ${endpoint} has run already`);
  t.match(twin.errorOutput, 'remove the member and join anew');
});
