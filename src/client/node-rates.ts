/**
 * What a node did between two looks at its metrics: rates and quantiles, as Prometheus would
 * reckon them.
 */

import { type HistogramSample, type MetricFamily, MetricKind } from '../../include/metrics.ts';

/** What a node measured at a time. */
export type NodeSample = {
  readonly families: readonly MetricFamily[];
  /** On the clock of who asked. */
  readonly atMs: number;
};

/** A label that a sample must have. */
type Wanted = readonly [name: string, value: string];

/** The number of a counter or gauge; undefined when the node has none of that name. */
export function numberOf(sample: NodeSample, name: string): number | undefined {
  const family = familyOf(sample, name);
  if (family === undefined || family.kind === MetricKind.Histogram) return undefined;
  return family.samples[0]?.value;
}

/** By how much a number grew, a second. */
export function rateOf(before: NodeSample, now: NodeSample, name: string): number | undefined {
  const [from, to] = [numberOf(before, name), numberOf(now, name)];
  if (from === undefined || to === undefined || to < from) return undefined;
  return ((to - from) * 1_000) / Math.max(1, now.atMs - before.atMs);
}

/**
 * Below which value a part of what was observed between two looks lies; undefined when nothing was.
 * Within a bucket values count as spread evenly.
 *
 * @param part 0 to 1
 */
export function quantileOf(
  before: NodeSample,
  now: NodeSample,
  name: string,
  part: number,
  wanted?: Wanted,
): number | undefined {
  const family = familyOf(now, name);
  if (family?.kind !== MetricKind.Histogram) return undefined;
  const counts = countsSince(histogramOf(before, name, wanted), histogramOf(now, name, wanted));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = total * part;
  for (const [slot, count] of counts.entries()) {
    if (left > count) {
      left -= count;
      continue;
    }
    const from = slot === 0 ? 0 : family.bounds[slot - 1]!;
    const to = family.bounds[slot] ?? from;
    return from + (to - from) * (count === 0 ? 0 : left / count);
  }
  return family.bounds.at(-1);
}

function familyOf({ families }: NodeSample, name: string): MetricFamily | undefined {
  return families.find((family) => family.name === name);
}

function histogramOf(
  sample: NodeSample,
  name: string,
  wanted: Wanted | undefined,
): HistogramSample | undefined {
  const family = familyOf(sample, name);
  if (family?.kind !== MetricKind.Histogram) return undefined;
  if (wanted === undefined) return family.samples[0];
  return family.samples.find(({ labels }) =>
    labels.some(([label, value]) => label === wanted[0] && value === wanted[1]),
  );
}

/** A node that was restarted meanwhile counts from zero. */
function countsSince(
  before: HistogramSample | undefined,
  now: HistogramSample | undefined,
): readonly number[] {
  if (now === undefined) return [];
  const isNew =
    before === undefined || before.counts.some((count, slot) => count > now.counts[slot]!);
  if (isNew) return now.counts;
  return now.counts.map((count, slot) => count - before.counts[slot]!);
}
