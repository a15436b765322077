import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { createCluster, NodeProcess, runCommand, startCluster } from './processes.ts';

const refused: readonly (readonly [name: string, args: readonly string[], message: RegExp])[] = [
  ['an id that is not given', [], /--id is not given: expected the number of a node/],
  ['an id that is no number', ['--id', 'x'], /--id "x" is not a node id/],
  ['an id that is not listed', ['--id', '7'], /nodes\.conf: no node with id 7; choose one of 0/],
  [
    'a nodes.conf that is not there',
    ['--id', '0', '--conf', 'none'],
    /cannot read none \(ENOENT\)/,
  ],
  [
    'a line that does not parse',
    ['--id', '0', '--conf', 'bad.conf'],
    /bad\.conf:2: .*expected "id/,
  ],
  ['a data directory that is a file', ['--id', '0', '--data-dir', 'nodes.conf'], /nodes\.conf/],
  ['an unknown log level', ['--id', '0', '--log-level', 'loud'], /--log-level "loud": expected/],
  [
    'an election shorter than five heartbeats',
    ['--id', '0', '--election-timeout', '100'],
    /--election-timeout 100 is below 5 heartbeats of 100 ms: give at least 500/,
  ],
];

/** Takes a port so that a node cannot. */
function squat(endpoint: string): Promise<Server> {
  const [host = '', port = ''] = endpoint.split(':');
  const server = createServer();
  return new Promise((resolve) => server.listen(Number(port), host, () => resolve(server)));
}

t.test('what a node cannot start with is said in a line, with exit code 1', async (t) => {
  const { directory } = await createCluster(t, { size: 1 });
  await writeFile(join(directory, 'bad.conf'), '0 127.0.0.1 7001\n1 127.0.0.1\n');
  for (const [name, args, message] of refused) {
    const { code, errorOutput } = await runCommand(['serve', ...args], { cwd: directory });
    t.equal(code, 1, name);
    t.match(errorOutput, message, name);
    t.equal(errorOutput.trimEnd().split('\n').length, 1, `${name}: one line`);
  }
});

t.test('a port in use is named, and the directory stays usable', async (t) => {
  const cluster = await createCluster(t, { size: 1 });
  const endpoint = cluster.endpoints[0] ?? '';
  const squatter = await squat(endpoint);
  const args = ['serve', '--id', '0', '--data-dir', 'node-0'];
  const { code, errorOutput } = await runCommand(args, { cwd: cluster.directory });
  t.equal(code, 1);
  t.match(errorOutput, `cannot listen on ${endpoint}`);
  await new Promise<void>((done) => squatter.close(() => done()));
  await cluster.start(0);
  t.equal((await cluster.client().put('a', '1')).revision, 2);
});

t.test('a data directory in use is refused, and free again once its node is killed', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const args = ['serve', '--id', '0', '--data-dir', 'node-0'];
  const second = await runCommand(args, { cwd: cluster.directory });
  t.equal(second.code, 1);
  t.match(second.errorOutput, /node-0/);
  t.equal(second.errorOutput.trimEnd().split('\n').length, 1);
  await cluster.kill(0);
  await cluster.start(0);
});

t.test('a data directory of another node or cluster is refused', async (t) => {
  const cluster = await startCluster(t);
  await cluster.kill(1);
  const directory = ['--data-dir', 'node-1'];
  const asOther = await runCommand(['serve', '--id', '2', ...directory], {
    cwd: cluster.directory,
  });
  t.equal(asOther.code, 1);
  t.match(asOther.errorOutput, /node 1/);
  await writeFile(join(cluster.directory, 'other.conf'), '1 127.0.0.1 1\n');
  const ofOther = await runCommand(['serve', '--id', '1', '--conf', 'other.conf', ...directory], {
    cwd: cluster.directory,
  });
  t.equal(ofOther.code, 1);
  t.match(ofOther.errorOutput, /cluster/);
});

t.test('dev runs all nodes in one process, and stops in order', async (t) => {
  const cluster = await createCluster(t);
  const dev = new NodeProcess(-1, '', ['dev', '--data-dir', 'data'], cluster.directory);
  t.teardown(() => dev.kill('SIGKILL'));
  await dev.waitFor((line) => line.event === 'leader elected');
  await cluster.leader();
  t.equal((await cluster.client([1]).put('a', '1')).revision, 2);
  t.strictSame([...new Set(dev.lines.map((line) => line.node))].sort(), [0, 1, 2]);
  dev.kill('SIGTERM');
  t.strictSame(await dev.ended, { code: 0, signal: null });
});

t.test('dev goes on without a node that cannot start, and says which', async (t) => {
  const cluster = await createCluster(t);
  const squatter = await squat(cluster.endpoints[2] ?? '');
  t.teardown(() => squatter.close());
  const dev = new NodeProcess(-1, '', ['dev', '--data-dir', 'data'], cluster.directory);
  t.teardown(() => dev.kill('SIGKILL'));
  await cluster.leader([0, 1]);
  t.equal((await cluster.client([0, 1]).put('a', '1')).revision, 2);
  await dev.untilTold(/node 2 has ended/);
  t.match(dev.errorOutput, `cannot listen on ${cluster.endpoints[2]}`);
  dev.kill('SIGINT');
  await dev.ended;
});
