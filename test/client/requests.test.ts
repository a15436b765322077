/** What users say, as it travels. */

import t from 'tap';
import { FROM_KEY, NO_RANGE_END, SortOrder, SortTarget } from '../../include/kvstore.ts';
import { NODE_ID_MAX } from '../../include/node.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import {
  compactRequest,
  deleteRequest,
  moveRequest,
  prefixEnd,
  putRequest,
  rangeRequest,
} from '../../src/client/requests.ts';

const ends = [
  ['a', 'b'],
  ['/app/', '/app0'],
  ['a\xff', 'b'],
  ['a\xff\xff', 'b'],
  ['\xff', '\x00'],
  ['\xff\xff', '\x00'],
] as const;
for (const [prefix, end] of ends) {
  const start = Buffer.from(prefix, 'latin1');
  t.test(`the prefix ${start.toString('hex')} ends before ${end}`, async (t) => {
    t.strictSame(prefixEnd(start), Buffer.from(end, 'latin1'));
    t.strictSame(start, Buffer.from(prefix, 'latin1'), 'the prefix itself stays');
  });
}

t.test('an empty prefix, or every key from the empty one on, is every key', async (t) => {
  for (const span of [{ prefix: true }, { fromKey: true }]) {
    t.match(rangeRequest('', span), { key: Buffer.from([0]), rangeEnd: FROM_KEY });
    t.match(deleteRequest('', span), { key: Buffer.from([0]), rangeEnd: FROM_KEY });
  }
});

t.test('a key alone is that key', async (t) => {
  t.match(rangeRequest('a', {}), { key: Buffer.from('a'), rangeEnd: NO_RANGE_END });
  t.match(rangeRequest('a', { prefix: false, fromKey: false }), { rangeEnd: NO_RANGE_END });
  t.match(deleteRequest('a', {}), { rangeEnd: NO_RANGE_END, prevKv: false });
  t.match(rangeRequest('a', { revision: 3, serializable: true }), {
    key: Buffer.from('a'),
    rangeEnd: NO_RANGE_END,
    revision: 3,
    serializable: true,
  });
});

t.test('an end that is given wins', async (t) => {
  t.match(rangeRequest('a', { rangeEnd: 'z' }), { rangeEnd: Buffer.from('z') });
  t.match(deleteRequest('a', { rangeEnd: new Uint8Array([1]) }), { rangeEnd: Buffer.from([1]) });
});

t.test('options travel as they are given', async (t) => {
  const options = {
    limit: 3,
    revision: 4,
    sortOrder: SortOrder.Descend,
    sortTarget: SortTarget.Mod,
    serializable: true,
    keysOnly: true,
    countOnly: true,
    minModRevision: 5,
    maxModRevision: 6,
    minCreateRevision: 7,
    maxCreateRevision: 8,
  };
  t.match(rangeRequest('a', options), options);
  const how = { lease: 9n, prevKv: true, ignoreValue: true, ignoreLease: true };
  t.strictSame(putRequest('ä', new Uint8Array([0, 255]), how), {
    key: Buffer.from('ä'),
    value: Buffer.from([0, 255]),
    ...how,
  });
});

t.test('bytes are not copied before they are sent', async (t) => {
  const bytes = new Uint8Array([1, 2, 3]).subarray(1);
  t.equal(putRequest('a', bytes, {}).value.buffer, bytes.buffer);
  t.strictSame([...putRequest('a', bytes, {}).value], [2, 3]);
});

t.test('a number that its field cannot hold is refused before it is sent', async (t) => {
  const refusal = { code: ErrorCode.FrameMalformed };
  for (const wrong of [1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
    t.throws(() => rangeRequest('a', { limit: wrong }), refusal);
    t.throws(() => rangeRequest('a', { revision: wrong }), refusal);
    t.throws(() => rangeRequest('a', { minModRevision: wrong }), refusal);
    t.throws(() => compactRequest(wrong, {}), refusal);
    t.throws(() => moveRequest(wrong), { code: ErrorCode.BadTransferee });
  }
  t.throws(() => putRequest('a', 'b', { lease: 2n ** 63n }), refusal);
  t.throws(() => moveRequest(-1), { code: ErrorCode.BadTransferee });
  t.throws(() => moveRequest(NODE_ID_MAX + 1), { code: ErrorCode.BadTransferee });
  t.strictSame(moveRequest(NODE_ID_MAX), { target: NODE_ID_MAX });
  t.match(putRequest('a', 'b', { lease: 2n ** 63n - 1n }), { lease: 2n ** 63n - 1n });
});

t.test('a wrong number rejects the request, and harms no other', async (t) => {
  const client = connect({ endpoints: ['127.0.0.1:1'] });
  await t.rejects(client.range('a', { limit: 0.5 }), { code: ErrorCode.FrameMalformed });
  await t.rejects(client.status({ endpoint: 'nowhere' }), { code: ErrorCode.BadEndpoint });
  await client.close();
});
