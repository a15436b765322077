/** Requests with their defaults, random ones, and answers as text that can be compared. */

import {
  type Compare,
  type CompareResult,
  type CompareTarget,
  type DeleteRangeRequest,
  type KeyValue,
  NO_RANGE_END,
  OpKind,
  type PutRequest,
  type RangeRequest,
  type RangeResult,
  SortOrder,
  SortTarget,
  type TxnOp,
  type TxnRequest,
  type TxnResult,
} from '../../include/kvstore.ts';
import { ERRORS, type ErrorCode } from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';

/** A put of text. */
export function putOf(key: string, value: string, more: Partial<PutRequest> = {}): PutRequest {
  return {
    key: Buffer.from(key, 'latin1'),
    value: Buffer.from(value, 'latin1'),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
    ...more,
  };
}

/** A read of a key, or of the range up to `end`. */
export function rangeOf(key: string, end = '', more: Partial<RangeRequest> = {}): RangeRequest {
  return {
    key: Buffer.from(key, 'latin1'),
    rangeEnd: end === '' ? NO_RANGE_END : Buffer.from(end, 'latin1'),
    limit: 0,
    revision: 0,
    sortOrder: SortOrder.None,
    sortTarget: SortTarget.Key,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    pageBytes: 0,
    uncounted: false,
    ...more,
  };
}

/** A deletion of a key, or of the range up to `end`. */
export function deleteOf(key: string, end = '', prevKv = false): DeleteRangeRequest {
  return {
    key: Buffer.from(key, 'latin1'),
    rangeEnd: end === '' ? NO_RANGE_END : Buffer.from(end, 'latin1'),
    prevKv,
  };
}

/** A put in a transaction. */
export function putOp(key: string, value = 'v', more: Partial<PutRequest> = {}): TxnOp {
  return { kind: OpKind.Put, request: putOf(key, value, more) };
}

/** A read in a transaction. */
export function rangeOp(key: string, end = '', more: Partial<RangeRequest> = {}): TxnOp {
  return { kind: OpKind.Range, request: rangeOf(key, end, more) };
}

/** A deletion in a transaction. */
export function delOp(key: string, end = '', prevKv = false): TxnOp {
  return { kind: OpKind.DeleteRange, request: deleteOf(key, end, prevKv) };
}

/** A transaction in a transaction. */
export function txnOp(
  compares: readonly Compare[] = [],
  success: readonly TxnOp[] = [],
  failure: readonly TxnOp[] = [],
): TxnOp {
  return { kind: OpKind.Txn, request: txnOf(compares, success, failure) };
}

/** A transaction. */
export function txnOf(
  compares: readonly Compare[] = [],
  success: readonly TxnOp[] = [],
  failure: readonly TxnOp[] = [],
): TxnRequest {
  return { compares, success, failure };
}

/** A compare of a key with a number, a text or a lease, as its target has it. */
export function compareOf(
  key: string,
  target: CompareTarget,
  result: CompareResult,
  operand: number | string | bigint,
  end = '',
): Compare {
  return {
    key: Buffer.from(key, 'latin1'),
    rangeEnd: Buffer.from(end, 'latin1'),
    target,
    result,
    counter: typeof operand === 'number' ? operand : 0,
    value: Buffer.from(typeof operand === 'string' ? operand : '', 'latin1'),
    lease: typeof operand === 'bigint' ? operand : 0n,
  };
}

/** A pair as text: key=value create/mod/version. */
export function showPair(kv: KeyValue): string {
  const { createRevision, modRevision, version } = kv;
  const pair = `${kv.key.toString('latin1')}=${kv.value.toString('latin1')}`;
  const lease = kv.lease === 0n ? '' : ` lease=${kv.lease}`;
  return `${pair} ${createRevision}/${modRevision}/${version}${lease}`;
}

/** An answer to a range as text; a refusal by its name. */
export function showRange(result: RangeResult | ErrorCode): string {
  if (typeof result === 'number') return showError(result);
  const pairs = result.kvs.map(showPair).join(', ');
  return `@${result.revision} count=${result.count}${result.more ? ' more' : ''} [${pairs}]`;
}

/** Any answer as text, a refusal by its name. */
export function showAnswer(answer: unknown): string {
  for (const [code, { name }] of ERRORS) if (code === answer) return name;
  return show(answer);
}

function show(value: unknown): string {
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString('latin1'));
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${name}:${show(field)}`).join(' ')}}`;
}

/** The name of a refusal. */
export function showError(code: ErrorCode): string {
  return ERRORS.get(code)?.name ?? `error ${code}`;
}

/**
 * Few keys, so that they are written again and again; some are prefixes, some have all kinds of
 * bytes.
 */
const KEYS = ['a', 'aa', 'ab', 'b', 'b\xff', 'b\xff\xff', 'c', 'c\0', 'd', '\xff', '\0', '\0\0'];

/** Leases that random requests name: few, so that most exist. */
export const LEASES: readonly bigint[] = [1n, 2n, 256n, 0x7fff_ffff_ffff_ffffn, -1n];

/** A random key. */
export function randomKey(random: Random): string {
  return KEYS[random.below(KEYS.length)]!;
}

/** A random end of a range. */
export function randomEnd(random: Random): string {
  const choice = random.below(4);
  return choice === 0 ? '' : choice === 1 ? '\0' : randomKey(random);
}

/** A random put. */
export function randomPut(random: Random): PutRequest {
  const ignoreValue = random.below(12) === 0;
  const ignoreLease = random.below(12) === 0;
  const hasLease = !ignoreLease && random.below(3) === 0;
  const value = ignoreValue ? '' : `v${random.below(5)}`;
  return putOf(randomKey(random), value, {
    ignoreValue,
    ignoreLease,
    lease: hasLease ? LEASES[random.below(LEASES.length)]! : 0n,
    prevKv: random.below(2) === 0,
  });
}

/** A random deletion. */
export function randomDelete(random: Random): DeleteRangeRequest {
  const end = random.below(3) === 0 ? randomEnd(random) : '';
  return deleteOf(randomKey(random), end, random.below(2) === 0);
}

/** A random read, of a revision up to a little above `revision`. */
export function randomRange(random: Random, revision: number): RangeRequest {
  const some = (most: number) => (random.below(6) === 0 ? 1 + random.below(most + 1) : 0);
  const isOld = random.below(2) === 0;
  return rangeOf(random.below(3) === 0 ? '\0' : randomKey(random), randomEnd(random), {
    limit: random.below(2) === 0 ? random.below(6) : 0,
    revision: isOld ? random.below(revision + 3) : 0,
    sortOrder: Object.values(SortOrder)[random.below(3)]!,
    sortTarget: Object.values(SortTarget)[random.below(5)]!,
    keysOnly: random.below(8) === 0,
    countOnly: random.below(8) === 0,
    minModRevision: some(revision),
    maxModRevision: some(revision),
    minCreateRevision: some(revision),
    maxCreateRevision: some(revision),
  });
}

/** A read, at times of a page, or without the count. */
export function randomPage(random: Random, request: RangeRequest): RangeRequest {
  return {
    ...request,
    pageBytes: random.below(3) === 0 ? 1 + random.below(12) : 0,
    uncounted: random.below(3) === 0,
  };
}

/** The answer to a transaction as text, its operations one behind the other. */
export function showTxn(result: TxnResult): string {
  const ops = result.results.map((each) => {
    const pairs = (kvs: readonly KeyValue[]) => `[${kvs.map(showPair).join(', ')}]`;
    switch (each.kind) {
      case OpKind.Range:
        return `range ${each.result.count} ${pairs(each.result.kvs)}`;
      case OpKind.Put:
        return each.result.prevKv === undefined ? 'put' : `put ${showPair(each.result.prevKv)}`;
      case OpKind.DeleteRange:
        return `delete ${each.result.deleted} ${pairs(each.result.prevKvs)}`;
      default:
        return `(${showTxn(each.result)})`;
    }
  });
  return [`@${result.revision} ${result.succeeded ? 'succeeded' : 'failed'}`, ...ops].join('; ');
}
