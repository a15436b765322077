/**
 * Entries made from a seed and their index, so that any state can be made again from its applied
 * index.
 */

import type { PutRequest, Store } from '../../include/kvstore.ts';
import { STORE_LIMITS, type StoreLimits } from '../../src/kvstore/store-state.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { PatientMachine } from './patient-machine.ts';
import { deleteOf, delOp, putOf, putOp, txnOf } from './store-requests.ts';

/** Every so many entries a session is opened and a lease granted, and those before it end. */
const LIFE_ENTRIES = 500;

/** Every so many entries some hundred keys are deleted, and the child flushes. */
export const FLUSH_ENTRIES = 200;

/** So small that a few of the keys make a large deletion. */
export const CRASH_LIMITS: StoreLimits = {
  ...STORE_LIMITS,
  deleteAtOnceKeysMax: 20,
  deleteStepKeysMax: 3,
};

/** Applies the next entry, as soon as it may be. */
export function applyEntry(store: Store, seed: number): void {
  const machine = new PatientMachine(store, () => store.deletions.step());
  const index = store.applied().index + 1;
  const random = createRandom(seed * 1_000_003 + index);
  const choice = random.below(100);
  const birth = index - (index % LIFE_ENTRIES);
  if (index === birth) {
    machine.sessionOpen({ ttlSeconds: 60 });
  } else if (index === birth + 1) {
    machine.leaseGrant({ id: BigInt(index), ttlSeconds: 60 });
  } else if (index === birth + 2) {
    const session = store.session(birth - LIFE_ENTRIES);
    const grantIndex = birth - LIFE_ENTRIES + 1;
    machine.expire({
      leases: [{ id: BigInt(grantIndex), grantIndex }],
      sessions: session === undefined ? [] : [session],
    });
  } else if (index % FLUSH_ENTRIES === 0) {
    machine.deleteRange(deleteOf('key-1', 'key-2'));
  } else if (choice < 45) {
    machine.put(drawPut(random, index));
  } else if (choice < 75) {
    // At times a write that was sent before, which must not take effect again.
    const sequence = index - (random.below(4) === 0 ? 1 + random.below(20) : 0);
    const mark = { session: birth, sequence, acknowledged: Math.max(0, sequence - 200) };
    const request = drawPut(random, index);
    machine.once(mark, () => machine.put(request));
  } else if (choice < 85) {
    const key = `key-${random.below(300)}`;
    machine.txn(txnOf([], [putOp(key, `${index}`, { prevKv: true }), delOp('key-7', 'key-8')]));
  } else if (choice < 99) {
    machine.deleteRange(deleteOf(`key-${random.below(300)}`));
  } else {
    machine.compact({
      revision: Math.max(0, store.revision() - random.below(500)),
      physical: false,
    });
  }
  const configuration = { voters: [index], outgoing: [], learners: [] };
  store.setApplied({ index, term: 1 + Math.floor(index / 1000), configuration });
}

/** A put, at times with the newest lease. */
function drawPut(random: Random, index: number): PutRequest {
  const lease = random.below(3) === 0 ? BigInt(index - (index % LIFE_ENTRIES) + 1) : 0n;
  const value = `${index}`.repeat(1 + random.below(50));
  return putOf(`key-${random.below(300)}`, value, { lease, prevKv: lease !== 0n });
}
