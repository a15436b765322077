/** What is deleted or compacted is removed step by step, and waits for no disk. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { FLUSH_BYTES } from '../../include/kvstore.ts';
import type { Store } from '../../src/kvstore/store.ts';
import { Removal } from '../../src/node/removal.ts';
import { Throttle } from '../../src/node/throttle.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

/** A removal of a store that has so many steps left, and must read before each of a compaction. */
function createRemoval() {
  const state = {
    deletions: 0,
    compactions: 0,
    unflushedBytes: 0,
    steps: [] as string[],
    /** Ends what is being read. */
    arrive: undefined as (() => void) | undefined,
    isRead: false,
  };
  const clock = new ManualClock();
  const store = {
    deletions: { count: () => state.deletions },
    compactedPhysically: () => -state.compactions,
    compactRevision: () => 0,
    unflushedBytes: () => state.unflushedBytes,
    readAhead: () => {
      if (state.isRead) return undefined;
      return new Promise<void>((resolve) => {
        state.arrive = () => {
          state.isRead = true;
          resolve();
        };
      });
    },
  } as unknown as Store;
  const removal = new Removal({
    store,
    clock,
    throttle: new Throttle(clock, () => 0),
    isOpen: () => true,
    deleteStep: () => {
      if (state.deletions === 0) return false;
      state.steps.push('delete');
      state.deletions -= 1;
      return state.deletions > 0;
    },
    compactStep: () => {
      state.steps.push('compact');
      state.compactions -= 1;
      state.isRead = false;
      return state.compactions > 0;
    },
    onStep: () => {},
    onFatal: (cause) => t.fail(String(cause)),
  });
  return { state, removal };
}

/** Lets steps be taken as long as they follow each other. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

t.test('a compaction waits for what it reads, and goes on by itself', async (t) => {
  const { state, removal } = createRemoval();
  state.compactions = 2;
  removal.run();
  await settle();
  t.strictSame(state.steps, []);
  state.arrive?.();
  await settle();
  t.strictSame(state.steps, ['compact']);
  state.arrive?.();
  await settle();
  t.strictSame(state.steps, ['compact', 'compact']);
});

t.test('a deletion does not wait for what a compaction reads', async (t) => {
  const { state, removal } = createRemoval();
  state.compactions = 1;
  removal.run();
  await settle();
  state.deletions = 3;
  removal.run();
  await settle();
  t.strictSame(state.steps, ['delete', 'delete', 'delete']);
  state.arrive?.();
  await settle();
  t.strictSame(state.steps, ['delete', 'delete', 'delete', 'compact']);
});

t.test('nothing is removed before what was is flushed', async (t) => {
  const { state, removal } = createRemoval();
  state.deletions = 1;
  state.unflushedBytes = FLUSH_BYTES;
  removal.run();
  await settle();
  t.strictSame(state.steps, []);
  state.unflushedBytes = 0;
  removal.run();
  await settle();
  t.strictSame(state.steps, ['delete']);
});
