/**
 * What a node counts and measures about itself, as it travels to whoever watches over it: families
 * of samples, each with a name that dashboards and alerts for etcd know where it means the same.
 *
 * Names, units and kinds are Prometheus's: durations in seconds, sizes in bytes, counters that only
 * grow until the process ends. The table of all names is in docs/OPERATIONS.md.
 */

/** What the samples of a family are. */
export const MetricKind = {
  /** Grows until the process ends. */
  Counter: 0,
  /** Goes up and down. */
  Gauge: 1,
  /** How often a value fell into each of some buckets. */
  Histogram: 2,
} as const;
/** One of the values of MetricKind. */
export type MetricKind = (typeof MetricKind)[keyof typeof MetricKind];

/** What tells the samples of a family apart. */
export type MetricLabel = readonly [name: string, value: string];

/** One number. */
export type MetricSample = { readonly labels: readonly MetricLabel[]; readonly value: number };

/** One histogram. */
export type HistogramSample = {
  readonly labels: readonly MetricLabel[];
  /** How many fell into each bucket, by itself: one more than there are bounds. */
  readonly counts: readonly number[];
  /** Of all values. */
  readonly sum: number;
};

/** All samples of a name. */
export type MetricFamily =
  | {
      readonly kind: typeof MetricKind.Counter | typeof MetricKind.Gauge;
      readonly name: string;
      readonly help: string;
      readonly samples: readonly MetricSample[];
    }
  | {
      readonly kind: typeof MetricKind.Histogram;
      readonly name: string;
      readonly help: string;
      /** Largest value of each bucket but the last, ascending. */
      readonly bounds: readonly number[];
      readonly samples: readonly HistogramSample[];
    };

/** Most families of one node: bounds what a decoder believes. */
export const METRIC_FAMILIES_MAX = 1_024;

/** Most labels of one sample. */
export const METRIC_LABELS_MAX = 16;

/** Most bounds of a histogram. */
export const METRIC_BOUNDS_MAX = 64;

/** Bounds of the time a disk takes, in seconds: etcd's, 1 ms to 8.2 s. */
export const DISK_SECONDS_BOUNDS: readonly number[] = doubled(0.001, 14);

/** Bounds of a round trip between members, in seconds: etcd's, 0.1 ms to 3.3 s. */
export const ROUND_TRIP_SECONDS_BOUNDS: readonly number[] = doubled(0.0001, 16);

/** Bounds of the time a request takes, in seconds: 0.1 ms to 6.6 s. */
export const REQUEST_SECONDS_BOUNDS: readonly number[] = doubled(0.0001, 17);

/** Bounds of what holds up the event loop, in seconds: 0.5 ms to 8.2 s. */
export const LOOP_SECONDS_BOUNDS: readonly number[] = doubled(0.0005, 15);

function doubled(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, slot) => Number((first * 2 ** slot).toPrecision(12)));
}
