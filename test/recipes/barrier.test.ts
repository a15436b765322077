import t from 'tap';
import {
  type BarrierRound,
  type Client,
  createBarrier,
  createDoubleBarrier,
  ErrorCode,
} from '../../src/kvorum.ts';
import { aborted, keysBelow, SHORT_TTL_SECONDS, startNode } from './embedded.ts';

const makeClient = await startNode(t);

t.test('who waits at a barrier waits until it is released', async (t) => {
  const barrier = createBarrier(makeClient(), 'gate');
  t.equal(await barrier.raise(), true);
  t.equal(await barrier.raise(), false, 'it is up already');
  let passedCount = 0;
  const waiting = Array.from({ length: 20 }, async () => {
    await createBarrier(makeClient(), 'gate').wait();
    passedCount += 1;
  });
  await makeClient().get('gate');
  t.equal(passedCount, 0);
  t.equal(await barrier.release(), true);
  await Promise.all(waiting);
  t.equal(await barrier.release(), false, 'it is down already');
  await barrier.wait();
});

t.test('waiting at a barrier can be given up', async (t) => {
  const barrier = createBarrier(makeClient(), 'closed');
  await barrier.raise();
  const signal = AbortSignal.timeout(20);
  await t.rejects(barrier.wait({ signal }), { name: 'TimeoutError' });
});

t.test('a release is no less one for what came after it', async (t) => {
  const client = makeClient();
  const barrier = createBarrier(client, 'again');
  await barrier.raise();
  const slow: Client = {
    ...client,
    range: async (key, how) => {
      const reply = await client.range(key, how);
      if (reply.kvs[0]?.version !== 1) return reply;
      await barrier.release();
      await client.put('again', 'raised by hand');
      await client.put('again', 'so that its version is another');
      await client.compact((await client.put('other', '')).revision);
      return reply;
    },
  };
  await createBarrier(slow, 'again').wait();
  t.ok(await client.get('again'), 'it is up again');
});

t.test('parties begin each round together and end it together', async (t) => {
  const PARTIES = 8;
  const ROUNDS = 5;
  const inside: number[] = Array.from({ length: ROUNDS }, () => 0);
  const left: number[] = Array.from({ length: ROUNDS }, () => 0);
  const work = async (): Promise<void> => {
    const barrier = createDoubleBarrier(makeClient(), 'rounds', PARTIES);
    for (let round = 0; round < ROUNDS; round += 1) {
      inside[round]! += 1;
      const entered = await barrier.enter();
      t.equal(inside[round], PARTIES, 'all have come');
      left[round]! += 1;
      await entered.leave();
      t.equal(left[round], PARTIES, 'all have left');
    }
  };
  await Promise.all(Array.from({ length: PARTIES }, work));
  t.equal((await makeClient().range('rounds/', { prefix: true })).count, 0, 'nothing is left');
});

t.test('a party too many waits for the next round', async (t) => {
  const enter = (): Promise<BarrierRound> =>
    createDoubleBarrier(makeClient(), 'three-of-two', 2).enter();
  const entries = [enter(), enter(), enter()];
  const entered: BarrierRound[] = [];
  await new Promise<void>((resolve) => {
    for (const entry of entries) {
      void entry.then((round) => {
        if (entered.push(round) === 2) resolve();
      });
    }
  });
  await makeClient().get('three-of-two/ready');
  const first = [...entered];
  t.equal(first.length, 2, 'two are a round');
  await Promise.all(first.map((round) => round.leave()));

  const all = await Promise.all([...entries, enter()]);
  const second = all.filter((round) => !first.includes(round));
  t.equal(second.length, 2);
  await Promise.all(second.map((round) => round.leave()));
});

t.test('a party that crashes inside is not waited for longer than its lease', async (t) => {
  const crashing = makeClient();
  const options = { ttlSeconds: SHORT_TTL_SECONDS };
  const crashed = createDoubleBarrier(crashing, 'crash', 2, options).enter();
  const entered = await createDoubleBarrier(makeClient(), 'crash', 2).enter();
  await crashed;
  await crashing.close();
  await entered.leave();
  t.equal((await makeClient().range('crash/', { prefix: true })).count, 0, 'nothing is left');
});

t.test('a round in which all have crashed does not stop the next one', async (t) => {
  const options = { ttlSeconds: SHORT_TTL_SECONDS };
  const crashing = [makeClient(), makeClient()];
  await Promise.all(
    crashing.map((client) => createDoubleBarrier(client, 'all-crash', 2, options).enter()),
  );
  for (const client of crashing) await client.close();
  const next = [0, 1].map(() => createDoubleBarrier(makeClient(), 'all-crash', 2).enter());
  for (const round of await Promise.all(next)) t.notOk(round.lost.aborted);
});

t.test('a party is told when its lease is lost', async (t) => {
  const client = makeClient();
  const lease = await client.holdLease(SHORT_TTL_SECONDS);
  const entered = createDoubleBarrier(client, 'lost', 2, { lease }).enter();
  await keysBelow(client, 'lost/waiters', 1);
  const failed = t.rejects(entered, { code: ErrorCode.NotHeld });
  await client.revokeLease(lease.id);
  await aborted(lease.lost);
  await failed;
});

t.test('who gives up entering is not counted', async (t) => {
  const client = makeClient();
  const giver = new AbortController();
  const entered = createDoubleBarrier(client, 'given-up', 2).enter({ signal: giver.signal });
  await keysBelow(client, 'given-up/waiters', 1);
  giver.abort();
  await t.rejects(entered, { name: 'AbortError' });
  t.equal((await client.range('given-up/', { prefix: true })).count, 0);
});

t.test('a round of one begins and ends at once', async (t) => {
  const barrier = createDoubleBarrier(makeClient(), 'alone', 1);
  for (let round = 0; round < 3; round += 1) await (await barrier.enter()).leave();
  t.equal((await makeClient().range('alone/', { prefix: true })).count, 0);
});

t.test('no party, or a part of one, is no number of parties', async (t) => {
  for (const count of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => createDoubleBarrier(makeClient(), 'none', count), {
      code: ErrorCode.FrameMalformed,
    });
  }
});
