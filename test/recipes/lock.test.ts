import t from 'tap';
import {
  type Client,
  createLock,
  ErrorCode,
  type HeldLock,
  KvorumError,
} from '../../src/kvorum.ts';
import { aborted, keysBelow, SHORT_TTL_SECONDS, startNode } from './embedded.ts';

const makeClient = await startNode(t);

t.test('a lock is held by one at a time, in the order of asking', async (t) => {
  const first = await createLock(makeClient(), 'order').acquire();
  const order: number[] = [];
  const waiting: Promise<void>[] = [];
  for (let id = 0; id < 10; id += 1) {
    const client = makeClient();
    const turn = createLock(client, 'order').acquire();
    waiting.push(
      turn.then(async (held) => {
        order.push(id);
        await held.release();
      }),
    );
    await keysBelow(client, 'order', id + 2);
  }
  t.strictSame(order, [], 'all wait');
  await first.release();
  await Promise.all(waiting);
  t.strictSame(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

t.test('many clients that count without a transaction lose nothing under the lock', async (t) => {
  const tokens: number[] = [];
  const work = async (): Promise<void> => {
    const client = makeClient();
    const lock = createLock(client, 'counting');
    for (let round = 0; round < 5; round += 1) {
      const held = await lock.acquire();
      tokens.push(held.token);
      const count = Number((await client.get('count'))?.value ?? 0);
      await client.put('count', String(count + 1));
      await held.release();
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  t.equal(String((await makeClient().get('count'))?.value), '100');
  t.strictSame(
    tokens,
    tokens.toSorted((a, b) => a - b),
    'each token is higher than all before',
  );
  t.equal(new Set(tokens).size, 100);
});

t.test('the key is where etcd looks for it: name, slash, lease in hex', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const held = await createLock(client, 'layout', { lease }).acquire();
  t.equal(held.key.toString(), `layout/${lease.id.toString(16)}`);
  const pair = await client.get(held.key);
  t.match(pair, { lease: lease.id, createRevision: held.token, value: Buffer.alloc(0) });
  await held.release();
  t.equal(await client.get(held.key), undefined);
  await lease.release();
});

t.test('an older key below the name, whoever made it, holds the lock', async (t) => {
  const client = makeClient();
  await client.put('foreign/1234', '');
  t.equal(await createLock(client, 'foreign').tryAcquire(), undefined);
  const acquired = createLock(client, 'foreign').acquire();
  await keysBelow(client, 'foreign', 2);
  await client.delete('foreign/1234');
  await (await acquired).release();
});

t.test('a lock that is held cannot be tried, and a try leaves no trace', async (t) => {
  const client = makeClient();
  const lock = createLock(client, 'trying');
  const held = await lock.tryAcquire();
  t.ok(held);
  t.equal(await lock.tryAcquire(), undefined);
  t.equal((await client.range('trying/', { prefix: true })).kvs.length, 1);
  await held?.release();
  const next = await lock.tryAcquire();
  t.ok(next);
  await next?.release();
});

t.test('who gives up waiting leaves the queue, and the next one moves up', async (t) => {
  const client = makeClient();
  const lock = createLock(client, 'giving-up');
  const held = await lock.acquire();
  const giver = new AbortController();
  const given = lock.acquire({ signal: giver.signal });
  await keysBelow(client, 'giving-up', 2);
  const patient = lock.acquire();
  await keysBelow(client, 'giving-up', 3);

  giver.abort(new Error('enough'));
  await t.rejects(given, { message: 'enough' });
  t.equal((await client.range('giving-up/', { prefix: true })).kvs.length, 2);
  await held.release();
  await (await patient).release();
});

t.test('a signal that has aborted already asks for nothing', async (t) => {
  const client = makeClient();
  const signal = AbortSignal.abort(new Error('never'));
  await t.rejects(createLock(client, 'never').acquire({ signal }), { message: 'never' });
  t.equal((await client.range('never/', { prefix: true })).count, 0);
});

t.test('a lease enters again where it is, and its first release is for all', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const lock = createLock(client, 'again', { lease });
  const one = await lock.acquire();
  const two = await lock.acquire();
  t.equal(two.token, one.token);
  await two.release();
  t.match(await aborted(one.lost), { code: ErrorCode.NotHeld });
  t.notOk(two.lost.aborted, 'an own release is no loss');
  await lease.release();
});

t.test('giving up does not take the place of another one with the same lease', async (t) => {
  const client = makeClient();
  const holder = await createLock(client, 'shared').acquire();
  const lease = await client.holdLease(60);
  const lock = createLock(client, 'shared', { lease });
  const first = lock.acquire();
  await keysBelow(client, 'shared', 2);
  const giver = new AbortController();
  const second = lock.acquire({ signal: giver.signal });
  giver.abort();
  await t.rejects(second, { name: 'AbortError' });
  await holder.release();
  const held = await first;
  t.notOk(held.lost.aborted);
  await held.release();
  await lease.release();
});

t.test('a holder whose lease is revoked is told, and the next one holds', async (t) => {
  const client = makeClient();
  const held = await createLock(client, 'revoked').acquire();
  const next = createLock(makeClient(), 'revoked').acquire();
  await keysBelow(client, 'revoked', 2);
  const pair = await client.get(held.key);
  await client.revokeLease(pair?.lease ?? 0n);
  t.match(await aborted(held.lost), { code: ErrorCode.NotHeld });
  const follower: HeldLock = await next;
  t.ok(follower.token > held.token);
  await held.release();
  await follower.release();
});

t.test('a holder whose key is deleted is told', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const held = await createLock(client, 'deleted', { lease }).acquire();
  await client.delete(held.key);
  t.match(await aborted(held.lost), { code: ErrorCode.NotHeld, message: /deleted/ });
  t.notOk(lease.lost.aborted, 'the lease is still there');
  await held.release();
  await lease.release();
});

t.test('a release after the loss does not release who holds it now', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const lock = createLock(client, 'late', { lease });
  const old = await lock.acquire();
  await client.delete(old.key);
  await aborted(old.lost);
  const held = await lock.acquire();
  await old.release();
  t.equal((await client.get(held.key))?.createRevision, held.token, 'the new key stays');
  t.notOk(held.lost.aborted);
  await held.release();
  await held.release();
  await lease.release();
});

t.test('a waiter whose lease is lost fails, and is not in the queue any more', async (t) => {
  const client = makeClient();
  const held = await createLock(client, 'waiter').acquire();
  const lease = await client.holdLease(60);
  const waiting = createLock(client, 'waiter', { lease }).acquire();
  await keysBelow(client, 'waiter', 2);
  const failed = t.rejects(waiting, { code: ErrorCode.NotHeld });
  await client.revokeLease(lease.id);
  await held.release();
  await failed;
  t.equal((await client.range('waiter/', { prefix: true })).count, 0);
});

t.test('a holder that crashes is waited for as long as its lease, no longer', async (t) => {
  const client = makeClient();
  const crashed = makeClient();
  const options = { ttlSeconds: SHORT_TTL_SECONDS };
  const held = await createLock(crashed, 'crash', options).acquire();
  const next = createLock(client, 'crash').acquire();
  await keysBelow(client, 'crash', 2);
  await crashed.close();
  const follower = await next;
  t.ok(follower.token > held.token);
  await follower.release();
});

t.test('an end wakes the next waiter only', async (t) => {
  const held = await createLock(makeClient(), 'herd').acquire();
  const asked: number[] = [];
  const waiting: Promise<HeldLock>[] = [];
  for (let id = 0; id < 4; id += 1) {
    const client = makeClient();
    asked[id] = 0;
    const counting: Client = {
      ...client,
      txn: (...args) => {
        asked[id]! += 1;
        return client.txn(...args);
      },
    };
    waiting.push(createLock(counting, 'herd').acquire());
    await keysBelow(client, 'herd', id + 2);
  }
  await held.release();
  const next = await waiting[0]!;
  t.strictSame(asked, [3, 2, 2, 2], 'entered, looked whom to wait for, looked again');
  await next.release();
  for (const each of waiting.slice(1)) await (await each).release();
});

t.test('who cannot enter the queue gives its lease back', async (t) => {
  const client = makeClient();
  const leases = (await client.leases()).ids;
  const unsure: Client = {
    ...client,
    txn: async (...args) => {
      await client.txn(...args);
      throw new KvorumError(ErrorCode.DeadlineExceeded, 'nobody knows');
    },
  };
  const lock = createLock(unsure, 'unsure');
  await t.rejects(lock.acquire(), { message: 'nobody knows' });
  await t.rejects(lock.tryAcquire(), { message: 'nobody knows' });
  t.strictSame((await client.leases()).ids, leases);
  t.equal((await client.range('unsure/', { prefix: true })).count, 0, 'the key went with it');
});

t.test('who is not sure to have entered takes the same place by asking again', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  let isUnsure = true;
  const unsure: Client = {
    ...client,
    txn: async (...args) => {
      const reply = await client.txn(...args);
      if (isUnsure) throw new KvorumError(ErrorCode.DeadlineExceeded, 'nobody knows');
      return reply;
    },
  };
  const lock = createLock(unsure, 'same-place', { lease });
  await t.rejects(lock.acquire(), { message: 'nobody knows' });
  isUnsure = false;
  const place = await client.get(`same-place/${lease.id.toString(16)}`);
  t.equal(await createLock(client, 'same-place').tryAcquire(), undefined);
  const held = await lock.acquire();
  t.equal(held.token, place?.createRevision);
  await held.release();
  await lease.release();
});

t.test('a lease that is gone cannot enter', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  await client.revokeLease(lease.id);
  await t.rejects(createLock(client, 'gone', { lease }).acquire(), {
    code: ErrorCode.LeaseNotFound,
  });
});

t.test('a client that is closed holds nothing', async (t) => {
  const client = makeClient();
  const held = await createLock(client, 'closed').acquire();
  await client.close();
  t.match(await aborted(held.lost), { code: ErrorCode.NotHeld });
});
