/**
 * Transactions as people write them, into what travels. What is wrong in one is named with its
 * place, `then[2].txn.when[0]`.
 *
 * All shapers throw KvorumError FrameMalformed; what only a node can judge, like the number of
 * operations, is left to it.
 */

import type {
  Bytes,
  CompareOperator,
  Condition,
  Expected,
  Operation,
  SwapReply,
  Transaction,
} from '../../include/client.ts';
import {
  type Compare,
  CompareResult,
  CompareTarget,
  OpKind,
  TXN_DEPTH_MAX,
  type TxnOp,
  type TxnRequest,
} from '../../include/kvstore.ts';
import { ErrorCode, KvorumError, type TxnReply } from '../../include/rpc.ts';
import {
  deleteRequest,
  integer,
  leaseOf,
  putRequest,
  rangeRequest,
  spanOf,
  toBuffer,
} from './requests.ts';

const RESULTS: ReadonlyMap<CompareOperator, CompareResult> = new Map<
  CompareOperator,
  CompareResult
>([
  ['=', CompareResult.Equal],
  ['!=', CompareResult.NotEqual],
  ['<', CompareResult.Less],
  ['>', CompareResult.Greater],
]);

/** What a condition may compare, and what that is on the wire. */
const TARGETS = [
  ['version', CompareTarget.Version],
  ['createRevision', CompareTarget.Create],
  ['modRevision', CompareTarget.Mod],
  ['value', CompareTarget.Value],
  ['lease', CompareTarget.Lease],
] as const;

/** What an operation may be. */
const KINDS = ['put', 'get', 'delete', 'txn'] as const;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Shapes a transaction. */
export function txnRequest(transaction: Transaction): TxnRequest {
  return shapeTxn(transaction, '', 1);
}

/** Shapes a transaction that puts a key if it is as expected, and reads it if not. */
export function swapRequest(key: Bytes, expected: Expected, put: TxnOp): TxnRequest {
  return {
    compares: [shapeCondition(conditionOf(key, expected), 'expected')],
    success: [put],
    failure: [{ kind: OpKind.Range, request: rangeRequest(key, {}) }],
  };
}

/** What a swap came to. */
export function swapReply(reply: TxnReply): SwapReply {
  const [read] = reply.results;
  const current = read?.kind === OpKind.Range ? read.result.kvs[0] : undefined;
  return { succeeded: reply.succeeded, revision: reply.revision, current };
}

/** Whether a transaction changes nothing: reads only. etcd counts a nested one as a write. */
export function isReadTxn(txn: TxnRequest): boolean {
  const isRange = (op: TxnOp): boolean => op.kind === OpKind.Range;
  return txn.success.every(isRange) && txn.failure.every(isRange);
}

function shapeTxn(transaction: Transaction, place: string, depth: number): TxnRequest {
  if (depth > TXN_DEPTH_MAX) {
    const why = `transactions lie within each other at most ${TXN_DEPTH_MAX} deep`;
    throw new KvorumError(ErrorCode.TooManyOperations, `${place.slice(0, 64)}…: ${why}`);
  }
  const { when = [], then: success = [], otherwise = [] } = transaction;
  return {
    compares: when.map((each, at) => shapeCondition(each, `${place}when[${at}]`)),
    success: success.map((each, at) => shapeOperation(each, `${place}then[${at}]`, depth)),
    failure: otherwise.map((each, at) => shapeOperation(each, `${place}otherwise[${at}]`, depth)),
  };
}

function shapeCondition(condition: Condition, place: string): Compare {
  if (condition.key === undefined) throw wrong(place, 'it has no key');
  const given = TARGETS.filter(([name]) => condition[name] !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1) {
    const names = TARGETS.map(([name]) => name).join(', ');
    const found = given.length === 0 ? 'none' : given.map(([name]) => name).join(' and ');
    throw wrong(place, `expected one operand of ${names}; found ${found}`);
  }
  const operator = condition.operator ?? '=';
  const result = RESULTS.get(operator);
  if (result === undefined) {
    throw wrong(place, `operator ${JSON.stringify(operator)} is none of = != < >`);
  }
  const [name, target] = first;
  const isCounter = name !== 'value' && name !== 'lease';
  return {
    ...spanOf(condition.key, condition),
    result,
    target,
    counter: isCounter ? integer(`${place}.${name}`, condition[name]) : 0,
    value: condition.value === undefined ? NO_BYTES : toBuffer(condition.value),
    lease: leaseOf(condition.lease),
  };
}

function shapeOperation(operation: Operation, place: string, depth: number): TxnOp {
  const given = KINDS.filter((kind) => kind in operation);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    throw wrong(place, `expected one of ${KINDS.join(', ')}; found ${found}`);
  }
  if ('put' in operation) {
    const request = putRequest(operation.put, operation.value ?? NO_BYTES, operation);
    return { kind: OpKind.Put, request };
  }
  if ('get' in operation) {
    return { kind: OpKind.Range, request: rangeRequest(operation.get, operation) };
  }
  if ('delete' in operation) {
    return { kind: OpKind.DeleteRange, request: deleteRequest(operation.delete, operation) };
  }
  const request = shapeTxn(operation.txn, `${place}.txn.`, depth + 1);
  return { kind: OpKind.Txn, request };
}

function conditionOf(key: Bytes, expected: Expected): Condition {
  if ('absent' in expected) return { key, createRevision: 0 };
  return { key, ...expected };
}

function wrong(place: string, why: string): KvorumError {
  return new KvorumError(ErrorCode.FrameMalformed, `malformed transaction: ${place}: ${why}`);
}
