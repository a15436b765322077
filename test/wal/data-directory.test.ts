/** A data directory knows whose it is, and lets one in at a time. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { FaultKind, NodeFault } from '../../include/node.ts';
import { type DataDirectory, openDataDirectory } from '../../src/node/data-directory.ts';

const MODULE = pathToFileURL(resolve(import.meta.dirname, '../../src/node/data-directory.ts')).href;

function open(path: string, clusterId = 0xabcn, nodeId = 1): Promise<DataDirectory> {
  return openDataDirectory({ path, clusterId, nodeId });
}

/** The fault that opening ends in. */
async function refusal(path: string, clusterId = 0xabcn, nodeId = 1): Promise<NodeFault> {
  try {
    const directory = await open(path, clusterId, nodeId);
    await directory.close();
  } catch (error) {
    if (error instanceof NodeFault) return error;
    throw error;
  }
  throw new Error('it was let in');
}

t.test('a directory is made with all above it, for its owner alone', async (t) => {
  const path = join(t.testdir(), 'a', 'b');
  const directory = await open(path);
  t.equal(directory.isNew, true);
  t.equal(fs.statSync(path).mode & 0o777, 0o700);
  t.equal(directory.walPath, join(path, 'wal'));
  t.ok(fs.statSync(directory.walPath).isDirectory());
  await directory.close();
});

t.test(
  'a directory is new until it is confirmed, and then says in words whose it is',
  async (t) => {
    const path = t.testdir();
    for (const isConfirmed of [false, true]) {
      const directory = await open(path);
      t.equal(directory.isNew, true);
      if (isConfirmed) directory.confirm();
      directory.confirm();
      await directory.close();
      fs.rmSync(join(path, 'identity.tmp'), { force: true });
      if (!isConfirmed) fs.rmSync(join(path, 'identity'));
    }
    const text = fs.readFileSync(join(path, 'identity'), 'utf8');
    t.equal(text, 'format 1\ncluster 0000000000000abc\nnode 1\n');
    const directory = await open(path);
    t.equal(directory.isNew, false);
    await directory.close();
  },
);

t.test('another cluster and another node are refused', async (t) => {
  const path = t.testdir();
  const directory = await open(path);
  directory.confirm();
  await directory.close();
  const cluster = await refusal(path, 0xdefn);
  t.match(cluster, { kind: FaultKind.DirectoryForeign, path: join(path, 'identity') });
  t.match(cluster.message, /node 1 of cluster 0000000000000abc, this is node 1 of cluster 0+def/);
  t.match(await refusal(path, 0xabcn, 2), { kind: FaultKind.DirectoryForeign });
  await (await open(path)).close();
});

t.test('a newer format and a damaged identity are refused', async (t) => {
  const cases = [
    ['format 3\nanything\n', FaultKind.DirectoryNewer],
    ['', FaultKind.DirectoryDamaged],
    ['format 1\n', FaultKind.DirectoryDamaged],
    ['format 0\ncluster 0000000000000abc\nnode 1\n', FaultKind.DirectoryDamaged],
    ['format 2\ncluster 0000000000000abc\nnode 1\n', FaultKind.DirectoryDamaged],
    ['format 2\ncluster 0000000000000abc\nnode 1\nborn 1\n', FaultKind.DirectoryDamaged],
    [
      'format 1\ncluster 0000000000000abc\nnode 1\nborn 0000000000000abc\n',
      FaultKind.DirectoryDamaged,
    ],
    ['format 1\ncluster abc\nnode 1\n', FaultKind.DirectoryDamaged],
    ['format 1\ncluster 0000000000000abc\nnode 1\n\n', FaultKind.DirectoryDamaged],
  ] as const;
  for (const [identity, kind] of cases) {
    const path = t.testdir({ identity });
    const fault = await refusal(path);
    t.equal(fault.kind, kind, JSON.stringify(identity));
    t.ok(fault.message.includes(fault.remedy));
  }
});

t.test('a path that is no directory, or under a file, is refused with the reason', async (t) => {
  const root = t.testdir({ file: 'x', identity: { identity: {} } });
  for (const path of [join(root, 'file'), join(root, 'file', 'below')]) {
    const fault = await refusal(path);
    t.match(fault, { kind: FaultKind.DirectoryUnusable, path, message: /EEXIST|ENOTDIR/ });
  }
  const unreadable = await refusal(join(root, 'identity'));
  t.match(unreadable, { kind: FaultKind.DirectoryUnusable, message: /EISDIR/ });
});

t.test('an identity that cannot be written is a fault', async (t) => {
  const path = t.testdir({ 'identity.tmp': {} });
  const directory = await open(path);
  t.throws(() => directory.confirm(), { name: 'NodeFault' });
  await directory.close();
});

t.test('a directory in use is refused to the same thread, by any path', async (t) => {
  const root = t.testdir({ data: {} });
  const path = join(root, 'data');
  fs.symlinkSync(path, join(root, 'link'));
  const directory = await open(path);
  for (const other of [path, join(root, 'link'), join(root, '.', 'data', '..', 'data')]) {
    const fault = await refusal(other);
    t.match(fault, { kind: FaultKind.DirectoryLocked, message: /another kvorum uses/ });
  }
  await directory.close();
  await (await open(path)).close();
});

t.test('of many that open a directory at once one is let in', async (t) => {
  const path = t.testdir();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => open(path)));
  const inside = results.filter((result) => result.status === 'fulfilled');
  t.equal(inside.length, 1);
  await inside[0]?.value.close();
  await (await open(path)).close();
});

t.test('a path longer than a socket may have is locked all the same', async (t) => {
  const path = join(t.testdir(), 'x'.repeat(120), 'y'.repeat(120));
  const directory = await open(path);
  t.match(await refusal(path), { kind: FaultKind.DirectoryLocked });
  await directory.close();
});

const HOLD = `
  const { openDataDirectory } = await import(${JSON.stringify(MODULE)});
  const { parentPort } = await import('node:worker_threads');
  const say = (word) => (parentPort ? parentPort.postMessage(word) : process.send(word));
  const path = process.env.HELD;
  try {
    await openDataDirectory({ path, clusterId: 0xabcn, nodeId: 1 });
    say('held');
  } catch (error) { say(error.kind ?? String(error)); }
  setInterval(() => {}, 1000);
`;

t.test('another thread is kept out, and its end frees the directory', async (t) => {
  const path = t.testdir();
  const url = new URL(`data:text/javascript,${encodeURIComponent(HOLD)}`);
  const begin = () => new Worker(url, { env: { ...process.env, HELD: path } });
  const holder = begin();
  t.strictSame(await once(holder, 'message'), ['held']);
  t.match(await refusal(path), { kind: FaultKind.DirectoryLocked });
  const other = begin();
  t.strictSame(await once(other, 'message'), [FaultKind.DirectoryLocked]);
  await other.terminate();
  await holder.terminate();
  await (await open(path)).close();
});

t.test('another process is kept out, and kill -9 frees the directory', async (t) => {
  const path = t.testdir();
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLD], {
    env: { HELD: path },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.equal((await once(holder, 'message'))[0], 'held');
  t.match(await refusal(path), { kind: FaultKind.DirectoryLocked });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  t.ok(fs.existsSync(join(path, 'lock')), 'what the killed process left does not matter');
  await (await open(path)).close();
});

t.test('a holder in another network namespace is seen by its socket file', async (t) => {
  // In a short path, since the other namespace binds it as such.
  const path = fs.mkdtempSync(join(tmpdir(), 'kvorum-'));
  t.teardown(() => fs.rmSync(path, { recursive: true }));
  const server = createServer().listen(join(path, 'lock'));
  await once(server, 'listening');
  t.match(await refusal(path), { kind: FaultKind.DirectoryLocked });
  server.close();
  await once(server, 'close');
  await (await open(path)).close();
});
