/** Reads that take several turns: they come to what they would have come to at once. */

import t from 'tap';
import {
  type RangeRequest,
  type RangeResult,
  type Reading,
  SortOrder,
  SortTarget,
  type Store,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf, rangeOf, rangeOp, showRange, showTxn, txnOf } from './store-requests.ts';
import { account } from './watched-store.ts';

const KEYS = 600;

/** Small, so that a few hundred keys take many turns. */
const LIMITS = { deleteAtOnceKeysMax: 20, deleteStepKeysMax: 7, readVisitsMax: 9 };

function keyOf(number: number): string {
  return `k${String(number).padStart(4, '0')}`;
}

/** Changes something, as one entry. */
function change(store: Store, random: Random): void {
  const key = keyOf(random.below(KEYS));
  const choice = random.below(10);
  const end = choice < 2 ? keyOf(random.below(KEYS)) : '';
  while (store.deletions.touches(deleteOf(key, end))) store.deletions.step();
  if (choice < 3) store.deleteRange(deleteOf(key, end));
  else store.put(putOf(key, `v${random.below(99)}`.repeat(random.below(20))));
  account(store);
}

function randomRead(store: Store, random: Random): RangeRequest {
  const isBelow = random.below(2) === 0;
  const back = random.below(60);
  return rangeOf(keyOf(random.below(KEYS / 2)), isBelow ? keyOf(random.below(KEYS)) : '\0', {
    limit: random.below(2) === 0 ? random.below(300) : 0,
    revision: random.below(2) === 0 ? Math.max(1, store.revision() - back) : 0,
    sortOrder: Object.values(SortOrder)[random.below(3)]!,
    sortTarget: random.below(2) === 0 ? Object.values(SortTarget)[random.below(5)]! : 0,
    keysOnly: random.below(4) === 0,
    countOnly: random.below(3) === 0,
    minModRevision: random.below(6) === 0 ? store.revision() - back : 0,
    pageBytes: random.below(4) === 0 ? random.below(2_000) : 0,
    uncounted: random.below(5) === 0,
  });
}

function isReading<T>(begun: object | number | Reading<T>): begun is Reading<T> {
  return typeof begun === 'object' && 'step' in begun;
}

type UnderWay = {
  readonly reading: Reading<RangeResult>;
  readonly expected: string;
  readonly request: RangeRequest;
  readonly revision: number;
};

/** A history with reads under way; returns what is wrong, and counts what ended. */
async function run(store: Store, random: Random, ended: Map<string, number>): Promise<string> {
  for (let count = 0; count < KEYS; count += 1) change(store, random);
  const underWay: UnderWay[] = [];
  for (let step = 0; step < 1_500; step += 1) {
    const choice = random.below(100);
    if (choice < 10) change(store, random);
    else if (choice < 14) store.deletions.step();
    else if (choice < 16) await store.flush();
    else if (choice < 17) {
      store.compact({ revision: store.revision() - random.below(100), physical: false });
      account(store);
    } else if (choice < 25) {
      store.compactStep();
    } else if (choice < 40 && underWay.length < 4) {
      const request = randomRead(store, random);
      const expected = showRange(store.range(request));
      const reading = store.beginRange(request);
      const revision = request.revision > 0 ? request.revision : store.revision();
      if (isReading(reading)) underWay.push({ reading, expected, request, revision });
      else if (showRange(reading) !== expected) return `at once: ${JSON.stringify(request)}`;
    } else {
      const slot = random.below(underWay.length + 1);
      const result = underWay[slot]?.reading.step();
      if (result === undefined) continue;
      const [{ expected, request, revision }] = underWay.splice(slot, 1) as [UnderWay];
      const isCompacted = result === ErrorCode.Compacted && revision < store.compactRevision();
      if (!isCompacted && showRange(result) !== expected) return JSON.stringify(request);
      const kind = isCompacted ? 'compacted' : request.countOnly ? 'count' : 'pairs';
      ended.set(kind, (ended.get(kind) ?? 0) + 1);
    }
  }
  return '';
}

for (const home of HOMES) {
  t.test(`${home.name}: a read in steps sees the revision that it began with`, async (t) => {
    const ended = new Map<string, number>();
    const seeds = home.name === 'memory' ? 20 : 8;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const store = await openStore(await home.create(t), LIMITS);
      const fault = await run(store, createRandom(seed), ended);
      if (fault !== '') t.fail(`seed ${seed}: ${fault}`);
      await store.close();
    }
    for (const kind of ['pairs', 'count', 'compacted']) t.ok((ended.get(kind) ?? 0) > 10, kind);
  });
}

t.test('a transaction that reads sees one revision in all its ranges', async (t) => {
  const store = await openStore(createMemoryHome(), LIMITS);
  for (let count = 0; count < 50; count += 1) {
    store.put(putOf(keyOf(count), 'old'));
    account(store);
  }
  const request = txnOf([], [rangeOp('k', 'l', { limit: 20 }), rangeOp('k', 'l')]);
  const expected = store.readTxn(request);
  if (typeof expected === 'number') throw new Error('the transaction was refused');
  const begun = store.beginReadTxn(request);
  if (!isReading(begun)) throw new Error('the transaction was read in one turn');
  for (let count = 0; ; count += 1) {
    store.put(putOf(keyOf(count), 'new'));
    account(store);
    const result = begun.step();
    if (result === undefined || typeof result === 'number') continue;
    t.equal(showTxn(result), showTxn(expected));
    break;
  }
  await store.close();
});

t.test('a short read needs no step', async (t) => {
  const store = await openStore(createMemoryHome());
  store.put(putOf('a', '1'));
  account(store);
  t.match(store.beginRange(rangeOf('a')), { count: 1 });
  t.match(store.beginRange(rangeOf('a', 'b')), { count: 1 });
  t.equal(store.beginRange(rangeOf('a', 'b', { revision: 9 })), ErrorCode.FutureRevision);
  t.match(store.beginReadTxn(txnOf([], [rangeOp('a')])), { succeeded: true });
  await store.close();
});

t.test('a read that grows too large is refused, however many steps it took', async (t) => {
  const store = await openStore(createMemoryHome(), LIMITS);
  for (let count = 0; count < 50; count += 1) {
    store.put(putOf(keyOf(count), 'v'.repeat(100)));
    account(store);
  }
  for (const sortTarget of [SortTarget.Key, SortTarget.Value, SortTarget.Mod]) {
    const begun = store.beginRange(rangeOf('k', 'l', { sortTarget }), 5_000);
    let result = isReading(begun) ? begun.step() : undefined;
    while (isReading(begun) && result === undefined) result = begun.step();
    t.equal(result, ErrorCode.ReplyTooLarge);
  }
  await store.close();
});
