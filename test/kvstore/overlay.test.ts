/** The write buffer: what it costs to find a revision among many, and when it is full. */

import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { encodeRevisionKey } from '../../src/kvstore/key-record.ts';
import { Overlay } from '../../src/kvstore/overlay.ts';

t.test('a revision that changes many keys is written at the same cost a key', (t) => {
  const overlay = new Overlay();
  const table = overlay.tables[Table.Revisions]!;
  let looks = 0;
  const keyOf = (main: number, sub: number): Buffer => {
    const key = encodeRevisionKey(main, sub);
    const { equals, readUInt32BE } = key;
    return Object.assign(key, {
      equals: (other: Uint8Array) => {
        looks += 1;
        return equals.call(key, other);
      },
      readUInt32BE: (offset?: number) => {
        looks += 1;
        return readUInt32BE.call(key, offset);
      },
    });
  };
  const changes = 4_000;
  const value = Buffer.from('v');
  overlay.write(Table.Revisions, keyOf(1, 0), value);
  for (let sub = 0; sub < changes; sub += 1) overlay.write(Table.Revisions, keyOf(2, sub), value);
  overlay.write(Table.Revisions, keyOf(3, 5), value);
  t.ok(looks < changes * 50, `${looks} looks for ${changes} keys`);
  for (let sub = 0; sub < changes; sub += 1) {
    if (table.find(keyOf(2, sub))?.key.readUInt32BE(8) !== sub) t.fail(`sub ${sub} is not found`);
  }
  t.equal(table.find(keyOf(2, changes)), undefined);
  t.equal(table.find(keyOf(3, 0)), undefined);
  t.equal(table.find(keyOf(3, 6)), undefined);
  t.not(table.find(keyOf(3, 5)), undefined);
  t.equal(table.count, changes + 2);
  t.end();
});

t.test('many small pairs fill it as their number does, large ones as their bytes', (t) => {
  const small = new Overlay();
  const large = new Overlay();
  for (let main = 1; main <= 1_000; main += 1) {
    small.write(Table.Revisions, encodeRevisionKey(main, 0), undefined);
    small.write(Table.Keys, Buffer.from('the same key'), undefined);
    large.write(Table.Revisions, encodeRevisionKey(main, 0), Buffer.alloc(1_000));
  }
  t.equal(small.sizeBytes, 1_001 * 256);
  t.equal(large.sizeBytes, 1_000 * (12 + 1_000 + 64));
  t.end();
});
