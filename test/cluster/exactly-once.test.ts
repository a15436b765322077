/**
 * Writes take effect once, whatever is killed meanwhile: many workers write without a pause while
 * leaders are killed and stopped, and every effect is counted.
 */

import t from 'tap';
import type { Client } from '../../include/client.ts';
import { type ProcessCluster, startCluster } from './processes.ts';

const WORKERS = 32;

/** Acknowledged writes between two misfortunes. */
const WRITES_BETWEEN = 300;

/** Milliseconds a write may take: longer than any election here. */
const TIMEOUT_MS = 60_000;

/** Workers that write without a pause, each to a key of its own. */
type Workers = {
  /** What each worker counts as done, by its key. */
  readonly counts: Map<string, number>;
  /** Resolves when so many further writes are acknowledged, or a worker failed. */
  readonly untilMore: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** @param write writes to a key for the n-th time, from 0 */
function startWorkers(
  client: Client,
  write: (client: Client, key: string, count: number) => Promise<void>,
): Workers {
  const counts = new Map<string, number>();
  let total = 0;
  let isStopped = false;
  let told: (() => void)[] = [];
  const work = async (key: string): Promise<void> => {
    for (let count = 0; !isStopped; count += 1) {
      await write(client, key, count);
      counts.set(key, count + 1);
      total += 1;
      for (const tell of told.splice(0)) tell();
    }
  };
  const workers = Promise.all(Array.from({ length: WORKERS }, (_, at) => work(`${at}`)));
  workers.catch(() => {
    isStopped = true;
    for (const tell of told.splice(0)) tell();
  });
  return {
    counts,
    untilMore: async (count) => {
      const goal = total + count;
      while (total < goal && !isStopped) await new Promise<void>((done) => told.push(done));
    },
    stop: async () => {
      isStopped = true;
      await workers;
      told = [];
    },
  };
}

/** Kills a leader, stops the next one for a while, kills the one after, then all nodes. */
async function harass(cluster: ProcessCluster, workers: Workers): Promise<void> {
  for (const misfortune of ['kill', 'stop', 'kill'] as const) {
    await workers.untilMore(WRITES_BETWEEN);
    const { nodeId: leader } = await cluster.leader();
    const survivors = [0, 1, 2].filter((id) => id !== leader);
    if (misfortune === 'kill') await cluster.kill(leader);
    else cluster.node(leader).kill('SIGSTOP');
    await cluster.leader(survivors);
    await workers.untilMore(WRITES_BETWEEN);
    if (misfortune === 'kill') await cluster.start(leader);
    else cluster.node(leader).kill('SIGCONT');
  }
  await workers.untilMore(WRITES_BETWEEN);
  await Promise.all([0, 1, 2].map((id) => cluster.kill(id)));
  await Promise.all([0, 1, 2].map((id) => cluster.start(id)));
  await workers.untilMore(WRITES_BETWEEN);
}

t.test('puts in flight when leaders die take effect once, and all are answered', async (t) => {
  const cluster = await startCluster(t);
  const workers = startWorkers(
    cluster.client(undefined, TIMEOUT_MS),
    async (client, key, count) => {
      await client.put(key, `${count}`);
    },
  );
  await harass(cluster, workers);
  await workers.stop();

  const { kvs } = await cluster.client().range('', { prefix: true });
  const versions = new Map(kvs.map(({ key, version }) => [key.toString(), version]));
  t.strictSame(versions, workers.counts);
  t.ok(kvs.every(({ key, value }) => Number(value) === (workers.counts.get(`${key}`) ?? 0) - 1));
});

t.test('a compare-and-swap that is sent again tells what it did the first time', async (t) => {
  // So little is kept of the log that who was away gets a snapshot: sessions travel with it.
  const cluster = await startCluster(t, { flags: ['--log-entries-kept', '20'] });
  let failedCount = 0;
  const workers = startWorkers(
    cluster.client(undefined, TIMEOUT_MS),
    async (client, key, count) => {
      const expected = count === 0 ? { absent: true as const } : { value: `${count}` };
      const { succeeded } = await client.compareAndSwap(key, expected, `${count + 1}`);
      // Nobody else writes to the key: it can only fail if it took effect before.
      if (!succeeded) failedCount += 1;
    },
  );
  await harass(cluster, workers);
  await workers.stop();
  t.equal(failedCount, 0);
});
