/** lease: what each command prints and exits with. */

import t from 'tap';
import { startOneNode } from './one-node.ts';

t.test('lease', async (t) => {
  const { client, run, start } = await startOneNode(t);

  await t.test('grant, timetolive, list and revoke', async (t) => {
    const granted = await run('lease grant 100');
    const [, name = ''] =
      /^lease ([0-9a-f]{16}) granted with TTL\(100s\)\n$/.exec(granted.out) ?? [];
    t.not(name, '', granted.out);
    await client.put('leased', '1', { lease: BigInt(`0x${name}`) });
    t.match(
      (await run(`lease timetolive ${name} --keys`)).out,
      new RegExp(
        `^lease ${name} granted with TTL\\(100s\\), remaining\\(\\d+s\\), ` +
          'attached keys\\(\\[leased\\]\\)\n$',
      ),
    );
    t.equal((await run('lease list')).out, `found 1 leases\n${name}\n`);
    t.equal(
      (await run(`lease keep-alive ${name} --once`)).out,
      `lease ${name} keepalived with TTL(100)\n`,
    );
    t.equal((await run(`lease revoke ${name}`)).out, `lease ${name} revoked\n`);
    t.equal(await client.get('leased'), undefined);
    t.equal((await run(`lease timetolive ${name}`)).out, `lease ${name} already expired\n`);
  });

  await t.test('what is not there', async (t) => {
    const revoked = await run('lease revoke 1234');
    t.equal(revoked.err, 'Error: failed to revoke lease (etcdserver: requested lease not found)\n');
    t.equal(revoked.exitCode, 1);
    const once = await run('lease keep-alive 1234 --once');
    t.equal(once.err, 'Error: etcdserver: requested lease not found\n');
    t.equal(once.exitCode, 2);
    const kept = await run('lease keep-alive 1234');
    t.equal(kept.out, 'lease 0000000000001234 expired or revoked.\n');
    t.equal(kept.exitCode, 0);
  });

  await t.test('a TTL that is too large', async (t) => {
    const { err, exitCode } = await run('lease grant 9000000001');
    t.equal(err, 'Error: failed to grant lease (etcdserver: too large lease TTL)\n');
    t.equal(exitCode, 1);
  });

  await t.test('keep-alive renews until the lease is gone', async (t) => {
    const { id } = await client.grantLease(2);
    const name = id.toString(16).padStart(16, '0');
    const kept = start(`lease keep-alive ${name}`);
    await kept.printed('keepalived');
    await kept.printed('keepalived');
    await client.revokeLease(id);
    const { out, exitCode } = await kept.ended;
    t.match(
      out,
      new RegExp(
        `^(lease ${name} keepalived with TTL\\(2\\)\n)+lease ${name} expired or revoked.\n$`,
      ),
    );
    t.equal(exitCode, 0);
  });

  await t.test('keep-alive ends when interrupted, and the lease stays', async (t) => {
    const { id } = await client.grantLease(60);
    const kept = start(`lease keep-alive ${id.toString(16)} -w json`);
    await kept.printed(`"ID":${id},"TTL":60`);
    kept.interrupt();
    t.equal((await kept.ended).exitCode, 130);
    t.ok((await client.leaseTimeToLive(id)).ttlSeconds > 0);
  });
});
