import t from 'tap';
import { type NodeSample, numberOf, quantileOf, rateOf } from '../../src/client/node-rates.ts';
import { counter, Histogram, histogram } from '../../src/metrics.ts';

const sample = (atMs: number, total: number, ...seconds: number[]): NodeSample => {
  const times = new Histogram([1, 2, 4]);
  for (const each of seconds) times.observe(each);
  return {
    atMs,
    families: [
      counter('total', 'T.', total),
      histogram('times', 'T.', times.bounds, [times.sample([['type', 'put']])]),
    ],
  };
};

t.test('a rate is the growth a second, and none over a restart', async (t) => {
  t.equal(rateOf(sample(0, 10), sample(2_000, 30), 'total'), 10);
  t.equal(rateOf(sample(0, 10), sample(2_000, 3), 'total'), undefined);
  t.equal(rateOf(sample(0, 10), sample(2_000, 30), 'nothing'), undefined);
  t.equal(numberOf(sample(0, 10), 'total'), 10);
});

t.test('a quantile is of what was observed between two looks', async (t) => {
  const before = sample(0, 0, 3, 3, 3);
  const now = sample(0, 0, 3, 3, 3, 1.5, 1.5);
  t.equal(quantileOf(before, now, 'times', 0.5, ['type', 'put']), 1.5, 'halfway in its bucket');
  t.equal(quantileOf(before, now, 'times', 1, ['type', 'put']), 2);
  t.equal(quantileOf(now, now, 'times', 0.5), undefined, 'nothing was observed');
  t.equal(quantileOf(before, now, 'times', 0.5, ['type', 'get']), undefined);
});

t.test(
  'a restarted node counts from zero, and what is beyond every bound is the last',
  async (t) => {
    const before = sample(0, 0, 3, 3, 3);
    t.equal(quantileOf(before, sample(0, 0, 0.5), 'times', 1), 1);
    t.equal(quantileOf(sample(0, 0), sample(0, 0, 9), 'times', 0.99), 4);
  },
);
