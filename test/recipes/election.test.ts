import t from 'tap';
import { createElection, ErrorCode, type KeyValue } from '../../src/kvorum.ts';
import { aborted, keysBelow, SHORT_TTL_SECONDS, startNode } from './embedded.ts';

const makeClient = await startNode(t);

/** The values that an observer is told, as they come. */
function observed(name: string): { next: () => Promise<string>; close: () => Promise<void> } {
  const closing = new AbortController();
  const leaders = createElection(makeClient(), name).observe({ signal: closing.signal });
  const iterator = leaders[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value } = await iterator.next();
      return value === undefined ? 'nobody' : (value as KeyValue).value.toString();
    },
    close: async () => {
      closing.abort();
      await iterator.return?.();
    },
  };
}

t.test('candidates lead one after the other, in the order of their campaigns', async (t) => {
  const led: string[] = [];
  const ended: Promise<void>[] = [];
  const first = await createElection(makeClient(), 'order').campaign('first');
  for (const name of ['a', 'b', 'c', 'd']) {
    const client = makeClient();
    const campaign = createElection(client, 'order').campaign(name);
    ended.push(
      campaign.then(async (leadership) => {
        led.push(String((await createElection(client, 'order').leader())?.value));
        await leadership.resign();
      }),
    );
    await keysBelow(client, 'order', led.length + ended.length + 1);
  }
  await first.resign();
  await Promise.all(ended);
  t.strictSame(led, ['a', 'b', 'c', 'd']);
  t.equal(await createElection(makeClient(), 'order').leader(), undefined);
});

t.test('the key is where etcd looks for it, its value what was proclaimed', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const leadership = await createElection(client, 'layout', { lease }).campaign('me');
  t.equal(leadership.key.toString(), `layout/${lease.id.toString(16)}`);
  const { token } = leadership;
  t.match(await client.get(leadership.key), { lease: lease.id, createRevision: token });
  await leadership.proclaim('me again');
  const pair = await createElection(client, 'layout').leader();
  t.match(pair, { lease: lease.id, createRevision: token, version: 2 });
  t.equal(String(pair?.value), 'me again');
  await leadership.resign();
  await lease.release();
});

t.test('observers are told the leader, each value and each new leader', async (t) => {
  const observer = observed('watched');
  const told = observer.next();
  const first = await createElection(makeClient(), 'watched').campaign('one');
  t.equal(await told, 'one');
  await first.proclaim('one, again');
  t.equal(await observer.next(), 'one, again');

  const second = createElection(makeClient(), 'watched').campaign('two');
  await keysBelow(makeClient(), 'watched', 2);
  await first.resign();
  t.equal(await observer.next(), 'two');

  const late = observed('watched');
  t.equal(await late.next(), 'two', 'who comes late is told at once');
  await late.close();
  await (await second).resign();

  const third = await createElection(makeClient(), 'watched').campaign('three');
  t.equal(await observer.next(), 'three', 'nobody in between is no news');
  await third.resign();
  await observer.close();
});

t.test('observing ends quietly when it is given up', async (t) => {
  const closing = new AbortController();
  const { signal } = closing;
  const leadership = await createElection(makeClient(), 'quiet').campaign('x');
  let toldCount = 0;
  for await (const leader of createElection(makeClient(), 'quiet').observe({ signal })) {
    t.equal(String(leader.value), 'x');
    toldCount += 1;
    setImmediate(() => closing.abort());
  }
  t.equal(toldCount, 1);
  await leadership.resign();
});

t.test('an observer goes on behind a compaction', async (t) => {
  const client = makeClient();
  const election = createElection(client, 'compacted');
  const leadership = await election.campaign('0');
  const observer = observed('compacted');
  t.equal(await observer.next(), '0');
  for (let round = 1; round <= 5; round += 1) await leadership.proclaim(String(round));
  const { revision } = await client.put('other', '');
  await client.compact(revision);
  let value = await observer.next();
  while (value !== '5') {
    t.ok(Number(value) > 0);
    value = await observer.next();
  }
  await leadership.resign();
  await observer.close();
});

t.test('campaigning again with the same lease proclaims, and keeps the place', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const election = createElection(client, 'again', { lease });
  const one = await election.campaign('one');
  const two = await election.campaign('two');
  t.equal(two.token, one.token);
  t.equal(String((await election.leader())?.value), 'two');
  await one.resign();
  await lease.release();
});

t.test('a leader that was deposed can proclaim nothing', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(60);
  const old = await createElection(client, 'deposed', { lease }).campaign('old');
  const campaign = createElection(makeClient(), 'deposed').campaign('new');
  await keysBelow(client, 'deposed', 2);
  await client.delete(old.key);
  const leadership = await campaign;
  t.match(await aborted(old.lost), { code: ErrorCode.NotHeld });
  await t.rejects(old.proclaim('still here'), { code: ErrorCode.NotHeld });
  await old.resign();
  t.equal(String((await createElection(client, 'deposed').leader())?.value), 'new');
  await leadership.resign();
  await lease.release();
});

t.test('a leader that crashes is followed once its lease has run out', async (t) => {
  const crashed = makeClient();
  const options = { ttlSeconds: SHORT_TTL_SECONDS };
  const observer = observed('crash');
  await createElection(crashed, 'crash', options).campaign('crashed');
  t.equal(await observer.next(), 'crashed');
  const campaign = createElection(makeClient(), 'crash').campaign('next');
  await keysBelow(makeClient(), 'crash', 2);
  await crashed.close();
  t.equal(await observer.next(), 'next');
  await (await campaign).resign();
  await observer.close();
});

t.test('who gives up campaigning never leads', async (t) => {
  const client = makeClient();
  const leadership = await createElection(client, 'given-up').campaign('leader');
  const giver = new AbortController();
  const campaign = createElection(client, 'given-up').campaign('x', { signal: giver.signal });
  await keysBelow(client, 'given-up', 2);
  giver.abort();
  await t.rejects(campaign, { name: 'AbortError' });
  await leadership.resign();
  t.equal(await createElection(client, 'given-up').leader(), undefined);
});
