import t from 'tap';
import {
  type Compare,
  CompareResult,
  CompareTarget,
  OpKind,
  TXN_DEPTH_MAX,
  TXN_OPS_MAX,
  TXN_PARTS_MAX,
  type TxnOp,
  type TxnRequest,
  type TxnResult,
} from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { decodeReply, writeReply } from '../../src/rpc/reply-codec.ts';
import { decodeRequest, writeRequest } from '../../src/rpc/request-codec.ts';
import { SEGMENT_LARGE_BYTES } from '../../src/rpc/segment-pool.ts';
import { drawHeader } from './draw.ts';
import { drawCompare, drawPut } from './draw-requests.ts';
import { frameOf } from './frames.ts';

const random = createRandom(1);
const EMPTY: TxnRequest = { compares: [], success: [], failure: [] };
const put: TxnOp = { kind: OpKind.Put, request: drawPut(random) };

const encode = (txn: TxnRequest): Buffer =>
  frameOf((writer) => writeRequest(writer, 1, { type: FrameType.Txn, body: txn })).body;

const decode = (body: Buffer): unknown =>
  (decodeRequest(FrameType.Txn, body, 0, body.length) as { body: unknown }).body;

/** So many transactions within each other, in turn in one branch and the other. */
function nested(depth: number): TxnRequest {
  let txn = EMPTY;
  for (let level = 1; level < depth; level += 1) {
    const op: TxnOp = { kind: OpKind.Txn, request: txn };
    txn = level % 2 === 0 ? { ...EMPTY, success: [op] } : { ...EMPTY, failure: [op] };
  }
  return txn;
}

function nestedResult(depth: number): TxnResult {
  let result: TxnResult = { revision: 0, succeeded: true, results: [] };
  for (let level = 1; level < depth; level += 1) {
    result = { ...result, results: [{ kind: OpKind.Txn, result }] };
  }
  return result;
}

for (const over of [-1, 0, 1]) {
  t.test(`transactions within each other, limit ${over}`, async (t) => {
    const txn = nested(TXN_DEPTH_MAX + over);
    if (over <= 0) t.strictSame(decode(encode(txn)), txn);
    else t.throws(() => decode(encode(txn)), { code: ErrorCode.TooManyOperations });
  });

  t.test(`results within each other, limit ${over}`, async (t) => {
    const head = drawHeader(random);
    const reply = { ...nestedResult(TXN_DEPTH_MAX + over), ...head };
    const { body } = frameOf((writer) =>
      writeReply(writer, 1, { type: FrameType.Txn, body: reply }),
    );
    const read = (): unknown => decodeReply(FrameType.Txn, body, 0, body.length).body;
    if (over <= 0) t.strictSame(read(), reply);
    else t.throws(read, { code: ErrorCode.FrameMalformed });
  });

  t.test(`elements of each list, limit ${over}`, async (t) => {
    const length = TXN_OPS_MAX + over;
    const compares = Array.from({ length }, () => drawCompare(random));
    const ops = Array.from({ length }, () => put);
    for (const txn of [
      { ...EMPTY, compares },
      { ...EMPTY, success: ops },
      { ...EMPTY, failure: ops },
      { ...EMPTY, success: [{ kind: OpKind.Txn, request: { ...EMPTY, failure: ops } }] },
    ]) {
      if (over <= 0) t.strictSame(decode(encode(txn)), txn);
      else t.throws(() => decode(encode(txn)), { code: ErrorCode.TooManyOperations });
    }
  });
}

/** A transaction with so many compares and operations in all, nested ones included. */
function scattered(partCount: number): TxnRequest {
  const success: TxnOp[] = [];
  let left = partCount;
  while (left > 0) {
    const length = Math.min(TXN_OPS_MAX, left - 1);
    success.push({ kind: OpKind.Txn, request: { ...EMPTY, failure: Array(length).fill(put) } });
    left -= length + 1;
  }
  return { ...EMPTY, success };
}

for (const over of [-1, 0, 1]) {
  t.test(`compares and operations in all, limit ${over}`, async (t) => {
    const txn = scattered(TXN_PARTS_MAX + over);
    if (over <= 0) t.strictSame(decode(encode(txn)), txn);
    else t.throws(() => decode(encode(txn)), { code: ErrorCode.TooManyOperations });
  });
}

t.test('more elements than the body could hold are a malformed frame', async (t) => {
  for (const offset of [0, 4, 8]) {
    const body = encode(EMPTY);
    body.writeUInt32BE(1, offset);
    t.throws(() => decode(body), { code: ErrorCode.FrameMalformed });
  }
});

t.test('an operation has exactly the bytes it announces', async (t) => {
  const body = encode({ ...EMPTY, success: [{ kind: OpKind.Txn, request: EMPTY }] });
  const lengthOffset = 9;
  t.equal(body.readUInt32BE(lengthOffset), 12);
  for (const length of [0, 11, 13, 100, 0xffff_ffff]) {
    const wrong = Buffer.from(body);
    wrong.writeUInt32BE(length, lengthOffset);
    t.throws(() => decode(wrong), { code: ErrorCode.FrameMalformed }, `${length} bytes`);
  }
});

t.test('an operation does not read into the one behind it', async (t) => {
  const value = Buffer.from('first');
  const first: TxnOp = { kind: OpKind.Put, request: { ...put.request, value } };
  const txn = { ...EMPTY, success: [first, put], failure: [put] };
  t.strictSame(decode(encode(txn)), txn);
});

t.test('operations larger than a segment arrive whole', async (t) => {
  const value = Buffer.alloc(3 * SEGMENT_LARGE_BYTES, 7);
  const large: TxnOp = { kind: OpKind.Put, request: { ...put.request, value } };
  const inner = { ...EMPTY, success: [large, put] };
  const txn: TxnRequest = { ...EMPTY, failure: [large, { kind: OpKind.Txn, request: inner }] };
  t.strictSame(decode(encode(txn)), txn);
});

t.test('unknown targets, results and kinds are refused', async (t) => {
  const compare: Compare = {
    key: Buffer.from('a'),
    rangeEnd: Buffer.alloc(0),
    result: CompareResult.Equal,
    target: CompareTarget.Version,
    counter: 1,
    value: Buffer.alloc(0),
    lease: 0n,
  };
  const wrong = [
    encode({ ...EMPTY, compares: [{ ...compare, target: 5 as CompareTarget }] }),
    encode({ ...EMPTY, compares: [{ ...compare, result: 4 as CompareResult }] }),
    encode({ ...EMPTY, success: [put] }),
  ];
  wrong[2]![8] = 4; // its kind
  for (const body of wrong) t.throws(() => decode(body), { code: ErrorCode.FrameMalformed });
});

t.test('a counter compared is a safe integer of either sign', async (t) => {
  const compare = { ...drawCompare(random), target: CompareTarget.Mod };
  const value = Buffer.alloc(0);
  for (const counter of [0, 1, -1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, 1 - 2 ** 53]) {
    const compares = [{ ...compare, value, lease: 0n, counter }];
    const read = decode(encode({ ...EMPTY, compares })) as TxnRequest;
    t.equal(read.compares[0]?.counter, counter);
  }
  const body = encode({ ...EMPTY, compares: [{ ...compare, value, lease: 0n, counter: 0 }] });
  for (const counter of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    body.writeBigInt64BE(counter, 6);
    t.throws(() => decode(body), { code: ErrorCode.FrameMalformed }, `${counter}`);
  }
});
