/** Reads that take several turns: none starves, and little is gathered at once. */

import t from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import { Readings } from '../../src/node/readings.ts';

/** A read of so many steps; counts those it took. */
function readOf(steps: number) {
  let taken = 0;
  return {
    step: () => {
      taken += 1;
      return taken === steps ? { steps } : undefined;
    },
    taken: () => taken,
  };
}

t.test('what is known at once is told at once', async (t) => {
  const readings = new Readings();
  const told: unknown[] = [];
  readings.add<object>({ answer: 1 }, (result) => told.push(result));
  readings.add<object>(ErrorCode.Compacted, (result) => told.push(result));
  t.strictSame(told, [{ answer: 1 }, ErrorCode.Compacted]);
  t.equal(readings.count, 0);
  readings.step();
});

t.test('a long read holds up no short one, and goes on every other turn', async (t) => {
  const readings = new Readings();
  const ended: string[] = [];
  const long = readOf(1_000);
  readings.add<object>(long, () => ended.push('long'));
  for (let count = 0; count < 5; count += 1) {
    readings.add<object>(readOf(3), () => ended.push(`short ${count}`));
  }
  for (let turn = 0; turn < 30; turn += 1) readings.step();
  t.strictSame(
    ended,
    [0, 1, 2, 3, 4].map((count) => `short ${count}`),
  );
  t.equal(readings.count, 1);
  t.equal(long.taken(), 15);
  while (readings.count > 0) readings.step();
  t.equal(long.taken(), 1_000);
});

t.test('of all but the oldest only so much is gathered', async (t) => {
  const readings = new Readings();
  const reads = Array.from({ length: 10 }, () => readOf(500));
  const ended: number[] = [];
  for (const [number, read] of reads.entries()) {
    readings.add<object>(read, () => ended.push(number));
  }
  let most = 0;
  while (readings.count > 0) {
    readings.step();
    const taken = reads.filter((_, number) => !ended.includes(number)).map((read) => read.taken());
    most = Math.max(
      most,
      taken.slice(1).reduce((sum, steps) => sum + steps, 0),
    );
  }
  t.equal(most, 64);
  t.strictSame(ended, [...reads.keys()]);
});
