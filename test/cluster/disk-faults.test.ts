/** Nodes as processes, and a disk under their log that fails, is slow to take, is full, or rots. */

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import type { Client } from '../../include/client.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { DiskFault } from './faulty-disk.ts';
import { createCluster, type NodeProcess, nextTick, type ProcessCluster } from './processes.ts';

t.setTimeout(180_000);

const FAULTY_DISK = pathToFileURL(resolve(import.meta.dirname, 'faulty-disk.ts')).href;

/** A cluster, and what makes the disk of one of its nodes do wrong. */
type Spoilt = {
  readonly cluster: ProcessCluster;
  /** From now on the disk of that node does this; undefined for nothing. */
  readonly spoil: (id: number, fault: DiskFault | undefined) => Promise<void>;
  readonly start: (id: number) => Promise<NodeProcess>;
};

async function createSpoilt(t: Test, size: number): Promise<Spoilt> {
  const cluster = await createCluster(t, { size });
  const pathOf = (id: number): string => join(cluster.directory, `fault-${id}`);
  const options = `${process.env.NODE_OPTIONS ?? ''} --import=${FAULTY_DISK}`;
  return {
    cluster,
    spoil: (id, fault) =>
      fault === undefined ? rm(pathOf(id), { force: true }) : writeFile(pathOf(id), fault),
    start: (id) => cluster.start(id, [], { NODE_OPTIONS: options, KVORUM_TEST_FAULT: pathOf(id) }),
  };
}

/** Puts keys of a prefix until one is refused or its fate is open; returns how many were taken. */
async function putUntilFailed(client: Client, prefix: string): Promise<number> {
  for (let count = 0; ; count += 1) {
    try {
      await client.put(`${prefix}${count}`, `value ${count}`);
    } catch (error) {
      if (error instanceof KvorumError) return count;
      throw error;
    }
  }
}

async function putSome(client: Client, prefix: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await client.put(`${prefix}${n}`, `value ${n}`);
}

/** The values of the first so many keys of a prefix. */
async function valuesOf(client: Client, prefix: string, count: number): Promise<string[]> {
  const values: string[] = [];
  for (let n = 0; n < count; n += 1) {
    values.push((await client.get(`${prefix}${n}`))?.value.toString() ?? 'lost');
  }
  return values;
}

const valuesPut = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `value ${n}`);

/** A node ended since its disk failed, and said so once: why, where, and what to do. */
async function assertFailed(t: Test, node: NodeProcess): Promise<void> {
  t.strictSame(await node.ended, { code: 1, signal: null });
  const told = node.lines.filter(({ event }) => event === 'node failed');
  t.equal(told.length, 1);
  const reason = String(told[0]?.reason);
  t.match(reason, /wal\/\S+ at offset \d+: a write to the log failed: EIO: i\/o error/);
  t.match(reason, /mend the disk, then start the node again/);
}

for (const fault of [DiskFault.Torn, DiskFault.Unsynced]) {
  t.test(`a node alone ends when a write of its log fails (${fault}), and has all`, async (t) => {
    const { cluster, spoil, start } = await createSpoilt(t, 1);
    const node = await start(0);
    await cluster.leader();
    const client = cluster.client([0], 2_000);
    await putSome(client, 'before', 20);
    await spoil(0, fault);
    t.equal(await putUntilFailed(client, 'after'), 0, 'nothing is acknowledged that is not stable');
    await assertFailed(t, node);

    await spoil(0, undefined);
    await start(0);
    await cluster.leader();
    const again = cluster.client([0]);
    t.strictSame(await valuesOf(again, 'before', 20), valuesPut(20));
    await putSome(again, 'again', 5);
    t.strictSame(await valuesOf(again, 'again', 5), valuesPut(5));
  });
}

t.test(
  'a leader whose log fails ends, and the others go on with all it acknowledged',
  async (t) => {
    const { cluster, spoil, start } = await createSpoilt(t, 3);
    await Promise.all([start(0), start(1), start(2)]);
    const { nodeId: leader } = await cluster.leader();
    const client = cluster.client();
    await putSome(client, 'before', 20);
    await spoil(leader, DiskFault.Unsynced);
    await putSome(client, 'during', 20);
    await assertFailed(t, cluster.node(leader));

    await spoil(leader, undefined);
    await start(leader);
    await putSome(client, 'after', 20);
    await cluster.leader();
    for (const id of [0, 1, 2]) {
      const own = cluster.client([id]);
      for (const prefix of ['before', 'during', 'after']) {
        t.strictSame(await valuesOf(own, prefix, 20), valuesPut(20), `${prefix}, by node ${id}`);
      }
    }
  },
);

t.test('writes that the kernel takes in parts are whole', async (t) => {
  const { cluster, spoil, start } = await createSpoilt(t, 1);
  await spoil(0, DiskFault.Short);
  await start(0);
  await cluster.leader();
  await putSome(cluster.client([0]), 'key', 10);
  await cluster.kill(0);

  await spoil(0, undefined);
  await start(0);
  await cluster.leader();
  t.strictSame(await valuesOf(cluster.client([0]), 'key', 10), valuesPut(10));
});

t.test('a log without room refuses writes, serves reads, and goes on when there is', async (t) => {
  const { cluster, spoil, start } = await createSpoilt(t, 1);
  const node = await start(0);
  await cluster.leader();
  const client = cluster.client([0], 2_000);
  await putSome(client, 'before', 5);
  await spoil(0, DiskFault.Full);
  await putUntilFailed(client, 'during');
  await node.waitFor(({ event }) => event === 'disk full');
  await t.rejects(client.put('refused', ''), { code: ErrorCode.NoSpace });
  t.strictSame(await valuesOf(client, 'before', 5), valuesPut(5), 'linearizable reads');

  await spoil(0, undefined);
  await node.waitFor(({ event }) => event === 'disk has room again');
  while (await isRefused(client)) await nextTick();
  t.equal(await client.get('refused'), undefined);
  await cluster.kill(0);
  await start(0);
  await cluster.leader();
  const again = cluster.client([0]);
  t.strictSame(await valuesOf(again, 'before', 5), valuesPut(5));
  t.equal((await again.get('taken'))?.value.toString(), 'again');
});

async function isRefused(client: Client): Promise<boolean> {
  try {
    await client.put('taken', 'again');
    return false;
  } catch (error) {
    if (error instanceof KvorumError && error.code === ErrorCode.NoSpace) return true;
    throw error;
  }
}

t.test(
  'a bit of the log that flipped at rest is refused at start, by file and place',
  async (t) => {
    const { cluster, start } = await createSpoilt(t, 1);
    await start(0);
    await cluster.leader();
    await putSome(cluster.client([0]), 'key', 20);
    await cluster.kill(0);
    const directory = join(cluster.directory, 'node-0', 'wal');
    const [name = ''] = await readdir(directory);
    const path = join(directory, name);
    const whole = await readFile(path);
    // Behind the head, before the last group: that one may be torn by the kill itself.
    const from = 4_096;
    const until = whole.indexOf('value 18');
    t.ok(until > from, 'the log is where it is looked for');
    for (const part of [0.1, 0.5, 0.9]) {
      const spoilt = Buffer.from(whole);
      const offset = nextUsed(whole, Math.floor(from + part * (until - from)));
      spoilt[offset]! ^= 0x10;
      await writeFile(path, spoilt);
      const error = await start(0).then(
        () => 'it started',
        ({ message }) => String(message),
      );
      t.match(error, `${path.slice(cluster.directory.length + 1)} at offset `);
      t.match(error, /the log is damaged/);
      t.strictSame(await cluster.node(0).ended, { code: 1, signal: null });
    }
    await writeFile(path, whole);
    await start(0);
    await cluster.leader();
    t.strictSame(await valuesOf(cluster.client([0]), 'key', 20), valuesPut(20));
  },
);

/** The next byte that is not one of the zeros between groups. */
function nextUsed(bytes: Buffer, offset: number): number {
  while (bytes[offset] === 0) offset += 1;
  return offset;
}
