/**
 * Transactions and what they come to. Byte tables: docs/PROTOCOL.md 5 and 6.
 *
 * An operation is the body of the request that it is, behind its kind and length. Depth and counts
 * are bounded here, before anything is made for them: a frame of two MiB could hold 200,000
 * operations. That nested lists share TXN_OPS_MAX is for whoever checks requests.
 *
 * Everything read is a view of the frame.
 */

import {
  type Compare,
  CompareResult,
  CompareTarget,
  OpKind,
  TXN_DEPTH_MAX,
  TXN_OPS_MAX,
  TXN_PARTS_MAX,
  type TxnOp,
  type TxnOpResult,
  type TxnRequest,
  type TxnResult,
} from '../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import {
  putDeleteRangeRequest,
  putDeleteRangeResult,
  putPutRequest,
  putPutResult,
  putRangeRequest,
  putRangeResult,
  readDeleteRangeRequest,
  readDeleteRangeResult,
  readPutRequest,
  readPutResult,
  readRangeRequest,
  readRangeResult,
} from './key-value-codec.ts';

/** Bytes of the shortest compare, that of a value: target, result, three lengths. */
const COMPARE_BYTES_MIN = 14;

/** Bytes of the shortest operation, a deletion: kind, length, flag, length of the key. */
const OP_BYTES_MIN = 10;

/** Bytes of the shortest result, that of a put: kind, revision, flag. */
const RESULT_BYTES_MIN = 10;

const TARGET_MAX: number = CompareTarget.Lease;
const RESULT_MAX: number = CompareResult.NotEqual;
const KIND_MAX: number = OpKind.Txn;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** A transaction being read: how many compares and operations it may still have, and how deep. */
type Reading = { readonly body: BodyReader; partsLeft: number; depth: number };

// ---- requests ----

/** Puts the body of a TXN into the open frame. */
export function putTxnRequest(writer: FrameWriter, txn: TxnRequest): void {
  const { compares } = txn;
  writer.u32(compares.length);
  for (let slot = 0; slot < compares.length; slot += 1) putCompare(writer, compares[slot]!);
  putOps(writer, txn.success);
  putOps(writer, txn.failure);
}

/** Reads the body of a TXN. @throws KvorumError FrameMalformed, TooManyOperations */
export function readTxnRequest(body: BodyReader): TxnRequest {
  return readTxn({ body, partsLeft: TXN_PARTS_MAX, depth: 0 });
}

function readTxn(reading: Reading): TxnRequest {
  reading.depth += 1;
  if (reading.depth > TXN_DEPTH_MAX) throw new KvorumError(ErrorCode.TooManyOperations);
  const compares = readCompares(reading);
  const success = readOps(reading);
  const failure = readOps(reading);
  reading.depth -= 1;
  return { compares, success, failure };
}

function putCompare(writer: FrameWriter, compare: Compare): void {
  writer.u8(compare.target);
  writer.u8(compare.result);
  if (compare.target === CompareTarget.Value) writer.sized(compare.value);
  else if (compare.target === CompareTarget.Lease) writer.lease(compare.lease);
  else writer.i64(compare.counter);
  writer.sized(compare.key);
  writer.sized(compare.rangeEnd);
}

function readCompares(reading: Reading): readonly Compare[] {
  const { body } = reading;
  const count = countOf(reading, 'compares', COMPARE_BYTES_MIN);
  const compares: Compare[] = [];
  for (let slot = 0; slot < count; slot += 1) {
    const target = body.choice('compare target', TARGET_MAX) as CompareTarget;
    const result = body.choice('compare result', RESULT_MAX) as CompareResult;
    const isValue = target === CompareTarget.Value;
    const isLease = target === CompareTarget.Lease;
    const value = isValue ? body.sized('value compared') : NO_BYTES;
    const lease = isLease ? body.lease('lease compared') : 0n;
    const counter = isValue || isLease ? 0 : body.i64('counter compared');
    const key = body.sized('key compared');
    const rangeEnd = body.sized('end of range compared');
    compares.push({ key, rangeEnd, result, target, counter, value, lease });
  }
  return compares;
}

function putOps(writer: FrameWriter, ops: readonly TxnOp[]): void {
  writer.u32(ops.length);
  for (let slot = 0; slot < ops.length; slot += 1) {
    const op = ops[slot]!;
    writer.u8(op.kind);
    writer.beginPart();
    if (op.kind === OpKind.Range) putRangeRequest(writer, op.request);
    else if (op.kind === OpKind.Put) putPutRequest(writer, op.request);
    else if (op.kind === OpKind.DeleteRange) putDeleteRangeRequest(writer, op.request);
    else putTxnRequest(writer, op.request);
    writer.endPart();
  }
}

function readOps(reading: Reading): readonly TxnOp[] {
  const { body } = reading;
  const count = countOf(reading, 'operations', OP_BYTES_MIN);
  const ops: TxnOp[] = [];
  for (let slot = 0; slot < count; slot += 1) {
    const kind = body.choice('kind of operation', KIND_MAX) as OpKind;
    const outerEnd = body.enter('operation');
    ops.push(readOp(reading, kind));
    body.leave(outerEnd);
  }
  return ops;
}

function readOp(reading: Reading, kind: OpKind): TxnOp {
  switch (kind) {
    case OpKind.Range:
      return { kind, request: readRangeRequest(reading.body) };
    case OpKind.Put:
      return { kind, request: readPutRequest(reading.body) };
    case OpKind.DeleteRange:
      return { kind, request: readDeleteRangeRequest(reading.body) };
    case OpKind.Txn:
      return { kind, request: readTxn(reading) };
  }
}

/** More than a transaction may have is an error of the request, not of the frame. */
function countOf(reading: Reading, field: string, elementBytes: number): number {
  const count = reading.body.count(field, elementBytes);
  reading.partsLeft -= count;
  if (count <= TXN_OPS_MAX && reading.partsLeft >= 0) return count;
  throw new KvorumError(ErrorCode.TooManyOperations);
}

// ---- results ----

/** Puts what a transaction came to, without its revision. */
export function putTxnResult(writer: FrameWriter, result: Omit<TxnResult, 'revision'>): void {
  writer.flag(result.succeeded);
  writer.u32(result.results.length);
  for (let slot = 0; slot < result.results.length; slot += 1) {
    const op = result.results[slot]!;
    writer.u8(op.kind);
    writer.u64(op.result.revision);
    if (op.kind === OpKind.Range) putRangeResult(writer, op.result);
    else if (op.kind === OpKind.Put) putPutResult(writer, op.result);
    else if (op.kind === OpKind.DeleteRange) putDeleteRangeResult(writer, op.result);
    else putTxnResult(writer, op.result);
  }
}

/** Reads what a transaction came to. @throws KvorumError FrameMalformed */
export function readTxnResult(body: BodyReader, revision: number): TxnResult {
  return readResult(body, revision, 1);
}

function readResult(body: BodyReader, revision: number, depth: number): TxnResult {
  if (depth > TXN_DEPTH_MAX) throw malformed('results', `${depth} within each other`);
  const succeeded = body.flag('succeeded');
  const count = body.count('results', RESULT_BYTES_MIN);
  const results: TxnOpResult[] = [];
  for (let slot = 0; slot < count; slot += 1) results.push(readOpResult(body, depth));
  return { revision, succeeded, results };
}

function readOpResult(body: BodyReader, depth: number): TxnOpResult {
  const kind = body.choice('kind of result', KIND_MAX) as OpKind;
  const revision = body.u64('revision');
  switch (kind) {
    case OpKind.Range:
      return { kind, result: readRangeResult(body, revision) };
    case OpKind.Put:
      return { kind, result: readPutResult(body, revision) };
    case OpKind.DeleteRange:
      return { kind, result: readDeleteRangeResult(body, revision) };
    case OpKind.Txn:
      return { kind, result: readResult(body, revision, depth + 1) };
  }
}
