/** A node whose disk is full, on a small file system of its own, really full. */

import { join } from 'node:path';
import t from 'tap';
import type { Client } from '../../include/client.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { Leavings } from '../chaos/leavings.ts';
import { probeMachine } from '../chaos/machine.ts';
import { SmallDisk } from '../chaos/small-disk.ts';
import { createCluster, nextTick } from './processes.ts';

const { hasMounts, lacks } = probeMachine();
const skip = hasMounts ? false : lacks.join('; ');

const VALUE = 'v'.repeat(20_000);

/** Puts until a put is refused; returns how many were acknowledged. */
async function putUntilFull(client: Client, prefix: string): Promise<number> {
  for (let count = 0; ; count += 1) {
    try {
      await client.put(`${prefix}${count}`, VALUE);
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
      // What was on its way to the disk when it was full may wait for too long instead.
      if (error.code === ErrorCode.NoSpace) return count;
      if (error.code !== ErrorCode.DeadlineExceeded) throw error;
    }
  }
}

/** Puts until a put is taken. */
async function putUntilTaken(client: Client, key: string): Promise<void> {
  for (;;) {
    try {
      await client.put(key, 'taken');
      return;
    } catch (error) {
      if (!(error instanceof KvorumError) || error.code !== ErrorCode.NoSpace) throw error;
      await nextTick();
    }
  }
}

t.test(
  'a full disk refuses writes, serves reads, and is done with when there is room',
  { skip },
  async (t) => {
    const cluster = await createCluster(t, { size: 1 });
    const leavings = new Leavings();
    t.teardown(() => leavings.putAway());
    const directory = join(cluster.directory, 'node-0');
    const disk = new SmallDisk(directory, 64, leavings);
    const node = await cluster.start(0);
    await cluster.leader();
    const client = cluster.client([0], 3_000);
    await client.put('first', '1');

    for (const prefix of ['a', 'b']) {
      disk.fill();
      const count = await putUntilFull(client, prefix);
      t.equal((await client.get('first'))?.value.toString(), '1', 'a linearizable read');
      t.equal((await client.get('first', { serializable: true }))?.value.toString(), '1');
      await t.rejects(client.delete('first'), { code: ErrorCode.NoSpace });
      t.ok(node.isRunning);
      disk.clear();
      await putUntilTaken(client, `${prefix} again`);
      const { kvs } = await client.range(prefix, { prefix: true, keysOnly: true });
      t.ok(kvs.length >= count + 1, `${kvs.length} keys of ${count} acknowledged, and one`);
    }
    const events = node.lines.map(({ event }) => event);
    t.ok(events.includes('disk full'));
    t.ok(events.includes('disk has room again'));

    const before = await client.range('', { prefix: true });
    await cluster.kill(0);
    await cluster.start(0);
    await cluster.leader();
    const after = await cluster.client([0]).range('', { prefix: true });
    t.strictSame(after.kvs, before.kvs, 'nothing is lost');
  },
);
