/** snapshot save, status and restore, and what they refuse. */

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SNAPSHOT_HEAD_BYTES } from '../../src/client/snapshot-file.ts';
import { createNode } from '../../src/kvorum.ts';
import { runCommand } from './fake-terminal.ts';
import { startOneNode } from './one-node.ts';

async function temporaryDirectory(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A node with some history, and a snapshot of it. */
async function startSaved(t: Test) {
  const node = await startOneNode(t);
  const directory = await temporaryDirectory(t);
  for (const value of ['one', 'two']) await node.client.put('a', value);
  await node.client.put('b', 'x'.repeat(600_000));
  await node.client.delete('b');
  const file = join(directory, 'backup');
  const saved = await node.run(['snapshot', 'save', file]);
  await writeFile(join(directory, 'nodes.conf'), '4 127.0.0.1 7001\n');
  const restore = (path: string, ...flags: readonly string[]) =>
    runCommand([
      ...['snapshot', 'restore', path, '--id', '4', '--conf', join(directory, 'nodes.conf')],
      ...['--data-dir', join(directory, 'data'), ...flags],
    ]);
  return { node, directory, file, saved, restore };
}

t.test('what is saved is described, and a whole file is all that is left', async (t) => {
  const { node, directory, file, saved } = await startSaved(t);
  t.match(saved, { out: `Snapshot saved at ${file}\n`, err: /100 % of 60\d kB, revision 5/ });
  t.equal(saved.exitCode, 0);
  t.strictSame((await readdir(directory)).sort(), ['backup', 'nodes.conf']);
  const { size, mode } = await stat(file);
  t.equal(mode & 0o777, 0o600, 'it holds every value');

  const { out } = await node.run(['snapshot', 'status', file, '-w', 'json']);
  const status = JSON.parse(out);
  t.match(status, { revision: 5, totalKey: 1, totalSize: size });
  const hash = status.hash.toString(16);
  const plain = await node.run(['snapshot', 'status', file]);
  t.match(plain.out, new RegExp(`^${hash}, 5, 1, 60\\d kB\\n$`));
  const table = await node.run(['snapshot', 'status', file, '-w', 'table']);
  t.match(table.out, '|   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE |');
  const fields = await node.run(['snapshot', 'status', file, '-w', 'fields']);
  t.equal(fields.out, `"Hash" : ${status.hash}\n"Revision" : 5\n"Keys" : 1\n"Size" : ${size}\n`);
});

t.test('a restored directory belongs to another cluster', async (t) => {
  const { node, directory, file, restore } = await startSaved(t);
  const restored = await restore(file);
  t.equal(restored.exitCode, 0, restored.err);
  const [, cluster = ''] = /node 4 of cluster ([0-9a-f]{16}), revision 5/.exec(restored.err) ?? [];
  const identity = await readFile(join(directory, 'data', 'identity'), 'utf8');
  t.match(identity, `format 2\ncluster ${cluster}\nnode 4\nborn `);
  const { clusterId } = await node.client.status();
  t.not(cluster, clusterId.toString(16).padStart(16, '0'));
  t.strictSame((await readdir(directory)).sort(), ['backup', 'data', 'nodes.conf']);
});

t.test('clusters restored alike under other words are other clusters', async (t) => {
  const { directory, file, restore } = await startSaved(t);
  const ids = new Set<string>();
  for (const flags of [
    [],
    ['--initial-cluster-token', 'x'],
    ['--initial-cluster-token', 'y'],
    [],
  ]) {
    const { err } = await restore(file, ...flags);
    ids.add(/cluster ([0-9a-f]{16})/.exec(err)?.[1] ?? err);
    await rm(join(directory, 'data'), { recursive: true });
  }
  t.equal(ids.size, 3);
});

t.test('a file that is not whole is refused in one line, and nothing is written', async (t) => {
  const { directory, file, restore } = await startSaved(t);
  const whole = await readFile(file);
  const flip = (offset: number): Buffer => {
    const copy = Buffer.from(whole);
    copy.writeUInt8(copy.readUInt8(offset) ^ 1, offset);
    return copy;
  };
  const files = [
    ['cut short', whole.subarray(0, 5_000)],
    ['cut to its head', whole.subarray(0, SNAPSHOT_HEAD_BYTES)],
    ['cut by a sector', Buffer.concat([whole.subarray(0, -544), whole.subarray(-32)])],
    ['too long', Buffer.concat([whole, Buffer.alloc(512)])],
    ['with a changed pair', flip(SNAPSHOT_HEAD_BYTES + 40)],
    ['with a changed zero', flip(whole.length - 41)],
    ['with a changed checksum', flip(whole.length - 1)],
    ['empty', Buffer.alloc(0)],
    ['of something else', Buffer.from('{"key":"a"}\n'.repeat(90))],
  ] as const;
  const path = join(directory, 'wrong');
  for (const [name, bytes] of files) {
    await writeFile(path, bytes);
    for (const outcome of [await restore(path), await runCommand(['snapshot', 'status', path])]) {
      t.equal(outcome.exitCode, 6, name);
      t.match(outcome.err, /^Error: [^\n]*\/wrong: [^\n]+\n$/, name);
      t.equal(outcome.out, '');
    }
  }
  t.strictSame((await readdir(directory)).sort(), ['backup', 'nodes.conf', 'wrong']);
  t.match(await runCommand(['snapshot', 'status', join(directory, 'none')]), {
    exitCode: 6,
    err: /none: ENOENT/,
  });
});

t.test('a directory that is in use is not restored to', async (t) => {
  const { directory, file, restore } = await startSaved(t);
  await mkdir(join(directory, 'data'));
  t.equal((await restore(file)).exitCode, 0, 'an empty one is');
  const again = await restore(file);
  t.equal(again.exitCode, 1);
  t.match(again.err, /data: it is not an empty directory; restore to another --data-dir/);
});

const refused = [
  ['snapshot', /a command of snapshot is needed: save, status or restore/, 1],
  ['snapshot save', /snapshot save expects one argument/, 128],
  ['snapshot save a b', /snapshot save expects one argument/, 128],
  ['snapshot save a --endpoints 127.0.0.1:1,127.0.0.1:2', /one selected node, not multiple/, 128],
  ['snapshot restore x --bump-revision 5', /--mark-compacted is required/, 128],
  ['snapshot restore x --mark-compacted', /with --bump-revision only/, 128],
  ['snapshot restore x --bump-revision -5', /how many revisions to add/, 128],
  ['snapshot restore x --conf /none', /cannot read \/none/, 1],
  ['snapshot restore x --id 0 --initial-cluster a=http://b:1', /name a member of nodes.conf/, 128],
  ['snapshot restore x --name c --initial-cluster a=http://b:1', /find local name "c"/, 1],
  ['snapshot restore x --name a --initial-cluster a=b:1', /has "b:1": expected http/, 1],
  [
    'snapshot restore x --name a --initial-cluster a=http://b:1',
    /missing from --initial-advertise-peer-urls=http:\/\/localhost:2380/,
    1,
  ],
] as const;
for (const [line, message, exitCode] of refused) {
  t.test(`${line} is refused`, async (t) => {
    const outcome = await runCommand(line.split(' '));
    t.match(outcome.err, message);
    t.equal(outcome.exitCode, exitCode);
  });
}

t.test('a snapshot that cannot be had leaves no file', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'backup');
  const nobody = { KVORUM_ENDPOINTS: '127.0.0.1:1', KVORUM_COMMAND_TIMEOUT: '200ms' };
  const lost = await runCommand(['snapshot', 'save', file], { environment: nobody });
  t.equal(lost.exitCode, 5);
  t.match(lost.err, /^Error: /);

  const node = await startOneNode(t);
  const nowhere = await node.run(['snapshot', 'save', join(directory, 'none', 'backup')]);
  t.match(nowhere, { exitCode: 6, err: /could not write .*backup: ENOENT/ });
  t.strictSame(await readdir(directory), []);
});

t.test('an interrupted snapshot leaves no file', async (t) => {
  const node = await startOneNode(t);
  const directory = await temporaryDirectory(t);
  for (let count = 0; count < 20; count += 1) {
    await node.client.put(`k${count}`, 'v'.repeat(1_000_000));
  }
  const running = node.start(['snapshot', 'save', join(directory, 'backup')]);
  while ((await readdir(directory)).length === 0) await new Promise((done) => setTimeout(done, 1));
  running.interrupt();
  t.equal((await running.ended).exitCode, 130);
  t.strictSame(await readdir(directory), []);
  t.ok(await node.client.put('a', '1'), 'the node serves on');
});

t.test('an embedded client saves too', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const node = await createNode({ dataDir });
  const client = node.client();
  await client.put('a', '1');
  const pieces: Buffer[] = [];
  const saved = await client.snapshot((piece) => void pieces.push(piece));
  t.equal(saved.sizeBytes, Buffer.concat(pieces).length);
  t.equal(saved.revision, 2);
  await t.rejects(
    client.snapshot(() => Promise.reject(new Error('disk full'))),
    { message: 'disk full' },
  );
  await client.close();
  await node.stop();
});
