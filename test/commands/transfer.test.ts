/** get in pages, history, export, import and make-mirror. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Client } from '../../include/client.ts';
import { startOneNode } from './one-node.ts';

/** Every pair there is, as text. */
async function pairsOf(client: Client, prefix = ''): Promise<string[]> {
  const { kvs } = await client.range(prefix, { prefix: true });
  return kvs.map(({ key, value }) => `${key.toString('latin1')}=${value.toString('latin1')}`);
}

/** Waits until a cluster has these pairs. */
async function untilPairs(client: Client, prefix: string, expected: readonly string[]) {
  const watch = client.watch(prefix, { prefix: true, startRevision: 1 });
  for await (const _told of watch) {
    if (JSON.stringify(await pairsOf(client, prefix)) === JSON.stringify(expected)) break;
  }
}

t.test('a range larger than a page is printed whole, in order', async (t) => {
  const { client, run } = await startOneNode(t);
  const value = 'v'.repeat(50_000);
  for (let i = 0; i < 20; i += 1) await client.put(`k${String(i).padStart(2, '0')}`, value);
  const lines = Array.from({ length: 20 }, (_, i) => `k${String(i).padStart(2, '0')}\n`);
  t.equal((await run('get k --prefix --keys-only')).out, lines.map((line) => `${line}\n`).join(''));
  t.equal((await run('get k --prefix')).out, lines.map((line) => `${line}${value}\n`).join(''));
  t.equal((await run('get k --prefix --limit 7 --print-value-only')).out, `${value}\n`.repeat(7));
  t.equal((await run('get k --prefix --order DESCEND --limit 1 --keys-only')).out, 'k19\n\n');
  t.match((await run('get k --prefix --keys-only -w json')).out, '"count":20}');
});

t.test('history', async (t) => {
  const { client, run } = await startOneNode(t);
  for (const value of ['one', 'two']) await client.put('a', value);
  await client.delete('a');
  await client.put('a', 'three');
  t.equal(
    (await run('history a')).out,
    '2 PUT 1 "one"\n3 PUT 2 "two"\n4 DELETE\n5 PUT 1 "three"\n',
  );
  await client.compact(3);
  t.equal((await run('history a --hex')).out.split('\n')[0], '3 PUT 2 \\x74\\x77\\x6f');
  t.match((await run('history a -w json')).out, '{"revision":4,"kind":"DELETE"}\n');
  t.match(await run('history none'), { out: '', exitCode: 0 });
  t.match(await run('history'), {
    err: 'Error: history command needs 1 argument\n',
    exitCode: 128,
  });
});

t.test('what is exported and imported is the same', async (t) => {
  const source = await startOneNode(t);
  const target = await startOneNode(t);
  const { id } = await source.client.grantLease(600);
  await source.client.put('a', 'text "quoted"\n');
  const { revision } = await source.client.put(Buffer.from([0, 0xff]), Buffer.from([0xfe, 0x0a]));
  await source.client.put('leased', '1', { lease: id });
  await source.client.put('z', '');

  const { out, err, exitCode } = await source.run('export');
  const name = id.toString(16).padStart(16, '0');
  t.equal(
    out,
    '{"key":{"base64":"AP8="},"value":{"base64":"/go="}}\n' +
      '{"key":"a","value":"text \\"quoted\\"\\n"}\n' +
      `{"key":"leased","value":"1","lease":"${name}","ttl":600}\n` +
      '{"key":"z","value":""}\n',
  );
  t.equal(err, 'exported 4 keys at revision 5\n');
  t.equal(exitCode, 0);
  t.equal((await source.run(`export --rev ${revision} --prefix a`)).out, `${out.split('\n')[1]}\n`);

  for (const round of ['first', 'second']) {
    const imported = await target.run('import', out);
    t.match(imported, { err: 'imported 4 keys in 1 transactions\n', exitCode: 0 }, round);
    t.strictSame(await pairsOf(target.client), await pairsOf(source.client));
    t.equal((await target.client.get('leased'))?.lease, id);
    t.equal((await target.client.leaseTimeToLive(id)).grantedTtlSeconds, 600);
  }
});

t.test('a pair whose lease is gone is exported without it', async (t) => {
  const { client, run } = await startOneNode(t);
  const { id } = await client.grantLease(600);
  const { revision } = await client.put('a', '1', { lease: id });
  await client.revokeLease(id);
  t.equal((await run(`export --rev ${revision}`)).out, '{"key":"a","value":"1"}\n');
});

t.test('import', async (t) => {
  const { client, run } = await startOneNode(t);

  await t.test('the last of many lines of a key wins', async (t) => {
    const lines = Array.from({ length: 3_000 }, (_, i) => `{"key":"k${i % 300}","value":"${i}"}`);
    const { err } = await run('import', `${lines.join('\n')}\n\n`);
    t.match(err, /^imported 3000 keys in \d+ transactions\n$/);
    const { kvs } = await client.range('k', { prefix: true });
    t.ok(kvs.every(({ key, value }) => Number(value) === 2_700 + Number(key.toString().slice(1))));
    t.equal(kvs.length, 300);
  });

  await t.test('a file, whose last line need not end', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'kvorum-'));
    t.teardown(() => rm(directory, { recursive: true }));
    const path = join(directory, 'pairs');
    await writeFile(path, '{"key":"file","value":"1"}');
    t.match(await run(['import', path]), {
      err: 'imported 1 keys in 1 transactions\n',
      exitCode: 0,
    });
    const missing = await run(['import', join(directory, 'none')]);
    t.match(missing.err, /\nError: ENOENT: no such file or directory/);
    t.equal(missing.exitCode, 6);
  });

  await t.test('what a node refuses is told with its lines', async (t) => {
    const { err, exitCode } = await run(
      'import',
      '{"key":"ok","value":""}\n{"key":"","value":"1"}\n',
    );
    t.equal(
      err,
      'imported 0 keys in 0 transactions\nError: lines 1 to 2: etcdserver: key is not provided\n',
    );
    t.equal(exitCode, 1);
  });

  await t.test('a lease that a node refuses is told with its line', async (t) => {
    const lines = '{"key":"a","value":""}\n{"key":"b","value":"","lease":"1","ttl":9000000001}\n';
    const { err, exitCode } = await run('import', lines);
    t.match(err, '\nError: line 2: etcdserver: too large lease TTL\n');
    t.equal(exitCode, 1);
  });

  await t.test('a thousand leases are granted as quickly as pairs are put', async (t) => {
    const lines = Array.from(
      { length: 1_000 },
      (_, i) => `{"key":"l${i}","value":"","lease":"${(i + 16).toString(16)}","ttl":600}`,
    );
    const { err } = await run('import', lines.join('\n'));
    t.match(err, 'imported 1000 keys in 8 transactions\n');
    t.equal((await client.leases()).ids.length, 1_000);
  });

  const refused = [
    ['{"key":"a"', 'expected a JSON object: '],
    ['[]', 'expected a JSON object with key and value'],
    ['{"key":"a"}', 'expected value to be a string or {"base64":"..."}'],
    ['{"key":{"base64":"?"},"value":""}', 'expected key to be a string or {"base64":"..."}'],
    ['{"key":"\\ud800","value":""}', 'expected key to be a string or {"base64":"..."}'],
    ['{"key":"a","value":"","x":1}', 'expected key, value, lease, ttl only, not "x"'],
    ['{"key":"a","value":"","lease":"zz","ttl":1}', 'expected lease to be an id in hex'],
    ['{"key":"a","value":"","lease":"0","ttl":1}', 'expected lease to be 1 to 7fffffffffffffff'],
    [
      '{"key":"a","value":"","lease":"1"}',
      'expected ttl, the seconds of the lease, to be a positive',
    ],
  ] as const;
  for (const [line, why] of refused) {
    await t.test(`the line ${line} is refused with its number`, async (t) => {
      const { err, exitCode } = await run('import', `\n${line}\n`);
      t.match(err, `imported 0 keys in 0 transactions\nError: line 2: ${why}`);
      t.equal(exitCode, 3);
    });
  }
});

t.test('make-mirror', async (t) => {
  const source = await startOneNode(t);
  const target = await startOneNode(t);

  await t.test('copies what is there, then follows every change', async (t) => {
    await source.client.put('app/a', '1');
    await source.client.put('other', '1');
    const mirror = source.start(`make-mirror ${target.endpoint} --prefix app/ --dest-prefix m/`);
    await untilPairs(target.client, 'm/', ['m/a=1']);
    await source.client.put('app/b', '2');
    await source.client.delete('app/a');
    await untilPairs(target.client, 'm/', ['m/b=2']);
    t.strictSame(await pairsOf(target.client), ['m/b=2']);
    mirror.interrupt();
    t.match(await mirror.ended, { exitCode: 130, err: '' });
  });

  await t.test('a transaction of the source is one in the destination', async (t) => {
    const mirror = source.start(`make-mirror ${target.endpoint} --prefix t/`);
    const { revision } = await source.client.txn({
      then: [
        { put: 't/1', value: 'x' },
        { put: 't/2', value: 'x' },
      ],
    });
    await untilPairs(target.client, 't/', ['t/1=x', 't/2=x']);
    const { kvs } = await target.client.range('t/', { prefix: true });
    t.equal(kvs[0]?.modRevision, kvs[1]?.modRevision);
    t.ok(revision > 0);
    mirror.interrupt();
    await mirror.ended;
  });

  await t.test('--rev follows from there, without a copy; the order is kept', async (t) => {
    await source.client.put('r/old', '1');
    const { revision } = await source.client.put('r/new', '1');
    await source.client.put('r/new', '2');
    const line = `make-mirror ${target.endpoint} --prefix r/ --no-dest-prefix --rev ${revision}`;
    const mirror = source.start(`${line} --max-txn-ops 1`);
    await untilPairs(target.client, 'new', ['new=2']);
    t.strictSame(await pairsOf(target.client, 'old'), []);
    t.equal((await target.client.get('new'))?.version, 2);
    mirror.interrupt();
    await mirror.ended;
  });

  await t.test('a start that is compacted is an error', async (t) => {
    const { revision } = await source.client.put('c', '1');
    await source.client.compact(revision);
    const { err, exitCode } = await source.run(`make-mirror ${target.endpoint} --rev 1`);
    t.match(err, 'Error: etcdserver: mvcc: required revision has been compacted');
    t.equal(exitCode, 1);
  });

  await t.test('arguments that make no sense', async (t) => {
    t.match(await source.run('make-mirror'), {
      err: 'Error: make-mirror takes one destination argument\n',
      exitCode: 128,
    });
    t.match(await source.run('make-mirror x:1 --dest-prefix a --no-dest-prefix'), {
      err: /cannot be set at the same time, choose one\.\n$/,
      exitCode: 128,
    });
    t.match(await source.run('make-mirror x:1 --max-txn-ops 0'), { exitCode: 128 });
  });
});
