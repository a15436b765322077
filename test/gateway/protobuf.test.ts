/** The protobuf codecs: against known bytes, against each other, and cut at every byte. */

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import t from 'tap';
import { decode, ProtobufError } from '../../src/gateway/protobuf/decode.ts';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import { fromJson, JsonError, toJson } from '../../src/gateway/protobuf/json.ts';
import {
  Compare,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../src/gateway/schema/kv.ts';
import { HashKVResponse } from '../../src/gateway/schema/maintenance.ts';
import { WatchCreateRequest } from '../../src/gateway/schema/watch.ts';
import { createRandom } from '../../src/random.ts';
import { drawMessage, MESSAGE_TYPES } from './draw-messages.ts';

/** Tags of TxnRequest.success and RequestOp.request_txn. */
const SUCCESS_TAG = 0x12;
const REQUEST_TXN_TAG = 0x22;

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('known messages have known bytes', async (t) => {
  const put = { ...PutRequest.create(), key: Buffer.from('a'), value: Buffer.from('bc') };
  t.equal(encode(PutRequest, put).toString('hex'), '0a0161 12026263'.replaceAll(' ', ''));
  t.equal(
    encode(PutRequest, { ...put, lease: -1n })
      .toString('hex')
      .slice(14),
    `18${'ff'.repeat(9)}01`,
  );
  const range = { ...RangeRequest.create(), limit: 300, revision: -2, serializable: true };
  t.equal(
    encode(RangeRequest, range).toString('hex'),
    `18ac02 20fe${'ff'.repeat(8)}01 3801`.replaceAll(' ', ''),
  );
  const watch = { ...WatchCreateRequest.create(), filters: [0, 1] };
  t.equal(encode(WatchCreateRequest, watch).toString('hex'), '2a020001');
});

t.test('a zero is written where it says that a member of a oneof is there', async (t) => {
  for (const member of [{ lease: 0n }, { version: 0 }, { value: Buffer.alloc(0) }]) {
    const compare = { ...Compare.create(), ...member };
    const bytes = encode(Compare, compare);
    t.equal(bytes.length, 2);
    t.strictSame(decode(Compare, bytes, 0, bytes.length), compare);
    t.strictSame(fromJson(Compare, toJson(Compare, compare)), compare);
  }
});

t.test('what is written is read again, as bytes and as JSON', async (t) => {
  const random = createRandom(7);
  for (const type of MESSAGE_TYPES) {
    for (let round = 0; round < 200; round += 1) {
      const message = drawMessage(type, random);
      const bytes = encode(type, message);
      t.strictSame(decode(type, bytes, 0, bytes.length), message, type.name);
      t.strictSame(fromJson(type, toJson(type, message)), message, `${type.name} as JSON`);
    }
  }
});

t.test('a message that is cut is refused or shorter, at every byte', async (t) => {
  const random = createRandom(3);
  const bytes = encode(TxnRequest, drawMessage(TxnRequest, random) as TxnRequest);
  for (let end = 0; end < bytes.length; end += 1) {
    try {
      decode(TxnRequest, bytes, 0, end);
    } catch (error) {
      t.ok(error instanceof ProtobufError, String(error));
    }
  }
});

t.test('random bytes are refused or read, nothing else', async (t) => {
  const random = createRandom(11);
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)));
    try {
      decode(TxnRequest, bytes, 0, bytes.length);
    } catch (error) {
      if (!(error instanceof ProtobufError)) t.fail(String(error));
    }
  }
});

const refused: readonly (readonly [name: string, bytes: string, why: string])[] = [
  ['a varint of eleven bytes', `18${'ff'.repeat(10)}01`, 'proto: integer overflow'],
  ['a length beyond the end', '0aff01', 'unexpected EOF'],
  ['a negative length', `0a${'ff'.repeat(9)}01`, 'proto: negative length'],
  ['bytes where a number is expected', '180161', 'unexpected EOF'],
  ['a number where bytes are expected', '0801', 'proto: wrong wireType = 0 for field Key'],
  ['a field without a number', '0001', 'illegal tag 0'],
  ['an unknown wire type', '7f', 'illegal wireType 7'],
  ['a group that never ends', '7b', 'unexpected EOF'],
];
for (const [name, bytes, why] of refused) {
  t.test(`${name} is refused`, async (t) => {
    const buffer = hex(bytes);
    t.throws(() => decode(PutRequest, buffer, 0, buffer.length), { message: new RegExp(why) });
  });
}

t.test('messages too deep within each other are refused', async (t) => {
  let bytes: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 60; depth += 1) {
    bytes = sized(SUCCESS_TAG, sized(REQUEST_TXN_TAG, bytes));
  }
  t.throws(() => decode(TxnRequest, bytes, 0, bytes.length), { message: /recursion depth/ });
});

function sized(tag: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes]);
}

t.test('unknown fields are skipped, of every wire type', async (t) => {
  const buffer = hex(
    '0a0161 a00601 a1060102030405060708 a50601020304 a206020a0b a306 0801 a406 120162',
  );
  const put = decode(PutRequest, buffer, 0, buffer.length);
  t.equal(put.key.toString(), 'a');
  t.equal(put.value.toString(), 'b');
});

t.test('of a oneof the last member counts', async (t) => {
  const both = Buffer.concat([
    encode(RequestOp, { ...RequestOp.create(), request_range: RangeRequest.create() }),
    encode(RequestOp, { ...RequestOp.create(), request_put: PutRequest.create() }),
  ]);
  const op = decode(RequestOp, both, 0, both.length);
  t.equal(op.request_range, undefined);
  t.strictSame(op.request_put, PutRequest.create());
});

t.test('numbers beyond what is exact are cut', async (t) => {
  const most = hex('20ffffffffffffffff7f');
  t.equal(decode(RangeRequest, most, 0, most.length).revision, Number.MAX_SAFE_INTEGER);
  const least = hex('2080808080808080808001');
  t.equal(decode(RangeRequest, least, 0, least.length).revision, Number.MIN_SAFE_INTEGER);
  const text = '{"revision":9223372036854775807,"limit":"-9223372036854775808"}';
  const { revision, limit } = fromJson(RangeRequest, text);
  t.equal(revision, Number.MAX_SAFE_INTEGER);
  t.equal(limit, Number.MIN_SAFE_INTEGER);
});

t.test('JSON that is no such message is refused', async (t) => {
  const texts = [
    ...['[', '[]', '1', '"a"', 'true', '{"key":1}', '{"key":"a"}', '{"key":["YQ=="]}'],
    ...['{"limit":1.5}', '{"limit":true}', '{"limit":"9223372036854775808"}', '{"limit":"x"}'],
    ...[
      '{"sort_order":"UP"}',
      '{"sort_order":1.5}',
      '{"serializable":1}',
      '{"serializable":"true"}',
    ],
  ];
  for (const text of texts) t.throws(() => fromJson(RangeRequest, text), JsonError, text);
  t.throws(() => fromJson(TxnRequest, '{"success":{}}'), JsonError);
  t.throws(() => fromJson(HashKVResponse, '{"hash":-1}'), JsonError);
});

t.test('the tables are what proto/ says', async (t) => {
  const script = resolve(import.meta.dirname, '../../scripts/schema.ts');
  const { status, stdout } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  t.equal(status, 0, stdout);
});
