import t from 'tap';
import { type Client, createQueue, ErrorCode, PRIORITY_MAX } from '../../src/kvorum.ts';
import { startNode } from './embedded.ts';

const makeClient = await startNode(t);

t.test('items come first in, first out', async (t) => {
  const queue = createQueue(makeClient(), 'order');
  for (let id = 0; id < 20; id += 1) await queue.add(`item ${id}`);
  const other = createQueue(makeClient(), 'order');
  for (let id = 0; id < 20; id += 1) t.equal(String((await other.take()).value), `item ${id}`);
  t.equal(await queue.tryTake(), undefined);
});

t.test('two producers that take turns keep their order', async (t) => {
  const producers = [makeClient(), makeClient()].map((client) => createQueue(client, 'turns'));
  for (let id = 0; id < 20; id += 1) await producers[id % 2]!.add(String(id));
  const queue = createQueue(makeClient(), 'turns');
  for (let id = 0; id < 20; id += 1) t.equal(String((await queue.take()).value), String(id));
});

t.test('the more urgent comes first, and what is equal in order', async (t) => {
  const queue = createQueue(makeClient(), 'urgent');
  const added = [7, 0, PRIORITY_MAX, 7, 300, 0];
  for (const [id, priority] of added.entries()) await queue.add(`${priority} ${id}`, priority);
  const taken: string[] = [];
  for (const _ of added) {
    const { value, priority } = await queue.take();
    taken.push(`${value}`);
    t.equal(`${value}`.split(' ')[0], String(priority));
  }
  t.strictSame(taken, ['0 1', '0 5', '7 0', '7 3', '300 4', '65535 2']);
});

t.test('a priority out of its range is refused', async (t) => {
  const queue = createQueue(makeClient(), 'refused');
  for (const priority of [-1, 1.5, PRIORITY_MAX + 1, Number.NaN]) {
    await t.rejects(queue.add('x', priority), { code: ErrorCode.FrameMalformed });
  }
});

t.test('many producers and consumers at once: each item is taken exactly once', async (t) => {
  const PRODUCERS = 5;
  const EACH = 40;
  const taken: string[] = [];
  const consume = async (): Promise<void> => {
    const queue = createQueue(makeClient(), 'busy');
    for (let value = ''; value !== 'end'; ) {
      value = String((await queue.take()).value);
      if (value !== 'end') taken.push(value);
    }
  };
  const consumers = Array.from({ length: 10 }, consume);
  const produce = async (producer: number): Promise<void> => {
    const queue = createQueue(makeClient(), 'busy');
    for (let id = 0; id < EACH; id += 1) await queue.add(`${producer}/${id}`);
  };
  await Promise.all(Array.from({ length: PRODUCERS }, (_, id) => produce(id)));
  const queue = createQueue(makeClient(), 'busy');
  for (const _ of consumers) await queue.add('end', PRIORITY_MAX);
  await Promise.all(consumers);
  t.equal(taken.length, PRODUCERS * EACH);
  t.equal(new Set(taken).size, PRODUCERS * EACH);
});

t.test('items of one producer that are drawn the same place are told apart', async (t) => {
  const draws = [5, 5, 5, 6];
  const random = { below: () => draws.shift() ?? 0 };
  const client = makeClient();
  // Both see the same revision, so that only the random part differs.
  const frozen: Client = {
    ...client,
    range: async (key, how) => ({ ...(await client.range(key, how)), revision: 1 }),
  };
  const queue = createQueue(frozen, 'same', random);
  await queue.add('one');
  await queue.add('two');
  t.strictSame(draws, []);
  const taken = createQueue(client, 'same');
  t.strictSame([`${(await taken.take()).value}`, `${(await taken.take()).value}`], ['one', 'two']);
});

t.test('who waits gets what is added, and can give up', async (t) => {
  const queue = createQueue(makeClient(), 'waiting');
  const giver = new AbortController();
  const given = queue.take({ signal: giver.signal });
  giver.abort();
  await t.rejects(given, { name: 'AbortError' });
  const waiting = queue.take();
  await createQueue(makeClient(), 'waiting').add('x');
  const item = await waiting;
  t.match(item, { priority: 0 });
  t.equal(String(item.value), 'x');
  t.equal(await makeClient().get(item.key), undefined, 'it is out of the queue');
});

t.test('the next name’s items are not this one’s', async (t) => {
  const client = makeClient();
  await createQueue(client, 'name-longer').add('x');
  await client.put('name', 'x');
  t.equal(await createQueue(client, 'name').tryTake(), undefined);
});
