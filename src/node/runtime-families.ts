/** What the runtime of this thread measures about itself: memory, garbage collection. */

import { constants, PerformanceObserver } from 'node:perf_hooks';
import { LOOP_SECONDS_BOUNDS, type MetricFamily } from '../../include/metrics.ts';
import { gauge, Histogram, histogram } from '../metrics.ts';

/** The kinds of garbage collection, and what each is called. */
const KINDS: readonly (readonly [kind: number, name: string])[] = [
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
];

/** Node says it in a field that its types leave out. */
function kindOf(entry: object): number | undefined {
  if (!('detail' in entry)) return undefined;
  const { detail } = entry;
  if (typeof detail !== 'object' || detail === null || !('kind' in detail)) return undefined;
  return typeof detail.kind === 'number' ? detail.kind : undefined;
}

/** What measures the runtime of a thread. */
export type RuntimeMeter = {
  /** What was measured so far. */
  readonly families: () => readonly MetricFamily[];
  readonly stop: () => void;
};

/** Begins to measure the runtime of this thread. */
export function measureRuntime(): RuntimeMeter {
  const pauses = new Map(KINDS.map(([kind]) => [kind, new Histogram(LOOP_SECONDS_BOUNDS)]));
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = kindOf(entry);
      if (kind !== undefined) pauses.get(kind)?.observe(entry.duration / 1_000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const families = (): readonly MetricFamily[] => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const kinds: Readonly<Record<string, number>> = { heapUsed, heapTotal, external, arrayBuffers };
    return [
      histogram(
        'kvorum_gc_duration_seconds',
        'Pauses for garbage collection, by its kind.',
        LOOP_SECONDS_BOUNDS,
        KINDS.map(([kind, name]) => pauses.get(kind)!.sample([['kind', name]])),
      ),
      gauge(
        'kvorum_memory_bytes',
        "Memory of the node's thread, by its kind.",
        Object.entries(kinds).map(([kind, value]) => ({ labels: [['kind', kind]], value })),
      ),
    ];
  };
  return { families, stop: () => observer.disconnect() };
}
