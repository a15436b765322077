/**
 * Transactions that only read, a turn after the other (steps.ts): the branches are chosen in the
 * first, and all ranges are read as of then.
 */

import {
  OpKind,
  type RangeResult,
  type TxnOpResult,
  type TxnRequest,
  type TxnResult,
} from '../../include/kvstore.ts';
import type { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { PAIR_BYTES } from './pair-list.ts';
import { readRange } from './range.ts';
import type { Pace, Steps } from './steps.ts';
import { type Course, checkRanges, chooseCourse } from './txn.ts';

/** A transaction being read. */
type Run = {
  readonly pace: Pace;
  /** The newest revision when it was asked. */
  readonly revision: number;
  /** What the answer may still grow by. */
  bytesLeft: number;
};

/**
 * Answers a transaction that has only ranges.
 * @param bytesMax most bytes to gather for the answer; beyond, it is refused with ReplyTooLarge
 */
export function* readTxn(
  pace: Pace,
  request: TxnRequest,
  bytesMax: number,
): Steps<TxnResult | ErrorCode> {
  const state = pace.state();
  const course = chooseCourse(state, request);
  const refusal = checkRanges(state, course);
  if (refusal !== 0) return refusal;
  return yield* readCourse({ pace, revision: state.revision, bytesLeft: bytesMax }, course);
}

function* readCourse(run: Run, course: Course): Steps<TxnResult | ErrorCode> {
  const { pace, revision } = run;
  const results: TxnOpResult[] = [];
  let nested = 0;
  for (const op of course.ops) {
    if (op.kind === OpKind.Txn) {
      const result = yield* readCourse(run, course.nested[nested++]!);
      if (typeof result === 'number') return result;
      results.push({ kind: op.kind, result });
      continue;
    }
    assert(op.kind === OpKind.Range, 'a transaction that only reads writes nothing', op.kind);
    const result: RangeResult | ErrorCode = yield* readRange(
      pace,
      op.request,
      run.bytesLeft,
      revision,
    );
    if (typeof result === 'number') return result;
    for (const kv of result.kvs) run.bytesLeft -= kv.key.length + kv.value.length + PAIR_BYTES;
    results.push({ kind: op.kind, result });
  }
  return { revision, succeeded: course.succeeded, results };
}
