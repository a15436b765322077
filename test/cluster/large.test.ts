/** A deletion of many keys while leaders die: one revision, once, on every node. */

import t from 'tap';
import type { Client } from '../../include/client.ts';
import { startCluster } from './processes.ts';

const KEYS = 40_000;
const TRANSACTION_KEYS = 100;

/** Milliseconds a request may take: longer than any election here. */
const TIMEOUT_MS = 60_000;

async function fill(client: Client): Promise<void> {
  for (let start = 0; start < KEYS; start += 100 * TRANSACTION_KEYS) {
    const writes = Array.from({ length: 100 }, (_, slot) => {
      const first = start + slot * TRANSACTION_KEYS;
      const operations = Array.from({ length: TRANSACTION_KEYS }, (_, key) => ({
        put: `big/${first + key}`,
        value: 'value',
      }));
      return client.txn({ then: operations });
    });
    await Promise.all(writes);
  }
}

t.test('a large deletion whose leader dies in its midst is one revision, once', async (t) => {
  // So little is kept of the log that who was away gets a snapshot.
  const cluster = await startCluster(t, { flags: ['--log-entries-kept', '20'] });
  const client = cluster.client(undefined, TIMEOUT_MS);
  await fill(client);
  const { nodeId: leader } = await cluster.leader();
  let hasEnded = false;
  const deletion = client.delete('big/', { prefix: true }).finally(() => {
    hasEnded = true;
  });
  const other = await client.put('other', '1');
  t.notOk(hasEnded, 'others are answered meanwhile');
  await cluster.kill(leader);
  const { deleted, revision } = await deletion;
  t.equal(deleted, KEYS);
  t.equal(other.revision, revision + 1);
  await cluster.start(leader);
  for (const id of [0, 1, 2]) {
    const node = cluster.client([id], TIMEOUT_MS);
    const all = { prefix: true, countOnly: true };
    t.equal((await node.range('big/', all)).count, 0, `node ${id}`);
    t.equal((await node.range('big/', { ...all, revision })).count, 0);
    t.equal((await node.range('big/', { ...all, revision: revision - 1 })).count, KEYS);
  }
  await client.put('big/1', 'again');
  t.match(await client.get('big/1'), { version: 1, createRevision: revision + 2 });
});
