/**
 * Transactions, with etcd's semantics (TxnRequest in include/kvstore.ts).
 *
 * First all compares, nested ones too, are tried on the state as it is, which settles the branch
 * taken at each level: the course. Then what the course asks of the state is checked, and only then
 * does it run. So it is applied whole or not at all.
 */

import {
  type DeleteRangeResult,
  FROM_KEY,
  OpKind,
  type PutRequest,
  type PutResult,
  type RangeRequest,
  type RangeResult,
  Table,
  TXN_ANSWER_BYTES_MAX,
  type TxnOp,
  type TxnOpResult,
  type TxnRequest,
  type TxnResult,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { holds } from './compare.ts';
import { hasLease } from './lease-table.ts';
import { PAIR_BYTES } from './pair-list.ts';
import { range } from './range.ts';
import type { StoreState } from './store-state.ts';
import {
  beginWrite,
  deleteRange,
  finishWrite,
  put,
  type WriteTransaction,
} from './write-transaction.ts';

/** The operations of the branches taken. */
export type Course = {
  readonly succeeded: boolean;
  readonly ops: readonly TxnOp[];
  /** The courses of its nested transactions, in their order. */
  readonly nested: readonly Course[];
};

/** A course under way. */
type Run = {
  readonly write: WriteTransaction;
  /** What the answer may still grow by; negative once it is too large, and not gathered further. */
  bytesLeft: number;
};

/** Applies a transaction that passed checkRequest. */
export function txn(state: StoreState, request: TxnRequest): TxnResult | ErrorCode {
  state.hasOpenEffects = true;
  const course = chooseCourse(state, request);
  const refusal = checkPuts(state, course) || checkRanges(state, course);
  if (refusal !== 0) return refusal;
  const run: Run = { write: beginWrite(state), bytesLeft: TXN_ANSWER_BYTES_MAX };
  const result = runCourse(run, course);
  finishWrite(run.write);
  return run.bytesLeft < 0 ? ErrorCode.AnswerForgotten : result;
}

/** Tries the compares on the state as it is: the course of a transaction. */
export function chooseCourse(state: StoreState, request: TxnRequest): Course {
  const succeeded = request.compares.every((compare) => holds(state, compare));
  const ops = succeeded ? request.success : request.failure;
  const nested: Course[] = [];
  for (const op of ops) {
    if (op.kind === OpKind.Txn) nested.push(chooseCourse(state, op.request));
  }
  return { succeeded, ops, nested };
}

/**
 * Why the puts of a course are refused, or 0. Checked before the ranges, as etcd does.
 *
 * A put may come after a deletion of its key only if that one goes from a key on
 * (duplicate-keys.ts); then there is nothing to keep of it. (etcd 3.4 dies of such a put.)
 */
function checkPuts(state: StoreState, course: Course): ErrorCode | 0 {
  let deletedFrom: Buffer | undefined;
  return checkOps(course, (op) => {
    if (op.kind === OpKind.Put) return checkPut(state, op.request, deletedFrom);
    if (op.kind !== OpKind.DeleteRange || !op.request.rangeEnd.equals(FROM_KEY)) return 0;
    const { key } = op.request;
    if (deletedFrom === undefined || key.compare(deletedFrom) < 0) deletedFrom = key;
    return 0;
  });
}

/** @param deletedFrom from where on all keys were deleted before it */
function checkPut(
  state: StoreState,
  request: PutRequest,
  deletedFrom: Buffer | undefined,
): ErrorCode | 0 {
  if (request.ignoreValue || request.ignoreLease) {
    const isDeleted = deletedFrom !== undefined && request.key.compare(deletedFrom) >= 0;
    const isThere = !isDeleted && state.map.get(Table.Keys, request.key) !== undefined;
    if (!isThere) return ErrorCode.KeyNotFound;
  }
  return request.lease !== 0n && !hasLease(state, request.lease) ? ErrorCode.LeaseNotFound : 0;
}

/** Why the ranges of a course are refused, or 0. */
export function checkRanges(state: StoreState, course: Course): ErrorCode | 0 {
  return checkOps(course, (op) => (op.kind === OpKind.Range ? checkRange(state, op.request) : 0));
}

/** As in etcd a negative revision is not the newest here, though it is outside of transactions. */
function checkRange(state: StoreState, { revision }: RangeRequest): ErrorCode | 0 {
  if (revision === 0) return 0;
  if (revision > state.revision) return ErrorCode.FutureRevision;
  return revision < state.compactRevision ? ErrorCode.Compacted : 0;
}

/** The first refusal that a check finds, operations in order, nested ones in their place. */
function checkOps(course: Course, check: (op: TxnOp) => ErrorCode | 0): ErrorCode | 0 {
  let nested = 0;
  for (const op of course.ops) {
    const refusal = op.kind === OpKind.Txn ? checkOps(course.nested[nested++]!, check) : check(op);
    if (refusal !== 0) return refusal;
  }
  return 0;
}

function runCourse(run: Run, course: Course): TxnResult {
  const results: TxnOpResult[] = [];
  let nested = 0;
  for (const op of course.ops) {
    switch (op.kind) {
      case OpKind.Range: {
        const result = runRange(run, op.request);
        if (result !== undefined) results.push({ kind: op.kind, result });
        break;
      }
      case OpKind.Put:
        results.push({ kind: op.kind, result: runPut(run, op.request) });
        break;
      case OpKind.DeleteRange: {
        const { deleted, prevKvs } = deleteRange(run.write, op.request);
        const result: DeleteRangeResult = { revision: revisionAsOf(run), deleted, prevKvs };
        for (const kv of prevKvs) run.bytesLeft -= kv.key.length + kv.value.length + PAIR_BYTES;
        results.push({ kind: op.kind, result });
        break;
      }
      case OpKind.Txn:
        results.push({ kind: op.kind, result: runCourse(run, course.nested[nested++]!) });
        break;
    }
  }
  return { revision: revisionAsOf(run), succeeded: course.succeeded, results };
}

/** The revision that an operation that just ran shows: that of the transaction once it wrote. */
function revisionAsOf({ write }: Run): number {
  return write.sub > 0 ? write.main : write.state.revision;
}

/** Undefined when the answer is too large. */
function runRange(run: Run, request: RangeRequest): RangeResult | undefined {
  if (run.bytesLeft < 0) return undefined;
  const result = range(run.write.state, request, run.bytesLeft);
  if (typeof result === 'number') {
    assert(result === ErrorCode.ReplyTooLarge, 'a range of a course was checked', result);
    run.bytesLeft = -1;
    return undefined;
  }
  for (const kv of result.kvs) run.bytesLeft -= kv.key.length + kv.value.length + PAIR_BYTES;
  return { ...result, revision: revisionAsOf(run) };
}

function runPut(run: Run, request: PutRequest): PutResult {
  const done = put(run.write, request);
  assert(typeof done !== 'number', 'a put of a course was checked', done);
  const { prevKv } = done;
  if (prevKv !== undefined) run.bytesLeft -= prevKv.key.length + prevKv.value.length + PAIR_BYTES;
  return { revision: revisionAsOf(run), prevKv };
}
