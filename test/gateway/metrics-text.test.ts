import t from 'tap';
import { metricsText } from '../../src/gateway/metrics-text.ts';
import { counter, gauge, Histogram, histogram } from '../../src/metrics.ts';

t.test('families are written as Prometheus reads them, by name', async (t) => {
  const times = new Histogram([0.001, 2]);
  for (const seconds of [0, 0.5, 3.25]) times.observe(seconds);
  const families = [
    histogram('b_seconds', 'Times.', times.bounds, [times.sample([['To', '2']])]),
    gauge('c', 'Whether.', true),
    counter('a_total', 'A\nline and a \\.', [{ labels: [['x', 'a"b\\c\nd']], value: 2 }]),
  ];
  t.equal(
    metricsText(families),
    [
      '# HELP a_total A\\nline and a \\\\.',
      '# TYPE a_total counter',
      'a_total{x="a\\"b\\\\c\\nd"} 2',
      '# HELP b_seconds Times.',
      '# TYPE b_seconds histogram',
      'b_seconds_bucket{To="2",le="0.001"} 1',
      'b_seconds_bucket{To="2",le="2"} 2',
      'b_seconds_bucket{To="2",le="+Inf"} 3',
      'b_seconds_sum{To="2"} 3.75',
      'b_seconds_count{To="2"} 3',
      '# HELP c Whether.',
      '# TYPE c gauge',
      'c 1',
      '',
    ].join('\n'),
  );
});
