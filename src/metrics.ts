/**
 * Counting: a histogram with fixed buckets for the hot path (preallocated, an observation is a few
 * compares and two additions), and the families that counts become when somebody asks.
 */

import {
  type HistogramSample,
  type MetricFamily,
  MetricKind,
  type MetricLabel,
  type MetricSample,
} from '../include/metrics.ts';

/** Counts values by bucket. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds the largest value of each bucket but the last, ascending */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a value `times` times. */
  observe(value: number, times = 1): void {
    const { bounds } = this;
    let slot = 0;
    while (slot < bounds.length && value > bounds[slot]!) slot += 1;
    this.#counts[slot]! += times;
    this.#sum += value * times;
  }

  /** How many values were counted. */
  get count(): number {
    let count = 0;
    for (const each of this.#counts) count += each;
    return count;
  }

  /** What was counted so far, as it travels. */
  sample(labels: readonly MetricLabel[] = []): HistogramSample {
    return { labels, counts: [...this.#counts], sum: this.#sum };
  }
}

/** A number or several of them, as samples. */
type Value = number | boolean | readonly MetricSample[];

/** Makes the family of a counter. */
export function counter(name: string, help: string, value: Value): MetricFamily {
  return { kind: MetricKind.Counter, name, help, samples: samplesOf(value) };
}

/** Makes the family of a gauge. */
export function gauge(name: string, help: string, value: Value): MetricFamily {
  return { kind: MetricKind.Gauge, name, help, samples: samplesOf(value) };
}

/** Makes the family of histograms with the same bounds. */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  samples: readonly HistogramSample[],
): MetricFamily {
  return { kind: MetricKind.Histogram, name, help, bounds, samples };
}

function samplesOf(value: Value): readonly MetricSample[] {
  if (typeof value === 'object') return value;
  return [{ labels: [], value: Number(value) }];
}
