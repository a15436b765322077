import t from 'tap';
import { DISK_SECONDS_BOUNDS } from '../include/metrics.ts';
import { Histogram } from '../src/metrics.ts';

t.test('a value falls into the first bucket that it does not exceed', async (t) => {
  const histogram = new Histogram([1, 2]);
  for (const value of [0, 1, 1.5, 2, 2.1]) histogram.observe(value);
  histogram.observe(9, 4);
  t.strictSame(histogram.sample().counts, [2, 2, 5]);
  t.equal(histogram.sample().sum, 0 + 1 + 1.5 + 2 + 2.1 + 36);
  t.equal(histogram.count, 9);
});

t.test("a disk's times have the buckets of etcd", async (t) => {
  t.equal(DISK_SECONDS_BOUNDS.length, 14);
  t.equal(DISK_SECONDS_BOUNDS[0], 0.001);
  t.equal(DISK_SECONDS_BOUNDS.at(-1), 8.192);
});
