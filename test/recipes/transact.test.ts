import t from 'tap';
import { type Client, ErrorCode, Isolation, transact } from '../../src/kvorum.ts';
import { createRandom } from '../../src/random.ts';
import { startNode } from './embedded.ts';

const makeClient = await startNode(t);

const LEVELS = Object.entries(Isolation);
const CHECKED = LEVELS.filter(([, isolation]) => isolation !== Isolation.ReadCommitted);

/** Runs `disturb` before the function's first end: somebody else is faster once. */
function onceDisturbed(disturb: () => Promise<unknown>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await disturb();
  };
}

for (const [name, isolation] of CHECKED) {
  t.test(`${name}: money is moved by many at once, none is made or lost`, async (t) => {
    const accounts = Array.from({ length: 5 }, (_, id) => `bank-${name}/${id}`);
    const setup = makeClient();
    for (const account of accounts) await setup.put(account, '100');
    let attemptCount = 0;
    const work = async (seed: number): Promise<void> => {
      const client = makeClient();
      const random = createRandom(seed);
      for (let round = 0; round < 20; round += 1) {
        const from = accounts[random.below(5)]!;
        const to = accounts[random.below(5)]!;
        const done = await transact(
          client,
          async (memory) => {
            const amount = 1 + random.below(10);
            const left = Number(await memory.get(from)) - amount;
            if (left < 0) return;
            memory.put(from, String(left));
            memory.put(to, String(Number(await memory.get(to)) + amount));
          },
          { isolation },
        );
        attemptCount += done.attemptCount;
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, seed) => work(seed)));
    const reply = await setup.range(`bank-${name}/`, { prefix: true });
    const total = reply.kvs.reduce((sum, { value }) => sum + Number(value), 0);
    t.equal(total, 500);
    t.ok(attemptCount > 200, `${attemptCount} attempts for 200 transactions: they did meet`);
  });

  t.test(`${name}: what was read and has changed makes it run again`, async (t) => {
    const client = makeClient();
    const key = `again-${name}`;
    await client.put(key, '1');
    const disturb = onceDisturbed(() => client.put(key, '10'));
    const done = await transact(
      client,
      async (memory) => {
        const value = Number(await memory.get(key)) + 1;
        await disturb();
        memory.put(key, String(value));
        return value;
      },
      { isolation },
    );
    t.match(done, { result: 11, attemptCount: 2 });
    t.match(await client.get(key), { value: Buffer.from('11'), modRevision: done.revision });
  });
}

t.test('ReadCommitted: what was read may have changed', async (t) => {
  const client = makeClient();
  await client.put('committed', '1');
  const done = await transact(
    client,
    async (memory) => {
      const value = Number(await memory.get('committed'));
      await client.put('committed', '10');
      t.equal(String(await memory.get('committed')), '10', 'each read sees what is committed');
      memory.put('committed', String(value + 1));
    },
    { isolation: Isolation.ReadCommitted },
  );
  t.equal(done.attemptCount, 1);
  t.equal(String((await client.get('committed'))?.value), '2');
});

/** Reads one key, lets both change, reads the other. */
async function readAround(client: Client, isolation: Isolation): Promise<string[]> {
  await client.put('left', 'old');
  await client.put('right', 'old');
  const seen: string[] = [];
  const disturb = onceDisturbed(() =>
    client.txn({
      then: [
        { put: 'left', value: 'new' },
        { put: 'right', value: 'new' },
      ],
    }),
  );
  const run = async (memory: { get: (key: string) => Promise<Buffer | undefined> }) => {
    const left = await memory.get('left');
    await disturb();
    seen.push(`${left} ${await memory.get('right')} ${await memory.get('left')}`);
  };
  await transact(client, run, { isolation });
  return seen;
}

t.test('a snapshot shows one revision, and reading alone needs no second run', async (t) => {
  for (const isolation of [Isolation.SerializableSnapshot, Isolation.Serializable]) {
    t.strictSame(await readAround(makeClient(), isolation), ['old old old']);
  }
});

t.test('repeatable reads see a key the same, and commit only what stands together', async (t) => {
  const seen = await readAround(makeClient(), Isolation.RepeatableReads);
  t.strictSame(seen, ['old new old', 'new new new']);
});

t.test('committed reads see what is there', async (t) => {
  const seen = await readAround(makeClient(), Isolation.ReadCommitted);
  t.strictSame(seen, ['old new new']);
});

t.test('SerializableSnapshot: what is written unread must be as it was too', async (t) => {
  for (const [isolation, attemptCount] of [
    [Isolation.SerializableSnapshot, 2],
    [Isolation.Serializable, 1],
  ] as const) {
    const client = makeClient();
    await client.put('read', '');
    const disturb = onceDisturbed(() => client.put('written', 'theirs'));
    const done = await transact(
      client,
      async (memory) => {
        await memory.get('read');
        await disturb();
        memory.put('written', 'ours');
      },
      { isolation },
    );
    t.equal(done.attemptCount, attemptCount);
    t.equal(String((await client.get('written'))?.value), 'ours');
  }
});

t.test('a transaction sees its own writes, others only when all of them', async (t) => {
  const client = makeClient();
  await client.put('own/a', '1');
  await client.put('own/b', '2');
  const before = await client.range('own/', { prefix: true });
  const done = await transact(client, async (memory) => {
    memory.put('own/a', 'one');
    memory.delete('own/b');
    memory.put('own/c', 'three');
    t.equal(String(await memory.get('own/a')), 'one');
    t.equal(await memory.get('own/b'), undefined);
    const [a] = before.kvs;
    t.equal(await memory.revision('own/a'), a?.modRevision, 'the revision is the cluster’s');
    t.equal(await memory.revision('own/c'), 0);
    t.strictSame((await client.range('own/', { prefix: true })).kvs, before.kvs);
  });
  const after = await client.range('own/', { prefix: true });
  t.strictSame(
    after.kvs.map(({ key, value, modRevision }) => [`${key}`, `${value}`, modRevision]),
    [
      ['own/a', 'one', done.revision],
      ['own/c', 'three', done.revision],
    ],
  );
});

t.test('a key can be written on a lease', async (t) => {
  const client = makeClient();
  const { id } = await client.grantLease(60);
  await transact(client, (memory) => memory.put('leased', 'x', id));
  t.equal((await client.get('leased'))?.lease, id);
  await client.revokeLease(id);
});

t.test('what the function throws aborts: nothing is written', async (t) => {
  const client = makeClient();
  const run = transact(client, (memory) => {
    memory.put('aborted', 'x');
    throw new Error('changed my mind');
  });
  await t.rejects(run, { message: 'changed my mind' });
  t.equal(await client.get('aborted'), undefined);
});

t.test('it is given up between two attempts', async (t) => {
  const client = makeClient();
  const giver = new AbortController();
  let runCount = 0;
  const run = transact(
    client,
    async (memory) => {
      runCount += 1;
      await memory.get('contended');
      await client.put('contended', String(runCount));
      if (runCount === 3) giver.abort(new Error('enough'));
      memory.put('contended', 'never');
    },
    { signal: giver.signal },
  );
  await t.rejects(run, { message: 'enough' });
  t.equal(runCount, 3);
});

t.test('a snapshot that is compacted meanwhile is taken anew', async (t) => {
  const client = makeClient();
  await client.put('first', '1');
  await client.put('second', '1');
  const disturb = onceDisturbed(async () => {
    await client.put('first', '2');
    const { revision } = await client.put('second', '2');
    await client.compact(revision);
  });
  const done = await transact(client, async (memory) => {
    const first = await memory.get('first');
    await disturb();
    return `${first} ${await memory.get('second')}`;
  });
  t.match(done, { result: '2 2', attemptCount: 2 });
});

t.test('reads that are asked for together are of one revision', async (t) => {
  const client = makeClient();
  const writer = makeClient();
  let isDone = false;
  const writing = (async () => {
    for (let round = 0; !isDone; round += 1) {
      const value = String(round);
      await writer.txn({
        then: [
          { put: 'pair/a', value },
          { put: 'pair/b', value },
        ],
      });
    }
  })();
  for (let round = 0; round < 50; round += 1) {
    const { result } = await transact(client, (memory) =>
      Promise.all([memory.get('pair/a'), memory.get('pair/b')]),
    );
    t.strictSame(result[0], result[1]);
  }
  isDone = true;
  await writing;
});

t.test('more keys than a transaction may have are refused', async (t) => {
  const run = transact(makeClient(), (memory) => {
    for (let id = 0; id <= 128; id += 1) memory.put(`many/${id}`, '');
  });
  await t.rejects(run, { code: ErrorCode.TooManyOperations });
});
