/**
 * Entries made from a seed and their index, so that any state can be made again from its applied
 * index.
 */

import type { PutResult, Store } from '../../include/kvstore.ts';
import type { ErrorCode } from '../../include/rpc.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { deleteOf, delOp, putOf, putOp, txnOf } from './store-requests.ts';

/** Every so many entries a session is opened and a lease granted, and those before it end. */
const LIFE_ENTRIES = 500;

/** Applies the next entry. */
export function applyEntry(store: Store, seed: number): void {
  const index = store.applied().index + 1;
  const random = createRandom(seed * 1_000_003 + index);
  const choice = random.below(100);
  const birth = index - (index % LIFE_ENTRIES);
  if (index === birth) {
    store.sessionOpen({ ttlSeconds: 60 });
  } else if (index === birth + 1) {
    store.leaseGrant({ id: BigInt(index), ttlSeconds: 60 });
  } else if (index === birth + 2) {
    const session = store.session(birth - LIFE_ENTRIES);
    const grantIndex = birth - LIFE_ENTRIES + 1;
    store.expire({
      leases: [{ id: BigInt(grantIndex), grantIndex }],
      sessions: session === undefined ? [] : [session],
    });
  } else if (choice < 45) {
    put(store, random, index);
  } else if (choice < 75) {
    // At times a write that was sent before, which must not take effect again.
    const sequence = index - (random.below(4) === 0 ? 1 + random.below(20) : 0);
    const mark = { session: birth, sequence, acknowledged: Math.max(0, sequence - 200) };
    store.once(mark, () => put(store, random, index));
  } else if (choice < 85) {
    const key = `key-${random.below(300)}`;
    store.txn(txnOf([], [putOp(key, `${index}`, { prevKv: true }), delOp('key-7', 'key-8')]));
  } else if (choice < 99) {
    store.deleteRange(deleteOf(`key-${random.below(300)}`));
  } else {
    store.compact({ revision: Math.max(0, store.revision() - random.below(500)), physical: false });
  }
  const configuration = { voters: [index], outgoing: [], learners: [] };
  store.setApplied({ index, term: 1 + Math.floor(index / 1000), configuration });
}

/** A put, at times with the newest lease. */
function put(store: Store, random: Random, index: number): PutResult | ErrorCode {
  const lease = random.below(3) === 0 ? BigInt(index - (index % LIFE_ENTRIES) + 1) : 0n;
  const value = `${index}`.repeat(1 + random.below(50));
  return store.put(putOf(`key-${random.below(300)}`, value, { lease, prevKv: lease !== 0n }));
}
