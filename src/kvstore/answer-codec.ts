/**
 * Answers of writes as sessions remember them, in memory and on disk:
 *
 *   0 | error code u32                                          refusal
 *   1 | revision u64                                            compaction, end of a lease
 *   2 | revision u64 | 0, or 1 and a pair                       put
 *   3 | revision u64 | deleted u64 | pairs                      deletion
 *   4 | revision u64 | lease i64 | seconds u64                  grant
 *   5 | revision u64 | succeeded u8 | count u32 | answers       transaction
 *   6 | revision u64 | more u8 | count u64 | pairs              range of a transaction
 *   7 | revision u64 | 12 bytes for what it comes to            deletion under way
 *
 *   pairs   count u32, each: create, mod, version u64 | lease i64 | key length, value length u32
 *           | key | value
 */

import {
  OpKind,
  SESSION_ANSWER_BYTES_MAX,
  type TxnOpResult,
  type TxnResult,
  type WriteResult,
} from '../../include/kvstore.ts';
import { ERRORS, type ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { AnswerReader, AnswerWriter } from './answer-bytes.ts';

/** What a write came to. */
export type Answer = WriteResult | ErrorCode;

const AnswerKind = {
  Refusal: 0,
  Revision: 1,
  Put: 2,
  DeleteRange: 3,
  LeaseGrant: 4,
  Txn: 5,
  Range: 6,
  UnderWay: 7,
} as const;

const writer = new AnswerWriter(SESSION_ANSWER_BYTES_MAX);

/** The bytes of an answer; undefined when it takes more than SESSION_ANSWER_BYTES_MAX. */
export function encodeAnswer(answer: Answer): Buffer | undefined {
  writer.clear();
  writeAnswer(answer);
  return writer.isFull ? undefined : writer.copy();
}

/** The answer that bytes stand for. They must not change: keys and values are views of them. */
export function decodeAnswer(bytes: Buffer): Answer {
  const reader = new AnswerReader(bytes);
  const kind = reader.byte();
  if (kind === AnswerKind.Refusal) return readRefusal(reader);
  const revision = reader.counter();
  switch (kind) {
    case AnswerKind.Revision:
      return { revision };
    case AnswerKind.Put:
      return { revision, prevKv: reader.byte() === 1 ? reader.pair() : undefined };
    case AnswerKind.DeleteRange:
      return { revision, deleted: reader.counter(), prevKvs: reader.pairs() };
    case AnswerKind.UnderWay:
      return { revision, isUnderWay: true };
    case AnswerKind.LeaseGrant:
      return { revision, id: reader.lease(), ttlSeconds: reader.counter() };
    default:
      assert(kind === AnswerKind.Txn, 'an answer remembered is of a known kind', kind);
      return readTxn(reader, revision);
  }
}

function writeAnswer(answer: Answer): void {
  if (typeof answer === 'number') {
    writer.byte(AnswerKind.Refusal);
    writer.word(answer);
  } else if ('prevKv' in answer) {
    writeHead(AnswerKind.Put, answer.revision);
    writer.byte(answer.prevKv === undefined ? 0 : 1);
    if (answer.prevKv !== undefined) writer.pair(answer.prevKv);
  } else if ('deleted' in answer) {
    writeHead(AnswerKind.DeleteRange, answer.revision);
    writer.counter(answer.deleted);
    writer.pairs(answer.prevKvs);
  } else if ('succeeded' in answer) {
    writeTxn(answer);
  } else if ('isUnderWay' in answer) {
    writeHead(AnswerKind.UnderWay, answer.revision);
    writer.counter(0);
    writer.word(0);
  } else if ('id' in answer) {
    writeHead(AnswerKind.LeaseGrant, answer.revision);
    writer.lease(answer.id);
    writer.counter(answer.ttlSeconds);
  } else {
    const hasSession = !('session' in answer || 'alarms' in answer);
    assert(hasSession, 'what travels without a session is not remembered by one');
    writeHead(AnswerKind.Revision, answer.revision);
  }
}

function writeHead(kind: number, revision: number): void {
  writer.byte(kind);
  writer.counter(revision);
}

function writeTxn(answer: TxnResult): void {
  writeHead(AnswerKind.Txn, answer.revision);
  writer.byte(answer.succeeded ? 1 : 0);
  writer.word(answer.results.length);
  for (const each of answer.results) {
    if (each.kind === OpKind.Range) {
      writeHead(AnswerKind.Range, each.result.revision);
      writer.byte(each.result.more ? 1 : 0);
      writer.counter(each.result.count);
      writer.pairs(each.result.kvs);
    } else {
      writeAnswer(each.result);
    }
  }
}

function readTxn(reader: AnswerReader, revision: number): TxnResult {
  const succeeded = reader.byte() === 1;
  const results = Array.from({ length: reader.word() }, () => readOpResult(reader));
  return { revision, succeeded, results };
}

function readOpResult(reader: AnswerReader): TxnOpResult {
  const kind = reader.byte();
  const revision = reader.counter();
  switch (kind) {
    case AnswerKind.Range: {
      const more = reader.byte() === 1;
      const count = reader.counter();
      return { kind: OpKind.Range, result: { revision, kvs: reader.pairs(), more, count } };
    }
    case AnswerKind.Put: {
      const prevKv = reader.byte() === 1 ? reader.pair() : undefined;
      return { kind: OpKind.Put, result: { revision, prevKv } };
    }
    case AnswerKind.DeleteRange: {
      const deleted = reader.counter();
      return { kind: OpKind.DeleteRange, result: { revision, deleted, prevKvs: reader.pairs() } };
    }
    default:
      assert(kind === AnswerKind.Txn, 'an operation remembered is of a known kind', kind);
      return { kind: OpKind.Txn, result: readTxn(reader, revision) };
  }
}

function readRefusal(reader: AnswerReader): ErrorCode {
  const number = reader.word();
  for (const code of ERRORS.keys()) if (code === number) return code;
  assert(false, 'a refusal remembered is a known one', number);
}
