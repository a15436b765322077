import t from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import { runCommand, startCluster } from './processes.ts';

t.setTimeout(290_000);

const NO_SPACE = 'memberID:0 alarm:NOSPACE \n';

t.test('a full store: the alarm is listed, told in the status, and disarmed', async (t) => {
  const cluster = await startCluster(t, { size: 1, flags: ['--quota-bytes=1000000'] });
  const run = (...args: readonly string[]) =>
    runCommand(['--endpoints', cluster.endpoints[0] ?? '', ...args]);
  const client = cluster.client();
  t.equal((await run('alarm', 'list')).output, '');

  const value = Buffer.alloc(100_000, 'v');
  const fill = async (): Promise<void> => {
    for (;;) await client.put('k', value);
  };
  await t.rejects(fill(), { code: ErrorCode.NoSpace });
  t.equal((await run('alarm', 'list')).output, NO_SPACE);
  const refused = await run('put', 'a', 'b');
  t.equal(refused.errorOutput, 'Error: etcdserver: mvcc: database space exceeded\n');
  t.equal(refused.code, 1);
  const status = await run('endpoint', 'status');
  t.match(status.output, /memberID:0 alarm:NOSPACE \n$/);
  t.match((await run('endpoint', 'status', '-w', 'table')).output, ' 1.0 MB |');

  const { revision } = await client.delete('k');
  await run('compaction', String(revision), '--physical');
  t.equal((await run('alarm', 'disarm')).output, NO_SPACE);
  t.equal((await run('put', 'a', 'b')).output, 'OK\n');
  t.equal((await run('alarm', 'disarm')).output, '');

  const extra = await run('alarm', 'list', 'all');
  t.equal(extra.errorOutput, 'Error: alarm list command accepts no arguments\n');
  t.equal(extra.code, 128);
  const unknown = await run('alarm', 'raise');
  t.equal(unknown.errorOutput, 'Error: unknown command "raise" for "kvorum alarm"\n');
});

const quotas = [
  ['x', 'expected bytes, at most 549755813888'],
  ['1e9', 'expected bytes, at most 549755813888'],
  ['549755813889', 'expected bytes, at most 549755813888'],
] as const;
for (const [given, text] of quotas) {
  t.test(`a quota of ${given} is refused`, async (t) => {
    const serve = await runCommand(['serve', '--id', '0', '--quota-bytes', given]);
    t.equal(serve.errorOutput, `Error: --quota-bytes "${given}": ${text}\n`);
    t.equal(serve.code, 1);
  });
}
