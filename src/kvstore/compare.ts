/** Conditions of transactions (Compare in include/kvstore.ts), tried on the state as it is. */

import { type Compare, CompareResult, CompareTarget } from '../../include/kvstore.ts';
import { newestRevision } from './candidate.ts';
import { boundsOf, isSingleKey } from './key-range.ts';
import { createRevisionOf, headMain, leaseOf, versionOf } from './key-record.ts';
import { liveRecord, scanLive } from './live-keys.ts';
import { storedValue } from './revision-record.ts';
import type { StoreState } from './store-state.ts';

/** Whether a condition holds: for its key, or for every key of its range. */
export function holds(state: StoreState, compare: Compare): boolean {
  if (isSingleKey(compare)) return holdsFor(state, compare, liveRecord(state, compare.key));
  let isEmpty = true;
  let doesHold = true;
  scanLive(state, boundsOf(compare), (_key, record) => {
    isEmpty = false;
    doesHold = holdsFor(state, compare, record);
    return doesHold;
  });
  return isEmpty ? holdsFor(state, compare, undefined) : doesHold;
}

/** @param record what Keys has of the key; undefined when it is absent */
function holdsFor(state: StoreState, compare: Compare, record: Buffer | undefined): boolean {
  switch (compare.target) {
    case CompareTarget.Version:
      return fits(compare, order(record === undefined ? 0 : versionOf(record), compare.counter));
    case CompareTarget.Create:
      return fits(
        compare,
        order(record === undefined ? 0 : createRevisionOf(record), compare.counter),
      );
    case CompareTarget.Mod:
      return fits(compare, order(record === undefined ? 0 : headMain(record), compare.counter));
    case CompareTarget.Lease:
      return fits(compare, order(record === undefined ? 0n : leaseOf(record), compare.lease));
    case CompareTarget.Value:
      if (record === undefined) return false;
      return fits(compare, storedValue(newestRevision(state, record)).compare(compare.value));
  }
}

/** Whether what was found stands to the operand as it should; `found` is its order before it. */
function fits({ result }: Compare, found: number): boolean {
  switch (result) {
    case CompareResult.Equal:
      return found === 0;
    case CompareResult.NotEqual:
      return found !== 0;
    case CompareResult.Greater:
      return found > 0;
    case CompareResult.Less:
      return found < 0;
  }
}

function order<T extends number | bigint>(found: T, operand: T): number {
  return found < operand ? -1 : found > operand ? 1 : 0;
}
