/** The window of Appends on the way: bounded by count and bytes, freed in order. */

import t from 'tap';
import {
  addInflight,
  checkInflights,
  clearInflights,
  createInflights,
  freeInflights,
  isFull,
} from '../../src/node/raft/inflights.ts';
import { createRandom } from '../../src/random.ts';

t.test('a window is full at its count, not one before', async (t) => {
  const inflights = createInflights(3, 1_000);
  for (const index of [1, 2]) addInflight(inflights, index, 1);
  t.notOk(isFull(inflights));
  addInflight(inflights, 3, 1);
  t.ok(isFull(inflights));
  t.throws(() => addInflight(inflights, 4, 1), { name: 'AssertionError' });
});

t.test('a window is full at its bytes, and the last Append may exceed them', async (t) => {
  const inflights = createInflights(10, 100);
  addInflight(inflights, 1, 99);
  t.notOk(isFull(inflights));
  addInflight(inflights, 2, 500);
  t.ok(isFull(inflights));
  t.equal(inflights.sizeBytes, 599);
});

t.test('an acknowledgement frees what it covers and no more', async (t) => {
  const inflights = createInflights(4, 1_000);
  for (const index of [10, 20, 30]) addInflight(inflights, index, index);
  freeInflights(inflights, 9);
  t.equal(inflights.count, 3);
  freeInflights(inflights, 29);
  t.equal(inflights.count, 1);
  t.equal(inflights.sizeBytes, 30);
  freeInflights(inflights, 99);
  t.equal(inflights.count, 0);
  t.equal(inflights.sizeBytes, 0);
});

t.test('indexes must ascend', async (t) => {
  const inflights = createInflights(4, 1_000);
  addInflight(inflights, 5, 1);
  t.throws(() => addInflight(inflights, 5, 1), { name: 'AssertionError' });
});

t.test('a window behaves as a list does, around its end and on seeded input', async (t) => {
  const random = createRandom(3);
  const inflights = createInflights(5, 60);
  let twin: [number, number][] = [];
  let index = 0;
  for (let i = 0; i < 20_000; i += 1) {
    const choice = random.below(10);
    const isTwinFull = twin.length === 5 || twin.reduce((sum, [, size]) => sum + size, 0) >= 60;
    if (isFull(inflights) !== isTwinFull) t.equal(isFull(inflights), isTwinFull, `step ${i}`);
    if (choice < 6 && !isTwinFull) {
      index += 1 + random.below(3);
      const sizeBytes = random.below(30);
      addInflight(inflights, index, sizeBytes);
      twin.push([index, sizeBytes]);
    } else if (choice < 9) {
      const acknowledged = index - random.below(8);
      freeInflights(inflights, acknowledged);
      twin = twin.filter(([at]) => at > acknowledged);
    } else if (random.below(20) === 0) {
      clearInflights(inflights);
      twin = [];
    }
    checkInflights(inflights);
    if (inflights.count !== twin.length) t.equal(inflights.count, twin.length, `step ${i}`);
  }
});
