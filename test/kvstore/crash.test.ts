/** Death and disks that fail: what is found afterwards is a state that was flushed, whole. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { applyEntry, CRASH_LIMITS } from './crash-entries.ts';
import { temporaryDirectory } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { putOf, rangeOf } from './store-requests.ts';

const KILLS = 12;

/** Runs the child until it was killed; returns the last applied index it called durable. */
async function runAndKill(directory: string, seed: number, afterLines: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-child.ts'), directory, String(seed)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  const { promise: isTime, resolve: now } = Promise.withResolvers<void>();
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > afterLines) now();
  });
  const exit = once(child, 'close');
  child.once('exit', () => now());
  await isTime;
  child.kill('SIGKILL');
  await exit;
  return Number(output.trimEnd().split('\n').at(-1));
}

t.test('after kill -9 the store is in the state of its applied index', async (t) => {
  const directory = await temporaryDirectory(t);
  const seed = 7;
  const random = createRandom(seed);
  const twin = await openStore(createMemoryHome(), CRASH_LIMITS);
  let durableBefore = 0;
  let underWay = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const said = await runAndKill(directory, seed, 1 + random.below(12));
    const store = await openStore(createLmdbHome(directory), CRASH_LIMITS);
    const applied = store.applied();
    underWay += store.deletions.count();
    t.ok(applied.index >= said, `what was called durable is there: ${applied.index} of ${said}`);
    t.ok(applied.index >= durableBefore);
    durableBefore = applied.index;
    while (twin.applied().index < applied.index) applyEntry(twin, seed);
    t.equal(store.hash(), twin.hash(), `the state after ${applied.index} entries`);
    t.strictSame(applied, twin.applied());
    await store.close();
  }
  t.ok(durableBefore > 500, `${durableBefore} entries were applied`);
  t.ok(underWay > 0, 'deletions were found under way');
});

t.test('a file that cannot grow rejects the flush, with path and remedy', async (t) => {
  const directory = await temporaryDirectory(t);
  const script = join(import.meta.dirname, 'full-disk-child.ts');
  // Without what the test runner would add, which ends a process at the signal of the limit.
  const shell = `unset NODE_OPTIONS; trap '' XFSZ; ulimit -f 4000; exec "$0" "$@"`;
  const limited = spawn('/bin/sh', ['-c', shell, process.execPath, script, directory], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  limited.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(limited, 'close');
  const seen: unknown = JSON.parse(output);
  const path = join(directory, 'store', 'store.lmdb');
  t.match(seen, { path, message: /cannot write the store .*free some space/, isFinal: true });
  const store = await openStore(createLmdbHome(directory));
  t.match(seen, { durableApplied: store.applied().index }, 'the last good flush is what is there');
  t.match(store.range(rangeOf('large-', 'large.')), { count: store.applied().index });
  await store.close();
});

t.test('a store that cannot be opened says where and what to do', async (t) => {
  const directory = await temporaryDirectory(t);
  const good = await openStore(createLmdbHome(directory));
  for (let count = 0; count < 50; count += 1) applyEntry(good, 1);
  await good.close();
  const path = join(directory, 'store', 'store.lmdb');
  const bytes = await readFile(path);
  const wrongVersion = Buffer.from(bytes);
  wrongVersion.writeUInt32LE(99, 28);
  const secondMeta = Buffer.from(bytes).fill(0, 4096, 8192);
  const files: readonly [Buffer, RegExp][] = [
    [Buffer.alloc(16_384, 0x5a), /damaged or not a store/],
    [Buffer.alloc(8_192), /damaged or not a store/],
    [Buffer.from('short'), /5 bytes are too few/],
    [Buffer.from(bytes.subarray(0, 4096)), /cut short after 4096 bytes/],
    [Buffer.from(bytes.subarray(0, 8192)), /cut short after 8192 bytes/],
    [wrongVersion, /LMDB format 99/],
    [secondMeta, /second meta page/],
  ];
  for (const [content, message] of files) {
    await writeFile(path, content);
    const opened = openStore(createLmdbHome(directory));
    await t.rejects(opened, { name: 'StoreError', path, message }, String(message));
  }
  await rm(path);
  await mkdir(path);
  const refused = openStore(createLmdbHome(directory));
  await t.rejects(refused, { name: 'StoreError', path, message: /EISDIR.*give the user/ });

  const missing = join(await temporaryDirectory(t), 'none');
  await writeFile(missing, '');
  await t.rejects(openStore(createLmdbHome(missing)), { name: 'StoreError', message: /check the/ });

  const newer = createMemoryHome();
  const map = await newer.open();
  for (const version of [2, 99]) {
    map.put(Table.Meta, Buffer.from('state'), Buffer.from([0, 0, 0, version]));
    // Whatever lies in the other tables, the version is looked at first.
    map.put(Table.Sessions, Buffer.from('?'), Buffer.from('?'));
    await map.flush();
    const message = new RegExp(`has format ${version}, this kvorum reads 3; run the version`);
    await t.rejects(openStore(newer), { name: 'StoreError', message });
  }
});

t.test('a crash while a snapshot is installed leaves the old state or the new one', async (t) => {
  const position = { term: 1, configuration: { voters: [], outgoing: [], learners: [] } };
  /** Fills an incoming map, stops at a point as a crash would, and looks which state is there. */
  const crashAt = async (point: 'written' | 'closed' | 'renamed'): Promise<number> => {
    const directory = await temporaryDirectory(t);
    const home = createLmdbHome(directory);
    const store = await openStore(home);
    store.put(putOf('old', 'x'));
    store.setApplied({ index: 1, ...position });
    await store.close();
    const map = await home.open();
    const incoming = await home.createIncoming();
    const received = await openStore({ ...home, open: async () => incoming });
    received.put(putOf('new', 'y'));
    for (let index = 1; index <= 50; index += 1) received.setApplied({ index, ...position });
    await received.flush();
    if (point !== 'written') await incoming.close();
    await map.close();
    if (point === 'renamed') await home.installIncoming();
    if (point === 'written') await incoming.close();
    const found = await openStore(createLmdbHome(directory));
    const { index } = found.applied();
    await found.close();
    return index;
  };
  t.equal(await crashAt('written'), 1);
  t.equal(await crashAt('closed'), 1);
  t.equal(await crashAt('renamed'), 50);
});
