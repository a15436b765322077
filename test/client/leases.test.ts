/** Leases: asked for, renewed, lost. */

import t, { type Test } from 'tap';
import { ErrorCode, FrameType, type LeaseKeepAliveReply } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { type FakeNode, headerOf, type Script, serve, startFakeNode } from './fake-node.ts';

async function startServed(t: Test, script: Script) {
  const node = await startFakeNode(0, script);
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  return { node, client };
}

/** A node that grants and renews leases of so many seconds. */
function renewing(ttlSeconds: number): Script {
  return (asked) => {
    const { request, reply } = asked;
    if (request.type === FrameType.LeaseKeepAlive) {
      reply({ type: request.type, body: { ...headerOf(0), ...request.body, ttlSeconds } });
    } else serve(0)(asked);
  };
}

function renewalsAt(node: FakeNode): number {
  return node.requests.filter(({ type }) => type === FrameType.LeaseKeepAlive).length;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason));
  });
}

t.test('leases are granted, renewed, looked at, listed and revoked', async (t) => {
  const { node, client } = await startServed(t, (asked) => {
    const { request, reply } = asked;
    if (request.type === FrameType.LeaseTimeToLive) {
      const keys = request.body.keys ? [Buffer.from('a')] : [];
      const body = { ...headerOf(0), id: request.body.id, ttlSeconds: 8, grantedTtlSeconds: 10 };
      reply({ type: request.type, body: { ...body, keys } });
    } else if (request.type === FrameType.LeaseList) {
      reply({ type: request.type, body: { ...headerOf(0), ids: [5n, -6n] } });
    } else serve(0)(asked);
  });
  t.match(await client.grantLease(10, { id: 5n }), { id: 5n, ttlSeconds: 10 });
  await client.grantLease(10);
  t.match(node.requests.at(-1), { body: { id: 0n, ttlSeconds: 10 } }, 'the node chooses');
  t.match(await client.keepAliveLease(5n), { id: 5n, ttlSeconds: 60 });
  t.match(await client.leaseTimeToLive(5n), { ttlSeconds: 8, grantedTtlSeconds: 10, keys: [] });
  t.strictSame((await client.leaseTimeToLive(5n, { keys: true })).keys, [Buffer.from('a')]);
  t.strictSame((await client.leases()).ids, [5n, -6n]);
  await client.revokeLease(5n);
  await t.rejects(client.grantLease(0.5), { code: ErrorCode.FrameMalformed });
  await t.rejects(client.keepAliveLease(2n ** 63n), { code: ErrorCode.FrameMalformed });
});

t.test('a lease that is held is renewed again and again, and told of it', async (t) => {
  const { node, client } = await startServed(t, renewing(1));
  const lease = await client.holdLease(1, { id: 5n });
  t.match(lease, { id: 5n, ttlSeconds: 1 });
  const renewals: LeaseKeepAliveReply[] = [];
  await new Promise<void>((resolve) => {
    lease.onRenewed((reply) => {
      renewals.push(reply);
      if (renewals.length === 4) resolve();
    });
  });
  t.match(renewals[0], { id: 5n, ttlSeconds: 1 });
  t.notOk(lease.lost.aborted, 'it outlives its time');
  await lease.release();
  t.match(node.requests.at(-1), { type: FrameType.LeaseRevoke, body: { id: 5n } });
});

t.test('many leases are renewed together', async (t) => {
  const { node, client } = await startServed(t, renewing(3));
  const granted = Array.from({ length: 2_000 }, (_, at) =>
    client.holdLease(3, { id: BigInt(at + 1) }),
  );
  const leases = await Promise.all(granted);
  await Promise.all(
    leases.map((lease) => new Promise<void>((resolve) => lease.onRenewed(() => resolve()))),
  );
  t.equal(renewalsAt(node), 2_000);
  for (const lease of leases) lease.stop();
});

t.test('a lease that is gone is lost at its next renewal', async (t) => {
  const { client } = await startServed(t, renewing(0));
  const lease = await client.holdLease(1);
  t.match(await aborted(lease.lost), { code: ErrorCode.LeaseNotFound });
  await lease.release();
});

t.test('a lease is lost when no renewal comes through for its whole time', async (t) => {
  const { node, client } = await startServed(t, renewing(1));
  const lease = await client.holdLease(1);
  await new Promise<void>((resolve) => lease.onRenewed(() => resolve()));
  node.script = ({ refuse }) => refuse(ErrorCode.NoLeader);
  t.match(await aborted(lease.lost), { code: ErrorCode.DeadlineExceeded, message: /no leader/ });
  const count = renewalsAt(node);
  t.ok(count > 3, 'it was tried more than once');
  node.script = renewing(1);
  await client.get('a');
  t.equal(renewalsAt(node), count, 'and is not any more');
});

t.test('a renewal that failed for a while is made up for', async (t) => {
  const { node, client } = await startServed(t, renewing(1));
  const lease = await client.holdLease(1);
  node.script = ({ hangUp }) => hangUp();
  while (renewalsAt(node) < 2) await new Promise((resolve) => setImmediate(resolve));
  node.script = renewing(1);
  await new Promise<void>((resolve) => lease.onRenewed(() => resolve()));
  t.notOk(lease.lost.aborted);
  lease.stop();
});

t.test('a lease that was granted late is renewed before it counts as held', async (t) => {
  const { node, client } = await startServed(t, (asked) => {
    if (asked.request.type === FrameType.LeaseGrant) setTimeout(() => serve(0)(asked), 400);
    else renewing(1)(asked);
  });
  const lease = await client.holdLease(1);
  t.equal(renewalsAt(node), 1);
  lease.stop();
});

t.test('a lease that is there is kept, one that is not is refused', async (t) => {
  const { node, client } = await startServed(t, renewing(1));
  const lease = await client.keepLease(9n);
  t.match(lease, { id: 9n, ttlSeconds: 1 });
  await new Promise<void>((resolve) => lease.onRenewed(() => resolve()));
  lease.stop();
  node.script = renewing(0);
  await t.rejects(client.keepLease(9n), { code: ErrorCode.LeaseNotFound });
});

t.test('a lease that was stopped is not renewed, nor revoked', async (t) => {
  const { node, client } = await startServed(t, renewing(1));
  const [stopped, kept] = await Promise.all([client.holdLease(1), client.holdLease(1)]);
  stopped.stop();
  await new Promise<void>((resolve) => kept.onRenewed(() => resolve()));
  t.equal(renewalsAt(node), 1);
  t.notOk(stopped.lost.aborted);
  t.notOk(node.requests.some(({ type }) => type === FrameType.LeaseRevoke));
  kept.stop();
});

t.test('releasing a lease that is gone is no error, another failure is', async (t) => {
  const { node, client } = await startServed(t, renewing(5));
  const [first, second] = await Promise.all([client.holdLease(5), client.holdLease(5)]);
  node.script = ({ refuse }) => refuse(ErrorCode.LeaseNotFound);
  await first.release();
  node.script = ({ refuse }) => refuse(ErrorCode.NoSpace);
  await t.rejects(second.release(), { code: ErrorCode.NoSpace });
});

t.test('closing the client loses its leases: nobody renews them', async (t) => {
  const { client } = await startServed(t, renewing(5));
  const lease = await client.holdLease(5);
  const { lost } = lease;
  await client.close();
  t.match(await aborted(lost), { code: ErrorCode.Stopped });
});
