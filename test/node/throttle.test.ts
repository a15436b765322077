/** Work beside what is served: in turn with it, or as fast as it goes. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { Throttle } from '../../src/node/throttle.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

function createThrottle() {
  const clock = new ManualClock();
  const state = { servedCount: 5, stepCount: 0 };
  const throttle = new Throttle(clock, () => state.servedCount);
  const step = (): void => {
    state.stepCount += 1;
  };
  return { clock, state, after: (tookMs: number) => throttle.after(tookMs, 3, step) };
}

t.test('while others are served it rests in proportion to the step', async (t) => {
  const { clock, state, after } = createThrottle();
  for (const tookMs of [2, 4]) {
    const { stepCount } = state;
    state.servedCount += 1;
    after(tookMs);
    await nextTurn();
    clock.advance(3 * tookMs - 1);
    t.equal(state.stepCount, stepCount);
    clock.advance(1);
    t.equal(state.stepCount, stepCount + 1);
  }
});

t.test('when nobody is served any more it goes on in the next turn', async (t) => {
  const { clock, state, after } = createThrottle();
  after(1);
  clock.advance(3);
  t.equal(state.stepCount, 1);
  clock.advance(6);
  after(1);
  await nextTurn();
  t.equal(state.stepCount, 1, 'that somebody was served is not long ago');
  clock.advance(3);
  t.equal(state.stepCount, 2);
  after(1);
  await nextTurn();
  t.equal(state.stepCount, 3);
  state.servedCount += 1;
  after(1);
  await nextTurn();
  t.equal(state.stepCount, 3, 'somebody came back');
});
