/** A node as a service: what systemd hears of it, and its log file. */

import { spawn, spawnSync } from 'node:child_process';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { createCluster, NodeProcess, nextTick, runCommand } from '../cluster/processes.ts';

/** Prints each datagram to a socket as a line. Perl is on every Debian; Node has no such socket. */
const RECEIVER = `
  use Socket; $| = 1;
  socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die;
  bind($socket, sockaddr_un($ARGV[0])) or die;
  print "bound\\n";
  while (defined recv($socket, my $state, 4096, 0)) { $state =~ s/\\n/ /g; print "$state\\n"; }
`;

const canReceive = ['perl', 'systemd-notify'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
);

/** Starts a node alone, with an environment; its directory is removed when the test ends. */
async function startNode(
  t: Test,
  environment: (directory: string) => Promise<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<{ readonly node: NodeProcess; readonly directory: string }> {
  const { directory, endpoints } = await createCluster(t, { size: 1 });
  const args = ['serve', '--id', '0', '--data-dir', 'node-0', ...flags];
  const variables = await environment(directory);
  const node = new NodeProcess(0, endpoints[0] ?? '', args, directory, variables);
  t.teardown(async () => {
    node.kill('SIGKILL');
    await node.ended;
  });
  return { node, directory };
}

/** Puts a `systemd-notify` first in the path that says on the error output what it is told. */
async function fakeManager(directory: string): Promise<Record<string, string>> {
  const tool = join(directory, 'systemd-notify');
  await writeFile(tool, '#!/bin/sh\necho "$NOTIFY_SOCKET: $*" >&2\n');
  await chmod(tool, 0o755);
  return { NOTIFY_SOCKET: 'here', PATH: `${directory}:${process.env.PATH}` };
}

t.test('systemd hears when the node serves and when it stops', async (t) => {
  const { node } = await startNode(t, fakeManager);
  await node.untilTold(/READY/);
  t.ok(node.lines.some((line) => line.event === 'node started'));
  node.kill('SIGTERM');
  t.strictSame(await node.ended, { code: 0, signal: null });
  t.equal(node.errorOutput, 'here: READY=1\nhere: STOPPING=1\n');
});

t.test('the watchdog is fed while the event loop turns, twice in its time', async (t) => {
  const { node } = await startNode(t, async (directory) => ({
    ...(await fakeManager(directory)),
    WATCHDOG_USEC: '40000',
  }));
  await node.untilTold(/READY=1\n(here: WATCHDOG=1\n){3}/);
});

t.test("a watchdog of another process is not this one's", async (t) => {
  const { node } = await startNode(t, async (directory) => ({
    ...(await fakeManager(directory)),
    WATCHDOG_USEC: '1000',
    WATCHDOG_PID: '1',
  }));
  await node.untilTold(/READY/);
  node.kill('SIGTERM');
  await node.ended;
  t.notMatch(node.errorOutput, 'WATCHDOG');
});

t.test('a node that nobody waits for tells nobody', async (t) => {
  const { node } = await startNode(t, async (directory) => ({
    ...(await fakeManager(directory)),
    NOTIFY_SOCKET: '',
  }));
  await node.waitFor((line) => line.event === 'node started');
  node.kill('SIGTERM');
  await node.ended;
  t.equal(node.errorOutput, '');
});

t.test('a node serves though systemd cannot be told', async (t) => {
  const { node } = await startNode(t, async () => ({ NOTIFY_SOCKET: 'here', PATH: '/nowhere' }));
  await node.untilTold(/systemd-notify: not found/);
  node.kill('SIGTERM');
  t.strictSame(await node.ended, { code: 0, signal: null });
});

if (canReceive) {
  t.test('the real systemd-notify sends what the socket expects', async (t) => {
    const { directory } = await createCluster(t, { size: 1 });
    const path = join(directory, 'notify');
    const receiver = spawn('perl', ['-e', RECEIVER, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => receiver.kill());
    const states = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
    t.equal((await states.next()).value, 'bound');
    const { node } = await startNode(t, async () => ({
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: '100000',
    }));
    t.match((await states.next()).value, /^READY=1/);
    let state = (await states.next()).value;
    while (!String(state).startsWith('WATCHDOG=1')) state = (await states.next()).value;
    node.kill('SIGTERM');
    while (!String(state).startsWith('STOPPING=1')) state = (await states.next()).value;
    t.strictSame(await node.ended, { code: 0, signal: null });
  });
}

t.test('SIGHUP goes on in a new log file, and the old one has all that was before', async (t) => {
  const { node, directory } = await startNode(t, async () => ({}), ['--log-file', 'log']);
  const [now, old] = [join(directory, 'log'), join(directory, 'log.1')];
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  while (!(await read(now)).includes('"leader elected"')) await nextTick();
  await rename(now, old);
  node.kill('SIGHUP');
  while (!(await read(now)).includes('"log file reopened"')) await nextTick();
  node.kill('SIGTERM');
  t.strictSame(await node.ended, { code: 0, signal: null });
  t.strictSame(node.lines, [], 'nothing on the standard output');
  const events = (text: string): string[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event);
  t.ok(events(await read(old)).includes('node started'));
  t.equal(events(await read(now))[0], 'log file reopened');
});

t.test('SIGHUP does no harm where there is no log file', async (t) => {
  const { node } = await startNode(t, async () => ({}));
  await node.waitFor((line) => line.event === 'node started');
  node.kill('SIGHUP');
  node.kill('SIGTERM');
  t.strictSame(await node.ended, { code: 0, signal: null });
});

t.test('a full disk of logs does not stop a node, and is said once', async (t) => {
  const { node } = await startNode(t, async () => ({}), ['--log-file', '/dev/full']);
  await node.untilTold(/dropped/);
  node.kill('SIGHUP');
  node.kill('SIGTERM');
  t.strictSame(await node.ended, { code: 0, signal: null });
  t.match(node.errorOutput, /^cannot write to \/dev\/full \(ENOSPC\): lines are dropped/);
});

t.test('a log file that cannot be opened is named, with exit code 1', async (t) => {
  const { directory } = await createCluster(t, { size: 1 });
  const args = ['serve', '--id', '0', '--log-file', 'none/log'];
  const { code, errorOutput } = await runCommand(args, { cwd: directory });
  t.equal(code, 1);
  t.match(errorOutput, /^Error: cannot open the log file none\/log \(ENOENT\): give a file/);
});
