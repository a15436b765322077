/** What users say, as it travels. */

import t from 'tap';
import { FROM_KEY, NO_RANGE_END, SortOrder, SortTarget } from '../../include/kvstore.ts';
import {
  deleteRequest,
  getRequest,
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
  t.match(getRequest('a', { revision: 3, serializable: true }), {
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
