/** lock and elect: who holds, what runs meanwhile, how it ends. */

import t from 'tap';
import { createElection } from '../../src/client/recipes/election.ts';
import { createLock } from '../../src/client/recipes/lock.ts';
import { startOneNode } from './one-node.ts';

t.test('lock', async (t) => {
  const { client, run, start } = await startOneNode(t);

  await t.test('prints its key once it holds, and releases when interrupted', async (t) => {
    const first = start('lock L');
    await first.printed('L/');
    const second = start('lock L');
    t.equal((await client.range('L/', { prefix: true })).count >= 1, true);
    first.interrupt();
    t.match(await first.ended, { out: /^L\/[0-9a-f]+\n\n$/, exitCode: 0, err: '' });
    await second.printed('L/');
    second.interrupt();
    t.equal((await second.ended).exitCode, 0);
    t.equal((await client.range('L/', { prefix: true })).count, 0);
  });

  await t.test('whoever waits can give up', async (t) => {
    const held = await createLock(client, 'W').acquire();
    const waiting = start('lock W');
    const watch = client.watch('W/', { prefix: true, startRevision: held.revision + 1 });
    for await (const { events } of watch) if (events.length > 0) break;
    waiting.interrupt();
    t.match(await waiting.ended, { out: '', err: 'Error: context canceled\n', exitCode: 1 });
    t.equal((await client.range('W/', { prefix: true })).count, 1);
    await held.release();
  });

  await t.test(
    "a command runs with the key and the token, and its exit code is lock's",
    async (t) => {
      const script = 'echo "$ETCD_LOCK_KEY $ETCD_LOCK_REV $KVORUM_LOCK_TOKEN"; exit 3';
      const { out, err, exitCode } = await run(['lock', 'C', '--', 'sh', '-c', script]);
      t.match(out, /^C\/[0-9a-f]+ \d+ \d+\n$/);
      t.equal(err, 'Error: exit status 3\n');
      t.equal(exitCode, 3);
      t.equal((await client.range('C/', { prefix: true })).count, 0);
      t.match(await run('lock C true'), { out: '', err: '', exitCode: 0 });
      t.match(await run('lock C ./none'), { exitCode: 127 });
    },
  );

  await t.test('a command is ended when the lock is lost', async (t) => {
    const running = start(['lock', 'X', '--ttl', '2', '--', 'sh', '-c', 'echo up; exec sleep 60']);
    await running.printed('up\n');
    const [holder] = (await client.range('X/', { prefix: true })).kvs;
    await client.revokeLease(holder?.lease ?? 0n);
    const { err, exitCode } = await running.ended;
    t.equal(err, 'Error: session expired: the command was told to end\n');
    t.equal(exitCode, 1);
  });

  await t.test('somebody listens to interrupts until the lock is released', async (t) => {
    const running = start('lock Z true');
    const { exitCode } = await running.ended;
    t.equal(exitCode, 0);
    t.equal(running.listenedTimes(), 1, 'without a pause');
  });

  await t.test('a lock that is lost is an error', async (t) => {
    const running = start('lock Y --ttl 2');
    await running.printed('Y/');
    const [holder] = (await client.range('Y/', { prefix: true })).kvs;
    await client.revokeLease(holder?.lease ?? 0n);
    t.match(await running.ended, { err: 'Error: session expired\n', exitCode: 1 });
  });
});

t.test('elect', async (t) => {
  const { client, start } = await startOneNode(t);

  await t.test('leads until interrupted, then resigns; -l prints each leader', async (t) => {
    const listener = start('elect E -l');
    const first = start('elect E one');
    await first.printed('\none\n');
    await listener.printed('\none\n');
    const second = start('elect E two');
    first.interrupt();
    t.match(await first.ended, { out: /^E\/[0-9a-f]+\none\n$/, err: '', exitCode: 0 });
    await second.printed('\ntwo\n');
    await listener.printed('\ntwo\n');
    second.interrupt();
    await second.ended;
    t.equal(await createElection(client, 'E').leader(), undefined);
    listener.interrupt();
    t.match(await listener.ended, {
      out: /^E\/[0-9a-f]+\none\nE\/[0-9a-f]+\ntwo\n$/,
      exitCode: 0,
    });
  });

  await t.test('a leader whose lease is lost says so', async (t) => {
    const running = start('elect F one -w json');
    await running.printed('"kvs":[{"key":"');
    await client.revokeLease((await createElection(client, 'F').leader())?.lease ?? 0n);
    t.match(await running.ended, { err: 'Error: elect: session expired\n', exitCode: 1 });
  });
});
