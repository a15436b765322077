import t from 'tap';
import type { Client } from '../../include/client.ts';
import { startCluster } from './processes.ts';

/** Adds one to a counter, by a transaction that would fail if it took effect twice. */
async function increment(client: Client, key: string): Promise<void> {
  for (;;) {
    const found = await client.get(key);
    const count = Number(found?.value.toString() ?? 0);
    const expected = found === undefined ? { absent: true as const } : { value: String(count) };
    const swap = await client.compareAndSwap(key, expected, String(count + 1));
    if (swap.succeeded) return;
  }
}

t.test('three nodes serve transactions, leases and watches on each of them', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const follower = cluster.client([(leader + 1) % 3]);

  await t.test('a transaction at a follower follows the redirect', async (t) => {
    const created = await follower.txn({
      when: [{ key: 'a', version: 0 }],
      then: [{ put: 'a', value: '1' }, { get: 'a' }],
    });
    t.equal(created.succeeded, true);
    t.equal(created.results.length, 2);
    const read = await follower.txn({ then: [{ get: 'a' }] });
    t.equal(read.revision, created.revision);
  });

  await t.test('a lease is granted, renewed and asked about through a follower', async (t) => {
    const { id } = await follower.grantLease(60);
    await follower.put('leased', 'x', { lease: id });
    t.equal((await follower.keepAliveLease(id)).ttlSeconds, 60);
    const left = await follower.leaseTimeToLive(id, { keys: true });
    t.strictSame(left.keys.map(String), ['leased']);
    t.strictSame((await follower.leases()).ids, [id]);
    await follower.revokeLease(id);
    t.equal(await follower.get('leased'), undefined);
    t.equal((await follower.keepAliveLease(id)).ttlSeconds, 0);
  });

  await t.test(
    'a lease that runs out deletes its keys, and watches on all nodes tell',
    async (t) => {
      const watchers = cluster.endpoints.map((endpoint) => follower.watch('brief', { endpoint }));
      await Promise.all(watchers.map((watcher) => watcher.created));
      const { id, ttlSeconds } = await follower.grantLease(1);
      t.equal(ttlSeconds, 2, 'the least a node allows');
      await follower.put('brief', 'x', { lease: id });
      for (const watcher of watchers) {
        const kinds: number[] = [];
        for await (const { events } of watcher) {
          kinds.push(...events.map(({ kind }) => kind));
          if (kinds.length === 2) break;
        }
        t.strictSame(kinds, [0, 1]);
      }
      t.equal((await follower.leaseTimeToLive(id)).ttlSeconds, -1);
    },
  );
});

t.test('a lease lives through the death of the leader, then ends all the same', async (t) => {
  const cluster = await startCluster(t);
  const { nodeId: leader } = await cluster.leader();
  const client = cluster.client();
  const { id } = await client.grantLease(3);
  await client.put('leased', 'x', { lease: id });
  await cluster.kill(leader);
  const survivors = [0, 1, 2].filter((each) => each !== leader);
  await cluster.leader(survivors);
  t.equal((await client.keepAliveLease(id)).ttlSeconds, 3);
  const watcher = client.watch('leased');
  await watcher.created;
  for await (const { events } of watcher) {
    t.strictSame(
      events.map(({ kind }) => kind),
      [1],
    );
    break;
  }
  t.equal((await client.keepAliveLease(id)).ttlSeconds, 0);
});

t.test('increments take effect once each, and a watch tells each once, over kill -9', async (t) => {
  const cluster = await startCluster(t);
  const clients = [cluster.client(), cluster.client()];
  const [first] = clients;
  const watcher = cluster.client().watch('count');
  await watcher.created;
  let acknowledged = 0;
  let isStopping = false;
  const work = clients.map(async (client) => {
    while (!isStopping) {
      await increment(client, 'count');
      acknowledged += 1;
    }
  });
  for (let round = 0; round < 2; round += 1) {
    const { nodeId: leader } = await cluster.leader();
    const before = acknowledged;
    while (acknowledged < before + 50) await first?.get('count');
    await cluster.kill(leader);
    await cluster.leader([0, 1, 2].filter((id) => id !== leader));
    await cluster.start(leader);
  }
  isStopping = true;
  await Promise.all(work);
  t.equal((await first?.get('count'))?.value.toString(), String(acknowledged));

  let told = 0;
  for await (const { events } of watcher) {
    for (const { kv } of events) {
      told += 1;
      if (kv.value.toString() !== String(told)) t.equal(kv.value.toString(), String(told));
    }
    if (told === acknowledged) break;
  }
  t.equal(told, acknowledged);
});
