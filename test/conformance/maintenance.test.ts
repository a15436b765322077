/** etcdctl's maintenance: a store that is full, its alarm, hashes, defragmentation. */

import t, { type Test } from 'tap';
import { etcdctl, type Outcome } from './etcdctl.ts';
import { isThere, startEtcd, startGateways } from './servers.ts';

t.setTimeout(240_000);

const QUOTA_BYTES = 1_000_000;
const LARGE = 'v'.repeat(600_000);

/** Commands in order, with what goes into their standard input. */
const SESSION: readonly (readonly [args: string, input?: string])[] = [
  ['put a 1'],
  ['alarm list'],
  ['alarm list -w json'],
  ['alarm disarm'],
  ['alarm list -w table'],
  ['alarm list too many'],
  ['endpoint hashkv --rev=99'],
  ['put a 2'],
  ['compaction 2'],
  ['endpoint hashkv --rev=1'],
  ['endpoint hashkv --rev=2'],
  ['endpoint hashkv --rev=x'],
  ['endpoint hashkv'],
  ['endpoint hashkv --rev=3'],
  ['endpoint hashkv -w table'],
  ['defrag'],
];

/** What both print of a full store. */
const FULL: readonly string[] = [
  'put a b',
  'lease grant 10',
  'alarm list',
  'alarm list -w json',
  'get a',
  'del a',
  'txn',
  'alarm disarm',
];

/** What of an outcome both must have in common: ids, hashes and places are their own. */
function comparable({ code, output, errorOutput }: Outcome): object {
  const neutral = (text: string): string =>
    text
      .replace(/127\.0\.0\.1:\d+/g, 'endpoint')
      .replace(/memberID(":|:)\d+/g, 'memberID$1n')
      .replace(/(endpoint(, | \| +))\d+/g, '$1hash')
      .replace(/^[|+].*HASH.*$|^\+-.*$/gm, 'rule')
      .replace(/"header":\{[^}]*\},?/, '');
  const errors = errorOutput.split('\n').filter((line) => !line.startsWith('{'));
  return { code, output: neutral(output), errors: errors.map(neutral) };
}

async function compare(t: Test): Promise<void> {
  const flag = `--quota-bytes=${QUOTA_BYTES}`;
  const [etcd, { clientEndpoints }] = await Promise.all([
    startEtcd(t, [`--quota-backend-bytes=${QUOTA_BYTES}`]),
    startGateways(t, 1, [flag]),
  ]);
  const endpoints = [clientEndpoints[0] ?? '', etcd];
  const both = (args: readonly string[], input?: string): Promise<Outcome[]> =>
    Promise.all(endpoints.map((endpoint) => etcdctl(endpoint, args, input)));

  for (const [command, input] of SESSION) {
    const [ours, theirs] = await both(command.split(' '), input);
    t.strictSame(comparable(ours!), comparable(theirs!), command);
  }
  // Two of them are too many for either; kvorum notices a moment later.
  for (const endpoint of endpoints) {
    for (;;) {
      const put = await etcdctl(endpoint, ['put', 'large'], LARGE);
      if (put.code === 0) continue;
      t.match(put.errorOutput, 'Error: etcdserver: mvcc: database space exceeded\n');
      break;
    }
  }
  const deletion = 'ver("a") > "7"\n\nput a 1\n\n\n';
  for (const command of FULL) {
    const [ours, theirs] = await both(command.split(' '), command === 'txn' ? deletion : undefined);
    t.strictSame(comparable(ours!), comparable(theirs!), command);
  }
  const [status] = await both(['endpoint', 'status']);
  // The deletion may have made room, or the alarm is there again.
  t.match(status!.output, /, (memberID:\d+ alarm:NOSPACE )?\n$/);
}

if (isThere('etcd') && isThere('etcdctl')) t.test('both print the same', compare);
else t.comment('etcd and etcdctl are not on the PATH: kvorum was not compared with etcd');
