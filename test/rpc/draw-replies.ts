/** For tests: random answers, and what a node tells its watches. */

import {
  type Alarm,
  type AlarmKind,
  type DeleteRangeResult,
  type EventKind,
  type HashResult,
  OpKind,
  type PutResult,
  type RangeResult,
  type TxnOpResult,
  type TxnResult,
  type WatchBatch,
  type WatchEvent,
} from '../../include/kvstore.ts';
import type { HistogramSample, MetricFamily, MetricLabel } from '../../include/metrics.ts';
import type { Role } from '../../include/node.ts';
import {
  type AlarmsReply,
  type DeleteRangeReply,
  ERRORS,
  type HashKvReply,
  type LeaseListReply,
  type LeaseTimeToLiveReply,
  type MetricsReply,
  type PutReply,
  type RangeReply,
  type SnapshotSaveReply,
  type SnapshotTotals,
  type StatusReply,
  type TxnReply,
  type WatchCancellation,
} from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';
import {
  drawBytes,
  drawCounter,
  drawFlag,
  drawHeader,
  drawId64,
  drawLease,
  drawMany,
  drawNode,
  drawNodeOrNone,
  drawPair,
  drawPairs,
  drawPeer,
  drawSigned,
  drawText,
} from './draw.ts';

/** Most results within each other that are drawn. */
const DEPTH_MAX = 3;

const drawPutResult = (random: Random): PutResult => ({
  revision: drawCounter(random),
  prevKv: drawFlag(random) ? drawPair(random) : undefined,
});

const drawRangeResult = (random: Random): RangeResult => ({
  revision: drawCounter(random),
  kvs: drawPairs(random),
  more: drawFlag(random),
  count: drawCounter(random),
});

const drawDeleteRangeResult = (random: Random): DeleteRangeResult => ({
  revision: drawCounter(random),
  deleted: drawCounter(random),
  prevKvs: drawPairs(random),
});

const drawTxnResult = (random: Random, depth: number): TxnResult => ({
  revision: drawCounter(random),
  succeeded: drawFlag(random),
  results: drawMany(random, () => drawOpResult(random, depth)),
});

function drawOpResult(random: Random, depth: number): TxnOpResult {
  const kind = random.below(depth < DEPTH_MAX ? 4 : 3) as OpKind;
  switch (kind) {
    case OpKind.Range:
      return { kind, result: drawRangeResult(random) };
    case OpKind.Put:
      return { kind, result: drawPutResult(random) };
    case OpKind.DeleteRange:
      return { kind, result: drawDeleteRangeResult(random) };
    case OpKind.Txn:
      return { kind, result: drawTxnResult(random, depth + 1) };
  }
}

export const drawPutReply = (random: Random): PutReply => ({
  ...drawHeader(random),
  ...drawPutResult(random),
});

export const drawRangeReply = (random: Random): RangeReply => ({
  ...drawHeader(random),
  ...drawRangeResult(random),
});

export const drawDeleteRangeReply = (random: Random): DeleteRangeReply => ({
  ...drawHeader(random),
  ...drawDeleteRangeResult(random),
});

export const drawTxnReply = (random: Random): TxnReply => ({
  ...drawHeader(random),
  ...drawTxnResult(random, 1),
});

export const drawTimeToLiveReply = (random: Random): LeaseTimeToLiveReply => ({
  ...drawHeader(random),
  id: drawLease(random),
  ttlSeconds: drawSigned(random),
  grantedTtlSeconds: drawCounter(random),
  keys: drawMany(random, drawBytes),
});

export const drawLeaseListReply = (random: Random): LeaseListReply => ({
  ...drawHeader(random),
  ids: drawMany(random, drawLease),
});

export const drawAlarm = (random: Random): Alarm => ({
  nodeId: drawNode(random),
  kind: (1 + random.below(2)) as AlarmKind,
});

export const drawAlarmsReply = (random: Random): AlarmsReply => ({
  ...drawHeader(random),
  alarms: drawMany(random, drawAlarm),
});

export const drawHash = (random: Random): HashResult => ({
  revision: drawCounter(random),
  compactRevision: drawFlag(random) ? -1 : drawCounter(random),
  hash: random.below(0x1_0000_0000),
});

export const drawHashKvReply = (random: Random): HashKvReply => {
  const { revision: hashRevision, compactRevision, hash } = drawHash(random);
  return { ...drawHeader(random), hashRevision, compactRevision, hash };
};

export const drawStatusReply = (random: Random): StatusReply => ({
  clusterId: drawId64(random),
  nodeId: drawNode(random),
  version: drawText(random),
  protocolVersion: random.below(0x1_0000),
  clusterVersion: random.below(0x1_0000),
  role: random.below(4) as Role,
  isLearner: drawFlag(random),
  leader: drawNodeOrNone(random),
  term: drawCounter(random),
  lastIndex: drawCounter(random),
  commitIndex: drawCounter(random),
  appliedIndex: drawCounter(random),
  revision: drawCounter(random),
  compactRevision: drawCounter(random),
  dbSizeBytes: drawCounter(random),
  dbSizeInUseBytes: drawCounter(random),
  quotaBytes: drawCounter(random),
  alarms: drawMany(random, drawAlarm),
  peers: drawMany(random, drawPeer),
});

const drawLabels = (random: Random): MetricLabel[] =>
  drawMany(random, () => [drawText(random), drawText(random)]);

function drawFamily(random: Random): MetricFamily {
  const named = { name: drawText(random), help: drawText(random) };
  if (drawFlag(random)) {
    const bounds = drawMany(random, () => random.below(1_000) / 64);
    const drawHistogram = (): HistogramSample => ({
      labels: drawLabels(random),
      counts: [...bounds.map(() => drawCounter(random)), drawCounter(random)],
      sum: random.below(1_000) / 64,
    });
    return { kind: 2, ...named, bounds, samples: drawMany(random, drawHistogram) };
  }
  const kind = drawFlag(random) ? 0 : 1;
  const drawSample = () => ({ labels: drawLabels(random), value: random.below(1_000) / 64 });
  return { kind, ...named, samples: drawMany(random, drawSample) };
}

export const drawMetricsReply = (random: Random): MetricsReply => ({
  ...drawHeader(random),
  families: drawMany(random, () => drawFamily(random)),
});

const drawEvent = (random: Random): WatchEvent => ({
  kind: random.below(2) as EventKind,
  kv: drawPair(random),
  prevKv: drawFlag(random) ? drawPair(random) : undefined,
});

export const drawBatch = (random: Random): WatchBatch => ({
  revision: drawCounter(random),
  events: drawMany(random, drawEvent),
  isFragment: drawFlag(random),
});

export function drawCancellation(random: Random): WatchCancellation {
  const codes = [...ERRORS.keys()];
  return { code: codes[random.below(codes.length)]!, compactRevision: drawCounter(random) };
}

/** The totals of a snapshot stream. */
export function drawTotals(random: Random): SnapshotTotals {
  return { bytes: drawCounter(random), crc32: random.below(0x1_0000_0000) };
}

export function drawSnapshotSaveReply(random: Random): SnapshotSaveReply {
  return { ...drawHeader(random), ...drawTotals(random) };
}
