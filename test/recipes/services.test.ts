import t from 'tap';
import {
  ErrorCode,
  registerService,
  resolveService,
  type ServiceEndpoints,
  watchService,
} from '../../src/kvorum.ts';
import { aborted, SHORT_TTL_SECONDS, startNode } from './embedded.ts';

const makeClient = await startNode(t);

/** The live set of a service, as it changes. */
function live(name: string): { next: () => Promise<string[]>; close: () => Promise<void> } {
  const closing = new AbortController();
  const sets = watchService(makeClient(), name, { signal: closing.signal });
  return {
    next: async () => {
      const { value } = await sets.next();
      return [...((value as ServiceEndpoints) ?? new Map()).keys()].sort();
    },
    close: async () => {
      closing.abort();
      await sets.return();
    },
  };
}

t.test('what is registered is found, with its metadata, until it is deregistered', async (t) => {
  const client = makeClient();
  const metadata = { zone: 'a', weight: 3 };
  const web = await registerService(client, 'web', { address: '10.0.0.1:80', metadata });
  const bare = await registerService(client, 'web', { address: '10.0.0.2:80' });
  const found = await resolveService(makeClient(), 'web');
  t.strictSame(found.get('10.0.0.1:80'), { address: '10.0.0.1:80', metadata });
  t.strictSame(found.get('10.0.0.2:80'), { address: '10.0.0.2:80', metadata: undefined });
  t.equal(found.size, 2);
  await web.update({ zone: 'b' });
  const updated = await resolveService(client, 'web');
  t.strictSame(updated.get('10.0.0.1:80')?.metadata, { zone: 'b' });
  await web.deregister();
  t.strictSame([...(await resolveService(client, 'web')).keys()], ['10.0.0.2:80']);
  await bare.deregister();
  t.notOk(web.lost.aborted, 'an own end is no loss');
});

t.test('the key and value are what etcd’s naming reads', async (t) => {
  const client = makeClient();
  const service = await registerService(client, 'grpc/api', { address: 'host:1', metadata: 7 });
  t.equal(service.key.toString(), 'grpc/api/host:1');
  const pair = await client.get(service.key);
  t.equal(String(pair?.value), '{"Op":0,"Addr":"host:1","Metadata":7}');
  await service.deregister();
});

t.test('an endpoint that another program wrote otherwise is found by its key', async (t) => {
  const client = makeClient();
  await client.put('foreign/host:1', 'no JSON');
  await client.put('foreign/host:2', '"JSON"');
  const found = await resolveService(client, 'foreign');
  t.strictSame(
    [...found.values()],
    [
      { address: 'host:1', metadata: undefined },
      { address: 'host:2', metadata: undefined },
    ],
  );
});

t.test('the live set changes as instances come and go', async (t) => {
  const client = makeClient();
  const set = live('live');
  t.strictSame(await set.next(), []);
  const a = await registerService(client, 'live', { address: 'a' });
  t.strictSame(await set.next(), ['a']);
  const b = await registerService(client, 'live', { address: 'b' });
  t.strictSame(await set.next(), ['a', 'b']);
  await a.deregister();
  t.strictSame(await set.next(), ['b']);
  await b.deregister();
  t.strictSame(await set.next(), []);
  await set.close();
});

t.test('each live set is its own: an earlier one does not change', async (t) => {
  const client = makeClient();
  const sets = watchService(makeClient(), 'kept');
  const { value: before } = await sets.next();
  const service = await registerService(client, 'kept', { address: 'a' });
  const { value: after } = await sets.next();
  t.strictSame([before?.size, after?.size], [0, 1]);
  await sets.return();
  await service.deregister();
});

t.test('an instance that crashes leaves the live set with its lease', async (t) => {
  const crashing = makeClient();
  const set = live('crash');
  t.strictSame(await set.next(), []);
  const options = { ttlSeconds: SHORT_TTL_SECONDS };
  await registerService(crashing, 'crash', { address: 'a' }, options);
  t.strictSame(await set.next(), ['a']);
  await crashing.close();
  t.strictSame(await set.next(), []);
  await set.close();
});

t.test('a live set goes on behind a compaction', async (t) => {
  const client = makeClient();
  const set = live('compacted');
  t.strictSame(await set.next(), []);
  const services = [];
  for (const address of ['a', 'b', 'c']) {
    services.push(await registerService(client, 'compacted', { address }));
  }
  const { revision } = await client.put('other', '');
  await client.compact(revision);
  let found = await set.next();
  while (found.length < 3) found = await set.next();
  t.strictSame(found, ['a', 'b', 'c']);
  await set.close();
  for (const service of services) await service.deregister();
});

t.test('many instances on one lease go together', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const services = [];
  for (const address of ['a', 'b', 'c']) {
    services.push(await registerService(client, 'shared', { address }, { lease }));
  }
  await services[0]?.deregister();
  t.equal((await resolveService(client, 'shared')).size, 2, 'the lease is still there');
  await client.revokeLease(lease.id);
  t.equal((await resolveService(client, 'shared')).size, 0);
});

t.test('who registers an address again replaces it, and the old one cannot touch it', async (t) => {
  const client = makeClient();
  const old = await registerService(client, 'restarted', { address: 'a', metadata: 'old' });
  const service = await registerService(client, 'restarted', { address: 'a', metadata: 'new' });
  await t.rejects(old.update('older'), { code: ErrorCode.NotHeld });
  await old.deregister();
  const found = await resolveService(client, 'restarted');
  t.equal(found.get('a')?.metadata, 'new');
  await service.deregister();
});

t.test('an instance is told when its lease is lost', async (t) => {
  const client = makeClient();
  const options = { ttlSeconds: SHORT_TTL_SECONDS };
  const service = await registerService(client, 'lost', { address: 'a' }, options);
  const pair = await client.get(service.key);
  await client.revokeLease(pair?.lease ?? 0n);
  await aborted(service.lost);
  await t.rejects(service.update('x'), { code: ErrorCode.NotHeld });
  await service.deregister();
});
