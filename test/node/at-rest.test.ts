/** A member that has nothing to do does next to nothing. */

import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createSystemClock } from '../../src/clock.ts';
import { LoneMember } from './lone-member.ts';

t.test('ticks of a member at rest ask for no pump', async (t) => {
  const clock = createSystemClock();
  let turns = 0;
  let stoppedMs: number | undefined;
  const lone = await LoneMember.start(t, {
    clock: {
      ...clock,
      nowMs: () => stoppedMs ?? clock.nowMs(),
      soon: (run) => {
        turns += 1;
        return clock.soon(run);
      },
    },
  });
  // What is due by its time is not, while none goes by.
  stoppedMs = clock.nowMs();
  lone.member.tick();
  await setImmediate();
  turns = 0;
  for (let tick = 0; tick < 200; tick += 1) {
    lone.member.tick();
    await setImmediate();
  }
  // A flush that was under way may end meanwhile.
  t.ok(turns < 5, `${turns} turns asked for`);
  stoppedMs = undefined;
});
