/** Whatever may be asked of a store that was made from outside input, once. */

import type { HashResult, Reading, Store, WatchSink } from '../../include/kvstore.ts';
import { deleteOf, putOf, rangeOf } from '../kvstore/store-requests.ts';
import { watchOf } from '../kvstore/watch-requests.ts';
import { KEYS } from './random-store.ts';

/** All keys. */
const FIRST = '\0';

/** Revisions, leases and turns beyond which nothing new is learnt. */
const ASKED_MAX = 20;

const COUNTED_MAX = Number.MAX_SAFE_INTEGER - ASKED_MAX;

const DEAF: WatchSink = {
  isFull: () => false,
  events: () => {},
  progress: () => {},
  cancelled: () => {},
};

/** Reads all of it, watches it from the start, writes, and reads and watches it once more. */
export async function useStore(store: Store): Promise<void> {
  look(store);
  // One that has counted to its end takes no more.
  if (store.revision() < COUNTED_MAX && store.applied().index < COUNTED_MAX) {
    write(store);
    look(store);
    compact(store);
  }
  store.hash();
  await store.flush();
}

function look(store: Store): void {
  const newest = store.revision();
  for (let revision = newest; revision > newest - ASKED_MAX && revision > 0; revision -= 1) {
    store.range(rangeOf(FIRST, FIRST, { revision }));
  }
  store.range(rangeOf(FIRST, FIRST, { countOnly: true }));
  const hash = store.beginHash(0);
  if (isReading(hash)) for (let turn = 0; turn < ASKED_MAX && hash.step() === undefined; turn += 1);
  readLeases(store);
  store.visitSessions(({ session }) => store.session(session));
  watch(store);
}

function isReading(begun: object | number): begun is Reading<HashResult> {
  return typeof begun === 'object' && 'step' in begun;
}

function readLeases(store: Store): void {
  let asked = 0;
  store.visitLeases(({ id }) => {
    store.countLeaseKeys(id, ASKED_MAX);
    store.leaseKeys(id);
    asked += 1;
    return asked < ASKED_MAX;
  });
}

function watch(store: Store): void {
  const stream = store.watches.open(DEAF);
  stream.create(1, watchOf(FIRST, FIRST, { startRevision: 1, prevKv: true }));
  stream.create(2, watchOf('k1', '', { startRevision: 2, prevKv: true }));
  for (let turn = 0; turn < ASKED_MAX && store.watches.catchUp(); turn += 1);
  stream.close();
}

function write(store: Store): void {
  for (const key of KEYS) apply(store, () => store.put(putOf(key, 'again', { prevKv: true })));
  apply(store, () => store.leaseRevoke({ id: 1n }));
  apply(store, () => store.deleteRange(deleteOf('k2', 'k4', true)));
}

function compact(store: Store): void {
  apply(store, () => store.compact({ revision: store.revision(), physical: false }));
  for (let turn = 0; turn < ASKED_MAX && store.compactStep(); turn += 1);
}

function apply(store: Store, run: () => unknown): void {
  const { index, term, configuration } = store.applied();
  run();
  store.setApplied({ index: index + 1, term, configuration });
  for (let turn = 0; turn < ASKED_MAX && store.deletions.step(); turn += 1);
  store.deletions.takeEnded();
}
