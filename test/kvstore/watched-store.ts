/** A store that is watched: requests as text, and the work that its owner would do. */

import type { Store, TxnOp, WatchStream } from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createMemoryHome } from './memory-base.ts';
import { deleteOf, putOf } from './store-requests.ts';
import { Listener } from './watch-requests.ts';

const CONFIGURATION = { voters: [0], outgoing: [], learners: [] };

/** Ends the effects of an entry. */
export function account(store: Store): void {
  store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });
}

/**
 * Applies entries written as text: `put a 1`, `del a b`, `compact 5`; deletions to their end.
 * Watches are not told yet.
 */
export function apply(store: Store, ...lines: readonly string[]): void {
  for (const line of lines) {
    const [word, first = '', second = ''] = line.split(' ');
    if (word === 'put') store.put(putOf(first, second));
    else if (word === 'del') store.deleteRange(deleteOf(first, second));
    else store.compact({ revision: Number(first), physical: false });
    account(store);
    while (store.deletions.step());
  }
}

/** Applies one transaction. Watches are not told yet. */
export function applyTogether(store: Store, ops: readonly TxnOp[]): void {
  store.txn({ compares: [], success: ops, failure: [] });
  account(store);
}

/** Applies entries as one batch, of which watches are told. */
export function write(store: Store, ...lines: readonly string[]): void {
  apply(store, ...lines);
  store.watches.notify();
}

/** Lets lagging watches catch up; returns how many steps it took. */
export function catchUp(store: Store): number {
  let steps = 1;
  while (store.watches.catchUp()) steps += 1;
  return steps;
}

/** Removes all that is compacted. */
export function sweep(store: Store): void {
  while (store.compactStep());
}

/** Opens a store, applies entries to it, and opens a stream of watches. */
export async function openWatched(...lines: readonly string[]): Promise<{
  readonly store: Store;
  readonly listener: Listener;
  readonly stream: WatchStream;
}> {
  const store = await openStore(createMemoryHome());
  const listener = new Listener();
  const stream = store.watches.open(listener.sink);
  write(store, ...lines);
  return { store, listener, stream };
}

/** Replaces the content of a store by that of another which is ahead. */
export async function replace(store: Store, ahead: Store): Promise<void> {
  const reader = await ahead.exportSnapshot();
  const writer = await store.importSnapshot();
  for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) {
    await writer.write(bytes);
  }
  reader.close();
  await writer.finish();
  await store.installSnapshot();
  store.watches.storeReplaced();
}
