/** The npm client etcd3 against kvorum: what programs do with it, the same as against etcd. */

import { Etcd3, Range } from 'etcd3';
import t, { type Test } from 'tap';
import { isThere, startEtcd, startGateways } from './servers.ts';

/** Servers by name: kvorum, and etcd where there is one. */
type Servers = ReadonlyMap<string, string>;

async function startServers(t: Test): Promise<Servers> {
  const [{ clientEndpoints }, etcd] = await Promise.all([
    startGateways(t),
    isThere('etcd') ? startEtcd(t) : undefined,
  ]);
  const servers = new Map([['kvorum', clientEndpoints[0] ?? '']]);
  if (etcd !== undefined) servers.set('etcd', etcd);
  return servers;
}

function open(t: Test, endpoint: string): Etcd3 {
  const client = new Etcd3({ hosts: `http://${endpoint}` });
  t.teardown(() => client.close());
  return client;
}

async function keysAndValues(t: Test, client: Etcd3): Promise<void> {
  await client.put('foo').value('bar');
  t.equal(await client.get('foo').string(), 'bar');
  t.equal(await client.get('nothing').string(), null);
  await client.put('n').value(42);
  t.equal(await client.get('n').number(), 42);
  for (const name of ['a', 'b', 'c', 'd']) await client.put(`list/${name}`).value(name);
  t.strictSame(await client.getAll().prefix('list/').strings(), {
    ...{ 'list/a': 'a', 'list/b': 'b', 'list/c': 'c', 'list/d': 'd' },
  });
  t.strictSame(await client.getAll().prefix('list/').sort('Key', 'Descend').limit(2).keys(), [
    'list/d',
    'list/c',
  ]);
  t.equal(await client.getAll().prefix('list/').count(), 4);
  t.strictSame(await client.getAll().inRange(new Range('list/b', 'list/d')).keys(), [
    'list/b',
    'list/c',
  ]);
  const { prev_kv: before } = await client
    .put('foo')
    .value('baz')
    .getPrevious()
    .then((kv) => ({ prev_kv: kv }));
  t.equal(before?.value.toString(), 'bar');
  const deleted = await client.delete().prefix('list/').getPrevious();
  t.equal(deleted.length, 4);
  const { revision } = (await client.get('foo').exec()).header;
  t.match(revision, /^\d+$/);
  t.equal(await client.get('foo').revision(2).string(), 'bar');
}

async function transactions(t: Test, client: Etcd3): Promise<void> {
  await client.put('x').value('1');
  const first = await client
    .if('x', 'Value', '==', '1')
    .and('y', 'Create', '==', 0)
    .then(client.put('y').value('2'), client.get('x'))
    .else(client.get('y'))
    .commit();
  t.equal(first.succeeded, true);
  t.equal(first.responses.length, 2);
  const second = await client
    .if('y', 'Create', '==', 0)
    .then(client.delete().key('y'))
    .else(client.get('y'))
    .commit();
  t.equal(second.succeeded, false);
  t.equal(second.responses[0]?.response_range?.kvs[0]?.value.toString(), '2');
  await Promise.all(
    Array.from({ length: 5 }, () =>
      client.stm({ retries: 100 }).transact(async (tx) => {
        const count = Number((await tx.get('count').string()) ?? 0);
        await tx.put('count').value(count + 1);
      }),
    ),
  );
  t.equal(await client.get('count').number(), 5);
}

async function watches(t: Test, client: Etcd3): Promise<void> {
  const start = Number((await client.put('w/0').value('0')).header.revision);
  await client.put('w/1').value('1');
  const watcher = await client.watch().prefix('w/').startRevision(String(start)).create();
  const seen: string[] = [];
  const told = new Promise<void>((resolve) => {
    watcher.on('put', (kv) => seen.push(`put ${kv.key} ${kv.value}`));
    watcher.on('delete', (kv) => {
      seen.push(`delete ${kv.key}`);
      resolve();
    });
  });
  await client.put('w/2').value('2');
  await client.delete().key('w/1');
  await told;
  t.strictSame(seen, ['put w/0 0', 'put w/1 1', 'put w/2 2', 'delete w/1']);
  await watcher.cancel();
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, at) => client.watch().key(`many/${at}`).create()),
  );
  const all = Promise.all(many.map((each) => new Promise((resolve) => each.on('put', resolve))));
  await Promise.all(many.map((_, at) => client.put(`many/${at}`).value('x')));
  t.equal((await all).length, 200);
  await Promise.all(many.map((each) => each.cancel()));
}

async function leases(t: Test, client: Etcd3): Promise<void> {
  const lease = client.lease(60);
  await lease.put('leased').value('v');
  t.equal(await client.get('leased').string(), 'v');
  await lease.keepaliveOnce();
  await lease.revoke();
  t.equal(await client.get('leased').string(), null);
  await t.rejects(lease.put('leased').value('v').exec(), { message: /requested lease not found/ });
}

async function locksAndElections(t: Test, client: Etcd3): Promise<void> {
  const lock = client.lock('mutex');
  await lock.acquire();
  await t.rejects(client.lock('mutex').acquire(), { message: /Failed to acquire a lock/ });
  await lock.release();
  const again = client.lock('mutex');
  await again.acquire();
  await again.release();

  const election = client.election('post', 60);
  const campaign = election.campaign('first');
  await new Promise((resolve) => campaign.once('elected', resolve));
  t.equal(await election.leader(), 'first');
  const observer = await election.observe();
  await campaign.proclaim('changed');
  while (observer.leader() !== 'changed')
    await new Promise((resolve) => observer.once('change', resolve));
  await observer.cancel();
  await campaign.resign();
  t.equal(await election.leader(), undefined);
}

async function maintenance(t: Test, client: Etcd3): Promise<void> {
  const { members } = await client.cluster.memberList({});
  t.equal(members.length, 1);
  const status = await client.maintenance.status();
  t.equal(status.leader, members[0]?.ID);
  t.match(status.version, /^3\.\d+\.\d+$/);
}

const TOPICS = { keysAndValues, transactions, watches, leases, locksAndElections, maintenance };

t.setTimeout(120_000);
t.test('etcd3 of npm does with kvorum what it does with etcd', async (t) => {
  const servers = await startServers(t);
  for (const [server, endpoint] of servers) {
    for (const [name, run] of Object.entries(TOPICS)) {
      t.test(`${server}: ${name}`, async (t) => run(t, open(t, endpoint)));
    }
  }
});
