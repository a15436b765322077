/** What `kvorum etcd` makes of what etcd may be told. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readOptions } from '../../src/commands/etcd/options.ts';
import { initialCluster, otherPlaces, readPlan } from '../../src/commands/etcd/plan.ts';
import { runCommand } from './fake-terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'kvorum-etcd-options-'));
mkdirSync(join(directory, 'member'));
t.teardown(() => rmSync(directory, { recursive: true }));

/** The plan that a command line comes to. */
function planOf(args: string[], environment: Record<string, string> = {}) {
  return readPlan(readOptions(args, environment).given);
}

function yaml(text: string): string {
  const path = join(directory, 'etcd.yaml');
  writeFileSync(path, text);
  return path;
}

t.test('without a flag it is what etcd is without a flag', async (t) => {
  const plan = planOf([]);
  t.match(plan, {
    name: 'default',
    dataDir: 'default.etcd',
    listenPeers: { host: '127.0.0.1', port: 2380 },
    listenClients: [{ host: '127.0.0.1', port: 2379 }],
    peer: { host: 'localhost', port: 2380 },
    client: { host: 'localhost', port: 2379 },
    heartbeatMs: 100,
    electionMs: 1_000,
    watchProgressMs: 600_000,
    slowRequestMs: 300,
    isExisting: false,
    logOutput: 'stderr',
    warnings: [],
  });
  t.match(initialCluster(plan).self, { id: 0, name: 'default', address: 'localhost', port: 2380 });
  t.equal(planOf(['--name', 'm1']).dataDir, 'm1.etcd');
  t.equal(initialCluster(planOf(['--name', 'm1'])).self.name, 'm1');
});

t.test('flags are read as Go reads them', async (t) => {
  const plan = planOf(['-name=a', '--data-dir', 'there', '-heartbeat-interval', '50']);
  t.match(plan, { name: 'a', dataDir: 'there', heartbeatMs: 50 });
  t.equal(readOptions(['--pre-vote', '--name', 'a'], {}).given.get('pre-vote'), 'true');
  t.equal(readOptions(['--pre-vote=0'], {}).given.get('pre-vote'), '0');
});

t.test('all members come to the same cluster, whatever the order of their flags', async (t) => {
  const urls = ['a=http://10.0.0.1:2380', 'b=http://10.0.0.2:2380', 'c=http://10.0.0.3:2380'];
  const clusterOf = (order: number[], name: string, host: string, token = 'etcd-cluster') => {
    const named = order.map((slot) => urls[slot]).join();
    const own = `http://${host}:2380`;
    const flags = ['--name', name, '--initial-cluster', named, '--initial-cluster-token', token];
    return initialCluster(planOf([...flags, '--initial-advertise-peer-urls', own]));
  };
  const first = clusterOf([0, 1, 2], 'a', '10.0.0.1');
  const second = clusterOf([2, 0, 1], 'b', '10.0.0.2');
  t.strictSame(second.cluster, first.cluster);
  t.equal(second.self.id, 1);
  const other = clusterOf([0, 1, 2], 'a', '10.0.0.1', 'another');
  t.not(other.cluster.clusterId, first.cluster.clusterId);
});

t.test('who joins asks the others', async (t) => {
  const named = 'a=http://h1:2380,b=http://h2:2380,a=http://h3:2380';
  const plan = planOf(['--name', 'b', '--initial-cluster', named]);
  t.strictSame(otherPlaces(plan), ['http://h1:2380', 'http://h3:2380']);
});

t.test('every flag is a variable too', async (t) => {
  const plan = planOf([], { ETCD_NAME: 'm', ETCD_INITIAL_CLUSTER_STATE: 'existing' });
  t.match(plan, { name: 'm', isExisting: true });
  const { warnings } = readOptions([], { ETCD_NONSENSE: '1', ETCDCTL_API: '3', ETCD_NAME: '' });
  t.strictSame(warnings, ['unrecognized environment variable ETCD_NONSENSE=1']);
});

t.test('a file takes the place of flags and environment', async (t) => {
  const path = yaml(`
name: from-file
heartbeat-interval: 200
initial-cluster-token: 'quoted'
log-outputs: [stdout]
listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2
advertise-client-urls: http://127.0.0.1:1
auto-tls:
client-transport-security:
  cert-file: ''
unheard-of: 1
`);
  const { given, warnings } = readOptions(['--config-file', path, '--name', 'x'], {
    ETCD_NAME: 'y',
  });
  const plan = readPlan(given);
  t.match(plan, { name: 'from-file', heartbeatMs: 200, token: 'quoted', logOutput: 'stdout' });
  t.equal(plan.listenClients.length, 2);
  t.strictSame(warnings, [`unknown key unheard-of in ${path}`]);
  t.equal(planOf([], { ETCD_CONFIG_FILE: path }).name, 'from-file');
});

t.test('what has no effect here is said, defaults are not', async (t) => {
  const args = ['--max-wals=5', '--backend-batch-limit=9', '--enable-v2', '--max-txn-ops=0128'];
  const { warnings } = readOptions(args, {});
  t.match(warnings, [
    /^--backend-batch-limit=9 is ignored: /,
    '--enable-v2=true is ignored: kvorum does not have it',
  ]);
  t.equal(warnings.length, 2);
});

const refused: readonly (readonly [
  name: string,
  args: string[],
  message: RegExp,
  code?: number,
  environment?: Record<string, string>,
])[] = [
  ['an unknown flag', ['--nonsense'], /flag provided but not defined: -nonsense/, 2],
  ['a flag without its value', ['--name'], /flag needs an argument: -name/, 2],
  ['a bad number', ['--heartbeat-interval', 'x'], /invalid value "x" for flag -heartbeat/, 2],
  ['a bad truth', ['--pre-vote=maybe'], /invalid value "maybe" for flag -pre-vote/, 2],
  ['three dashes', ['---name'], /bad flag syntax: ---name/, 2],
  ['a word that is no flag', ['gateway'], /'gateway' is not a valid flag/],
  [
    'a flag that is a variable as well',
    ['--name=a'],
    /conflicting environment variable "ETCD_NAME" is shadowed by corresponding command-line flag/,
    1,
    { ETCD_NAME: 'b' },
  ],
  [
    'to listen without telling where',
    ['--listen-client-urls=http://127.0.0.1:1'],
    /--advertise-client-urls is required when --listen-client-urls is set explicitly/,
  ],
  [
    'to listen at a name',
    ['--listen-peer-urls=http://example.com:1'],
    /expected IP in URL for binding \(http:\/\/example\.com:1\)/,
  ],
  ['no URL', ['--listen-peer-urls=x'], /--listen-peer-urls has "x": expected http:\/\/host:port/],
  ['a URL without a port', ['--listen-peer-urls=http://1.1.1.1'], /expected http:\/\/host:port/],
  ['a path', ['--listen-peer-urls=http://1.1.1.1:1/x'], /expected http:\/\/host:port/],
  ['TLS', ['--listen-peer-urls=https://1.1.1.1:1'], /TLS is not served yet/],
  ['a certificate', ['--cert-file=c.pem'], /--cert-file=c\.pem is refused: TLS is not served/],
  ['discovery', ['--discovery=http://x'], /there is no discovery: give --initial-cluster/],
  [
    'a cluster without oneself',
    ['--initial-cluster=a=http://127.0.0.1:1'],
    /couldn't find local name "default" in the initial cluster configuration/,
  ],
  [
    'another place in the cluster than one advertises',
    ['--initial-cluster=default=http://127.0.0.1:1'],
    /--initial-cluster has default=http:\/\/127\.0\.0\.1:1 but missing from --initial-adv/,
  ],
  ['a cluster without names', ['--initial-cluster=http'], /expected NAME=http:\/\/host:port/],
  ['a state of neither', ['--initial-cluster-state=odd'], /expected new or existing/],
  [
    'an existing cluster of oneself',
    ['--initial-cluster-state=existing', `--data-dir=${join(directory, 'none')}`],
    /--initial-cluster names no other member/,
  ],
  [
    'the data directory of an etcd',
    [`--data-dir=${directory}`],
    /holds data of etcd, which kvorum does not read: give another --data-dir/,
  ],
  ['a short election', ['--election-timeout=200'], /--election-timeout 200 is below 5 heartbeats/],
  [
    'progress all the time',
    ['--watch-progress-notify-interval=10ms'],
    /--watch-progress-notify-interval must be at least 100ms \(set to 10ms\)/,
  ],
  ['a log of nothing', ['--snapshot-count=0'], /--snapshot-count must be >0 \(set to 0\)/],
  ['no heartbeat', ['--heartbeat-interval=0'], /--heartbeat-interval must be >0 \(set to 0ms\)/],
  ['a level', ['--log-level=loud'], /--log-level "loud": expected one of debug, info, warn/],
  ['a file that is not there', ['--config-file=/none'], /cannot read \/none: ENOENT/],
];

for (const [name, args, message, code = 1, environment = {}] of refused) {
  t.test(`refused: ${name}`, async (t) => {
    const { exitCode, err } = await runCommand(['etcd', ...args], { environment });
    t.equal(exitCode, code);
    t.match(err, message);
    t.equal(err.trimEnd().split('\n').length, 1, 'one line');
  });
}

t.test('a file that is no map is refused', async (t) => {
  t.throws(() => readOptions(['--config-file', yaml('- a')], {}), /is no map of flags/);
  t.throws(() => readOptions(['--config-file', yaml('a: [')], {}), /cannot read/);
});
