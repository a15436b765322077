import t from 'tap';
import type { Client } from '../../include/client.ts';
import { NO_RANGE_END } from '../../include/kvstore.ts';
import { FrameType } from '../../include/rpc.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { decodeWatchEvents } from '../../src/rpc/watch-codec.ts';
import { RawClient } from '../rpc/raw-client.ts';
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

t.test('a watch on a node that took a snapshot goes on without a gap or a repeat', async (t) => {
  const cluster = await startCluster(t, { flags: ['--log-entries-kept', '20'] });
  const { nodeId: leader } = await cluster.leader();
  const away = (leader + 1) % 3;
  const client = cluster.client([leader]);
  const raw = await RawClient.greet(Number(cluster.endpoints[away]?.split(':')[1]));
  const body = {
    watchId: 5,
    key: Buffer.from('a'),
    rangeEnd: NO_RANGE_END,
    startRevision: 0,
    prevKv: false,
    noPut: false,
    noDelete: false,
    progressNotify: false,
  };
  raw.write((writer) => writeRequest(writer, 1, { type: FrameType.WatchCreate, body }));
  await raw.heard(2);
  const told = (): string[] =>
    raw.frames
      .filter(({ type }) => type === FrameType.WatchEvents)
      .flatMap(({ body }) => decodeWatchEvents(body, 0, body.length).events)
      .map(({ kv }) => kv.value.toString());

  const written: string[] = [];
  const write = async (value: string): Promise<void> => {
    await client.put('a', value);
    written.push(value);
  };
  await write('before');
  const node = cluster.node(away);
  const isInstalled = (): boolean => node.lines.some(({ event }) => event === 'snapshot installed');
  // The log is trimmed once a second, behind what the store has flushed: long absences see it.
  for (let puts = 500; !isInstalled(); puts *= 2) {
    node.kill('SIGSTOP');
    for (let i = 0; i < puts; i += 1) await write(`${puts} ${i}`);
    node.kill('SIGCONT');
    await cluster.client([away]).get('a');
  }
  await write('after');
  while (told().length < written.length) await raw.heard(raw.frames.length + 1);
  t.strictSame(told(), written);
  await raw.close();
});
