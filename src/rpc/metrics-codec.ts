/** What a node measures about itself: the answer to METRICS. Byte table: docs/PROTOCOL.md 6. */

import {
  type HistogramSample,
  METRIC_BOUNDS_MAX,
  METRIC_FAMILIES_MAX,
  METRIC_LABELS_MAX,
  type MetricFamily,
  MetricKind,
  type MetricLabel,
  type MetricSample,
} from '../../include/metrics.ts';
import type { MetricsReply, ReplyHeader } from '../../include/rpc.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const KIND_MAX = 2;

/** Bytes of a family without samples: kind, two texts, how many samples. */
const FAMILY_BYTES_MIN = 9;

/** Bytes of a sample without labels: how many labels, the number. */
const SAMPLE_BYTES_MIN = 9;

/** Puts the families into the open frame, behind its header. */
export function putMetricsReply(writer: FrameWriter, { families }: MetricsReply): void {
  writer.u32(families.length);
  for (const family of families) putFamily(writer, family);
}

/** Reads what `putMetricsReply` puts. @throws KvorumError FrameMalformed */
export function readMetricsReply(body: BodyReader, header: ReplyHeader): MetricsReply {
  const count = body.count('families', FAMILY_BYTES_MIN);
  atMost('families', count, METRIC_FAMILIES_MAX);
  return { ...header, families: readMany(count, () => readFamily(body)) };
}

function putFamily(writer: FrameWriter, family: MetricFamily): void {
  writer.u8(family.kind);
  writer.text(family.name);
  writer.text(family.help);
  if (family.kind === MetricKind.Histogram) {
    writer.u8(family.bounds.length);
    for (const bound of family.bounds) writer.f64(bound);
  }
  writer.u32(family.samples.length);
  for (const sample of family.samples) {
    writer.u8(sample.labels.length);
    for (const [name, value] of sample.labels) {
      writer.text(name);
      writer.text(value);
    }
    if ('value' in sample) {
      writer.f64(sample.value);
    } else {
      writer.f64(sample.sum);
      for (const count of sample.counts) writer.u64(count);
    }
  }
}

function readFamily(body: BodyReader): MetricFamily {
  const kind = body.choice('kind', KIND_MAX) as MetricKind;
  const name = body.text('name');
  const help = body.text('help');
  if (kind === MetricKind.Histogram) {
    const bounds = readBounds(body);
    const count = body.count('samples', SAMPLE_BYTES_MIN);
    const samples = readMany(count, () => readHistogram(body, bounds.length + 1));
    return { kind, name, help, bounds, samples };
  }
  const count = body.count('samples', SAMPLE_BYTES_MIN);
  return { kind, name, help, samples: readMany(count, () => readSample(body)) };
}

function readBounds(body: BodyReader): readonly number[] {
  const count = body.u8('bounds');
  atMost('bounds', count, METRIC_BOUNDS_MAX);
  return readMany(count, () => body.f64('bound'));
}

function readSample(body: BodyReader): MetricSample {
  const labels = readLabels(body);
  return { labels, value: body.f64('value') };
}

function readHistogram(body: BodyReader, bucketCount: number): HistogramSample {
  const labels = readLabels(body);
  const sum = body.f64('sum');
  return { labels, counts: readMany(bucketCount, () => body.u64('bucket')), sum };
}

function readLabels(body: BodyReader): readonly MetricLabel[] {
  const count = body.u8('labels');
  atMost('labels', count, METRIC_LABELS_MAX);
  return readMany(count, () => [body.text('label'), body.text('label value')] as const);
}

function readMany<T>(count: number, read: () => T): T[] {
  const values: T[] = [];
  for (let slot = 0; slot < count; slot += 1) values.push(read());
  return values;
}

function atMost(field: string, count: number, countMax: number): void {
  if (count > countMax) throw malformed(field, `${count} exceeds ${countMax}`);
}
