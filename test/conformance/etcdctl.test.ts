/** Debian's etcdctl against kvorum, and against etcd: both print the same. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../cluster/processes.ts';
import { etcdctl, type Outcome, startEtcdctl } from './etcdctl.ts';
import { isThere, startEtcd, startGateways } from './servers.ts';

/** Commands in order, with what goes into their standard input. */
const SESSION: readonly (readonly [args: string, input?: string])[] = [
  ['put a 1'],
  ['put a 2 --prev-kv'],
  ['put b value --prev-kv'],
  ['get a'],
  ['get a --rev=2'],
  ['get nothing'],
  ['get a z --keys-only'],
  ['get --prefix "" --limit=1'],
  ['get --from-key a --order=DESCEND --sort-by=KEY'],
  ['get a -w fields'],
  ['get a --print-value-only --consistency=s'],
  ['get a --rev=99'],
  ['put a --ignore-value'],
  ['put missing --ignore-value'],
  ['put c', 'from standard input\n'],
  ['put x y --lease=1234'],
  ['del a --prev-kv'],
  ['del nothing'],
  ['del --prefix b'],
  ['txn', 'ver("a") = "0"\n\nput a 1\nget a\ndel c\n\nget b\n\n'],
  ['txn', 'ver("a") = "0"\nmod("c") > "1"\n\nput a 1\n\nget a\nput b 3 --prev-kv\n\n'],
  ['txn', 'val("a") = "1"\n\nput a 2\nput a 3\n\n\n'],
  ['txn', 'create("a") != "0"\nval("a") < "9"\n\nget a --rev=2\n\n\n'],
  ['lease revoke 1234'],
  ['lease timetolive 1234'],
  ['lease keep-alive 1234'],
  ['lease list'],
  ['compaction 4'],
  ['compaction 4'],
  ['compaction 400'],
  ['get a --rev=3'],
  ['compaction 6 --physical'],
  ['watch a --rev=1'],
  ['alarm list'],
  ['user list'],
  ['role list'],
  ['user get nobody'],
  ['role get nobody'],
  ['user delete nobody'],
  ['role delete nobody'],
  ['user grant-role nobody none'],
  ['role grant-permission none read a'],
  ['auth enable'],
  ['auth disable'],
  ['endpoint health'],
  ['defrag'],
  ['version'],
  ['lease grant 9000000001'],
  ['lease revoke nothex'],
  ['member add x --peer-urls=nowhere'],
  ['member update 1234 --peer-urls=http://127.0.0.1:1'],
  ['member remove 1234'],
  ['member promote 1234'],
  ['move-leader 1234'],
];

t.setTimeout(240_000);

/** What of an outcome both must have in common. */
function comparable({ code, output, errorOutput }: Outcome): object {
  // The client library's own warnings are lines of JSON, and name the endpoint.
  const errors = errorOutput.split('\n').filter((line) => !line.startsWith('{'));
  const text = output.replace(/^"(ClusterID|MemberID|RaftTerm)" : \d+$/gm, '"$1" : n');
  return { code, output: alike(text), errors: errors.map(alike) };
}

/** A text without what no two servers have in common: where they are, and how long it took. */
function alike(text: string): string {
  return text.replace(/127\.0\.0\.1:\d{4,}/g, 'ENDPOINT').replace(/took = [\d.]+(µs|ms|s)/, 'took');
}

/**
 * The shape of a text: without the ids, places, names and numbers in it. Lines and lists are
 * sorted, since members stand in the order of their ids.
 */
function shapeOf({ code, output, errorOutput }: Outcome): object {
  const errors = errorOutput.split('\n').filter((line) => !line.startsWith('{'));
  const shape = [output, ...errors]
    .join('\n')
    .replace(/\b[0-9a-f]{12,16}\b/g, 'ID')
    .replace(/http:\/\/[\w.:]+/g, 'URL')
    .replace(/\b(default|node-\d)\b/g, 'NAME')
    .replace(/\d+/g, 'n')
    .replace(/ +/g, ' ')
    .replace(/-{3,}/g, '---')
    .replace(/"([^"]*)"/g, (_, list: string) => list.split(',').sort().join());
  return { code, shape: shape.split('\n').sort() };
}

function compareAll(): void {
  t.test('every command prints what it prints against etcd', async (t) => {
    const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
    const endpoint = clientEndpoints[0] ?? '';
    for (const [command, input] of SESSION) {
      const args = command.split(' ').map((word) => word.replace(/^""$/, ''));
      const [ours, theirs] = await Promise.all([
        etcdctl(endpoint, args, input),
        etcdctl(etcd, args, input),
      ]);
      t.strictSame(comparable(ours), comparable(theirs), command);
    }
  });

  t.test('a snapshot that it saves is one of kvorum', async (t) => {
    const { cluster, clientEndpoints } = await startGateways(t);
    for (let count = 0; count < 30; count += 1) {
      await cluster.client().put(`k${count}`, 'v'.repeat(40_000));
    }
    const file = join(cluster.directory, 'backup');
    const saved = await etcdctl(clientEndpoints[0] ?? '', ['snapshot', 'save', file]);
    t.match(saved, { code: 0, output: `Snapshot saved at ${file}\n` });
    const status = await runCommand(['snapshot', 'status', file, '-w', 'json']);
    t.match(JSON.parse(status.output), { revision: 31, totalKey: 30 });
  });

  t.test('who the members are, and changing that, is said in the same shape', membersAreShown);
  t.test('a mirror is kept, from kvorum to etcd', mirrorIsKept);
  t.test('a watch prints events as they come', async (t) => {
    const { clientEndpoints } = await startGateways(t);
    const endpoint = clientEndpoints[0] ?? '';
    const watch = startEtcdctl(endpoint, ['watch', '--prefix', '/app/', '--prev-kv', '--rev=2']);
    await etcdctl(endpoint, ['put', '/app/a', '1']);
    await watch.until((output) => output.endsWith('/app/a\n1\n'));
    await etcdctl(endpoint, ['put', '/app/a', '2']);
    await etcdctl(endpoint, ['put', '/other', '2']);
    await etcdctl(endpoint, ['del', '/app/a']);
    const output = await watch.until((text) => text.endsWith('DELETE\n/app/a\n2\n/app/a\n\n'));
    t.equal(output, 'PUT\n/app/a\n1\nPUT\n/app/a\n1\n/app/a\n2\nDELETE\n/app/a\n2\n/app/a\n\n');
    watch.child.kill('SIGINT');
    await watch.ended;
  });

  t.test('a lease lives while it is kept alive, and takes its keys with it', leaseLives);
  t.test('a lock and an election are waited for in turn', contestsAreWaitedFor);
}

async function membersAreShown(t: Test): Promise<void> {
  const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
  const endpoints = [clientEndpoints[0] ?? '', etcd];
  const both = async (commands: readonly string[]): Promise<Outcome[]> => {
    const outcomes = await Promise.all(
      endpoints.map((endpoint, slot) => etcdctl(endpoint, (commands[slot] ?? '').split(' '))),
    );
    const [ours, theirs] = outcomes.map(shapeOf);
    t.strictSame(ours, theirs, commands[0] ?? '');
    return outcomes;
  };
  const alikeBoth = (command: string): Promise<Outcome[]> => both([command, command]);
  for (const format of ['simple', 'table', 'fields']) {
    await alikeBoth(`member list -w ${format}`);
    await alikeBoth(`endpoint status -w ${format}`);
  }
  const added = await alikeBoth('member add l1 --peer-urls=http://127.0.0.1:9 --learner');
  const ids = added.map(({ output }) => /^Member +([0-9a-f]+) added/.exec(output)?.[1] ?? '');
  const listed = await alikeBoth('member list');
  const urls = listed.map(({ output }) => /started, [^,]+, (\S+), http/.exec(output)?.[1]);
  await both(urls.map((url) => `member add l2 --peer-urls=${url}`));
  await both(ids.map((id) => `member promote ${id}`));
  await both(ids.map((id) => `member update ${id} --peer-urls=http://127.0.0.1:10`));
  await both(ids.map((id) => `member remove ${id}`));
  await both(ids.map((id) => `member remove ${id}`));
  await alikeBoth('member list');
}

async function mirrorIsKept(t: Test): Promise<void> {
  const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
  const endpoint = clientEndpoints[0] ?? '';
  await etcdctl(endpoint, ['put', '/m/a', '1']);
  const mirror = startEtcdctl(endpoint, ['make-mirror', '--prefix=/m/', etcd]);
  const arrived = async (key: string): Promise<void> => {
    while ((await etcdctl(etcd, ['get', key])).output === '') {
      if (mirror.child.exitCode !== null) throw new Error((await mirror.ended).errorOutput);
    }
  };
  await arrived('/m/a');
  await etcdctl(endpoint, ['put', '/m/b', '2']);
  await arrived('/m/b');
  t.equal((await etcdctl(etcd, ['get', '--prefix', '/m/'])).output, '/m/a\n1\n/m/b\n2\n');
  mirror.child.kill('SIGKILL');
  await mirror.ended;
}

async function leaseLives(t: Test): Promise<void> {
  const { clientEndpoints } = await startGateways(t);
  const endpoint = clientEndpoints[0] ?? '';
  const granted = await etcdctl(endpoint, ['lease', 'grant', '60']);
  const id = /^lease ([0-9a-f]{16}) granted with TTL\(60s\)$/m.exec(granted.output)?.[1] ?? '';
  t.match(id, /./, granted.output);
  await etcdctl(endpoint, ['put', 'k', 'v', `--lease=${id}`]);
  const alive = startEtcdctl(endpoint, ['lease', 'keep-alive', id]);
  await alive.until((output) => output.includes(`lease ${id} keepalived with TTL(60)`));
  const left = await etcdctl(endpoint, ['lease', 'timetolive', id, '--keys']);
  t.match(
    left.output,
    new RegExp(`^lease ${id} granted with TTL\\(60s\\), remaining\\(\\d+s\\), `),
  );
  t.match(left.output, 'attached keys([k])');
  t.equal((await etcdctl(endpoint, ['lease', 'list'])).output, `found 1 leases\n${id}\n`);
  t.equal((await etcdctl(endpoint, ['lease', 'revoke', id])).output, `lease ${id} revoked\n`);
  t.equal((await etcdctl(endpoint, ['get', 'k'])).output, '');
  alive.child.kill('SIGKILL');
  await alive.ended;
}

async function contestsAreWaitedFor(t: Test): Promise<void> {
  const { clientEndpoints } = await startGateways(t);
  const endpoint = clientEndpoints[0] ?? '';
  const first = startEtcdctl(endpoint, ['lock', 'name']);
  await first.until((output) => output.startsWith('name/'));
  const second = startEtcdctl(endpoint, ['lock', 'name', 'echo', 'held']);
  first.child.kill('SIGINT');
  t.equal((await second.ended).output, 'held\n');
  await first.ended;

  const leader = startEtcdctl(endpoint, ['elect', 'post', 'one']);
  await leader.until((output) => output.endsWith('one\n'));
  const observer = startEtcdctl(endpoint, ['elect', '-l', 'post']);
  await observer.until((output) => output.endsWith('one\n'));
  const next = startEtcdctl(endpoint, ['elect', 'post', 'two']);
  leader.child.kill('SIGINT');
  await observer.until((output) => output.endsWith('two\n'));
  next.child.kill('SIGINT');
  await next.ended;
  observer.child.kill('SIGKILL');
  await observer.ended;
}

if (isThere('etcd') && isThere('etcdctl')) compareAll();
else t.comment('etcd and etcdctl are not on the PATH: kvorum was not compared with etcd');
