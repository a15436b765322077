/** Watches at real nodes, while nodes die. */

import t from 'tap';
import { WatchError, type WatchEvents } from '../../include/client.ts';
import { startCluster } from './processes.ts';

t.test('a watch sees every write once and in order, whichever node is killed', async (t) => {
  const cluster = await startCluster(t);
  await cluster.leader();
  const watcher = cluster.client().watch('k', { prefix: true, prevKv: true });
  await watcher.created;

  const written: number[] = [];
  const seen: { readonly revision: number; readonly value: string; readonly before: string }[] = [];
  let isStopped = false;
  let told: (() => void)[] = [];
  const tellAll = (): void => {
    const waiting = told;
    told = [];
    for (const tell of waiting) tell();
  };
  const writer = cluster.client(undefined, 60_000);
  const writing = (async () => {
    for (let count = 0; !isStopped; count += 1) {
      written.push((await writer.put(`k${count % 10}`, `${count}`)).revision);
    }
  })();
  const watching = (async () => {
    for await (const { events } of watcher) {
      for (const { kv, prevKv } of events) {
        const before = prevKv?.value.toString() ?? '';
        seen.push({ revision: kv.modRevision, value: kv.value.toString(), before });
      }
      tellAll();
    }
  })();
  const untilSeen = async (goal: () => number): Promise<void> => {
    while (seen.length < goal()) await new Promise<void>((done) => told.push(done));
  };
  const untilMoreSeen = (count: number): Promise<void> => {
    const goal = seen.length + count;
    return untilSeen(() => goal);
  };

  for (const id of [0, 1, 2]) {
    await untilMoreSeen(100);
    await cluster.kill(id);
    await untilMoreSeen(100);
    await cluster.start(id);
  }
  await untilMoreSeen(100);
  isStopped = true;
  await writing;
  await untilSeen(() => written.length);
  await watcher.close();
  await watching;

  t.strictSame(
    seen.map(({ revision }) => revision),
    written,
  );
  const wrong = seen.filter(
    ({ value, before }, at) => Number(value) !== at || before !== (at < 10 ? '' : `${at - 10}`),
  );
  t.strictSame(wrong, [], 'values, and what was before them');
});

t.test('a watch from what is compacted ends, and says from where on there is more', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const client = cluster.client();
  for (let count = 0; count < 10; count += 1) await client.put('a', `${count}`);
  await client.compact(6);
  const read = async (startRevision: number): Promise<WatchEvents> => {
    for await (const batch of client.watch('a', { startRevision })) return batch;
    throw new Error('it ended');
  };
  const error = await read(5).catch((failure) => failure);
  t.ok(error instanceof WatchError);
  t.equal(error.compactRevision, 6);
  const { events } = await read(error.compactRevision);
  t.equal(events[0]?.kv.modRevision, 6);
});

t.test('the history of a key spans a compaction', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const client = cluster.client();
  for (const value of ['1', '2', '3']) await client.put('a', value);
  await client.delete('a');
  await client.put('b', 'x');
  await client.put('a', '4');
  const read = async (): Promise<readonly string[]> => {
    const told: string[] = [];
    for await (const { revision, kind, kv } of client.history('a')) {
      told.push(`${revision} ${kind} ${kv?.value ?? ''}`);
    }
    return told;
  };
  t.strictSame(await read(), ['2 put 1', '3 put 2', '4 put 3', '5 delete ', '7 put 4']);
  await client.compact(4);
  t.strictSame(await read(), ['4 put 3', '5 delete ', '7 put 4']);
  await client.compact(6);
  t.strictSame(await read(), ['7 put 4']);
});
