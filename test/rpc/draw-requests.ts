/** For tests: random requests, and what a leader proposes on its own account. */

import {
  type CompactRequest,
  type Compare,
  type CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  type ExpireRequest,
  type LeaseCheckpointRequest,
  type LeaseGrantRequest,
  OpKind,
  type PutRequest,
  type RangeRequest,
  type SessionMark,
  type SortOrder,
  type SortTarget,
  type TxnOp,
  type TxnRequest,
} from '../../include/kvstore.ts';
import {
  type Command,
  FrameType,
  type MemberStep,
  type MemberStepKind,
  type OnceCommand,
  type WatchCreateRequest,
} from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';
import {
  drawBytes,
  drawCounter,
  drawFlag,
  drawLease,
  drawMany,
  drawNodeOrNone,
  drawSigned,
  drawText,
} from './draw.ts';

const NO_BYTES = Buffer.alloc(0);

/** Most transactions within each other that are drawn. */
const DEPTH_MAX = 3;

export function drawPut(random: Random): PutRequest {
  return {
    key: drawBytes(random),
    value: drawBytes(random),
    lease: drawLease(random),
    prevKv: drawFlag(random),
    ignoreValue: drawFlag(random),
    ignoreLease: drawFlag(random),
  };
}

export function drawRange(random: Random): RangeRequest {
  const hasBounds = drawFlag(random);
  const drawBound = (): number => (hasBounds ? drawSigned(random) : 0);
  return {
    key: drawBytes(random),
    rangeEnd: drawBytes(random),
    limit: drawCounter(random),
    revision: drawSigned(random),
    sortOrder: random.below(3) as SortOrder,
    sortTarget: random.below(5) as SortTarget,
    serializable: drawFlag(random),
    keysOnly: drawFlag(random),
    countOnly: drawFlag(random),
    minModRevision: drawBound(),
    maxModRevision: drawBound(),
    minCreateRevision: drawBound(),
    maxCreateRevision: drawBound(),
    pageBytes: drawFlag(random) ? drawCounter(random) : 0,
    uncounted: drawFlag(random),
  };
}

export function drawDeleteRange(random: Random): DeleteRangeRequest {
  return { key: drawBytes(random), rangeEnd: drawBytes(random), prevKv: drawFlag(random) };
}

export function drawCompact(random: Random): CompactRequest {
  return { revision: drawSigned(random), physical: drawFlag(random) };
}

export function drawCompare(random: Random): Compare {
  const target = random.below(5) as CompareTarget;
  const isValue = target === CompareTarget.Value;
  const isLease = target === CompareTarget.Lease;
  return {
    key: drawBytes(random),
    rangeEnd: drawBytes(random),
    result: random.below(4) as CompareResult,
    target,
    counter: isValue || isLease ? 0 : drawSigned(random),
    value: isValue ? drawBytes(random) : NO_BYTES,
    lease: isLease ? drawLease(random) : 0n,
  };
}

export function drawTxn(random: Random, depth = 1): TxnRequest {
  return {
    compares: drawMany(random, drawCompare),
    success: drawMany(random, () => drawOp(random, depth)),
    failure: drawMany(random, () => drawOp(random, depth)),
  };
}

function drawOp(random: Random, depth: number): TxnOp {
  const kind = random.below(depth < DEPTH_MAX ? 4 : 3) as OpKind;
  switch (kind) {
    case OpKind.Range:
      return { kind, request: drawRange(random) };
    case OpKind.Put:
      return { kind, request: drawPut(random) };
    case OpKind.DeleteRange:
      return { kind, request: drawDeleteRange(random) };
    case OpKind.Txn:
      return { kind, request: drawTxn(random, depth + 1) };
  }
}

export const drawGrant = (random: Random): LeaseGrantRequest => ({
  id: drawLease(random),
  ttlSeconds: drawCounter(random),
});

/** A write that a session can have. */
export function drawCommand(random: Random): Command {
  const drawn: readonly Command[] = [
    { type: FrameType.Put, body: drawPut(random) },
    { type: FrameType.DeleteRange, body: drawDeleteRange(random) },
    { type: FrameType.Compact, body: drawCompact(random) },
    { type: FrameType.Txn, body: drawTxn(random) },
    { type: FrameType.LeaseGrant, body: drawGrant(random) },
    { type: FrameType.LeaseRevoke, body: { id: drawLease(random) } },
  ];
  return drawn[random.below(drawn.length)]!;
}

export function drawMark(random: Random): SessionMark {
  const sequence = Math.max(drawCounter(random), 1);
  return { session: drawCounter(random), sequence, acknowledged: drawCounter(random) };
}

export function drawOnce(random: Random): OnceCommand {
  return { type: FrameType.Once, mark: drawMark(random), command: drawCommand(random) };
}

export function drawWatchCreate(random: Random): WatchCreateRequest {
  return {
    watchId: 1 + random.below(0xffff_ffff),
    key: drawBytes(random),
    rangeEnd: drawBytes(random),
    startRevision: drawSigned(random),
    prevKv: drawFlag(random),
    noPut: drawFlag(random),
    noDelete: drawFlag(random),
    progressNotify: drawFlag(random),
  };
}

export function drawExpire(random: Random): ExpireRequest {
  return {
    leases: drawMany(random, () => ({ id: drawLease(random), grantIndex: drawCounter(random) })),
    sessions: drawMany(random, () => ({
      session: drawCounter(random),
      lastIndex: drawCounter(random),
    })),
  };
}

export function drawCheckpoint(random: Random): LeaseCheckpointRequest {
  return {
    checkpoints: drawMany(random, () => ({
      id: drawLease(random),
      remainingSeconds: drawCounter(random),
    })),
  };
}

export const drawStep = (random: Random): MemberStep => ({
  kind: random.below(4) as MemberStepKind,
  id: drawNodeOrNone(random),
  name: drawText(random),
  address: drawText(random),
  port: random.below(0x1_0000),
  clientPort: random.below(0x1_0000),
  isLearner: drawFlag(random),
});
