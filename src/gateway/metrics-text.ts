/** Families as Prometheus reads them: the text format, version 0.0.4. */

import { type MetricFamily, MetricKind, type MetricLabel } from '../../include/metrics.ts';

/** What the text is, as HTTP says it. */
export const METRICS_TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const KIND_NAMES: Readonly<Record<MetricKind, string>> = {
  [MetricKind.Counter]: 'counter',
  [MetricKind.Gauge]: 'gauge',
  [MetricKind.Histogram]: 'histogram',
};

/** Writes families, ascending by name. */
export function metricsText(families: readonly MetricFamily[]): string {
  const sorted = [...families].sort((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map(familyText).join('');
}

function familyText(family: MetricFamily): string {
  const { name, help } = family;
  const lines = [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${KIND_NAMES[family.kind]}`,
  ];
  if (family.kind === MetricKind.Histogram) {
    for (const { labels, counts, sum } of family.samples) {
      let total = 0;
      for (const [slot, count] of counts.entries()) {
        total += count;
        const bound = family.bounds[slot];
        const bucket = [...labels, ['le', bound === undefined ? '+Inf' : String(bound)] as const];
        lines.push(`${name}_bucket${labelsText(bucket)} ${total}`);
      }
      lines.push(`${name}_sum${labelsText(labels)} ${sum}`);
      lines.push(`${name}_count${labelsText(labels)} ${total}`);
    }
  } else {
    for (const { labels, value } of family.samples) {
      lines.push(`${name}${labelsText(labels)} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function labelsText(labels: readonly MetricLabel[]): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
