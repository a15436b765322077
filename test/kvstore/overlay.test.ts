/** The write buffer: what it costs to find a key among many, and the memory it takes. */

import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { encodeRevisionKey } from '../../src/kvstore/key-record.ts';
import { Overlay } from '../../src/kvstore/overlay.ts';
import { Records, SLAB_BYTES, visitRecords } from '../../src/kvstore/records.ts';
import { NO_ENTRY } from '../../src/kvstore/sorted-entries.ts';
import { createRandom } from '../../src/random.ts';

/** Counts how often keys of the overlay are compared. */
function countLooks(test: { readonly teardown: (run: () => void) => void }): () => number {
  const { compareKey } = Records.prototype;
  let looks = 0;
  Records.prototype.compareKey = function (address, key) {
    looks += 1;
    return compareKey.call(this, address, key);
  };
  test.teardown(() => {
    Records.prototype.compareKey = compareKey;
  });
  return () => looks;
}

t.test('a revision that changes many keys is written at the same cost a key', async (t) => {
  const overlay = new Overlay();
  const table = overlay.tables[Table.Revisions]!;
  const looks = countLooks(t);
  const changes = 4_000;
  const value = Buffer.from('v');
  overlay.write(Table.Revisions, encodeRevisionKey(1, 0), value);
  for (let sub = 0; sub < changes; sub += 1) {
    overlay.write(Table.Revisions, encodeRevisionKey(2, sub), value);
  }
  overlay.write(Table.Revisions, encodeRevisionKey(3, 5), value);
  t.ok(looks() < changes * 50, `${looks()} looks for ${changes} keys`);
  for (let sub = 0; sub < changes; sub += 1) {
    const entry = table.find(encodeRevisionKey(2, sub));
    if (table.keyOf(entry).readUInt32BE(8) !== sub) t.fail(`sub ${sub} is not found`);
  }
  t.equal(table.find(encodeRevisionKey(2, changes)), NO_ENTRY);
  t.equal(table.find(encodeRevisionKey(3, 0)), NO_ENTRY);
  t.equal(table.find(encodeRevisionKey(3, 6)), NO_ENTRY);
  t.not(table.find(encodeRevisionKey(3, 5)), NO_ENTRY);
  t.equal(table.count, changes + 2);
});

t.test('its size is what its records take, stale ones too', async (t) => {
  const overlay = new Overlay();
  overlay.write(Table.Keys, Buffer.from('key'), Buffer.from('value'));
  t.equal(overlay.sizeBytes, 12 + 8);
  overlay.write(Table.Keys, Buffer.from('key'), undefined);
  t.equal(overlay.sizeBytes, 12 + 8 + 12 + 4);
  t.equal(overlay.tables[Table.Keys]!.count, 1);
});

t.test('what is shared is the newest record of each key, in the order of writing', async (t) => {
  const overlay = new Overlay();
  const large = Buffer.alloc(SLAB_BYTES / 2, 'x');
  overlay.write(Table.Keys, Buffer.from('a'), Buffer.from('old'));
  overlay.write(Table.Leases, Buffer.from('a'), Buffer.alloc(0));
  overlay.write(Table.Keys, Buffer.from('b'), large);
  overlay.write(Table.Keys, Buffer.from('a'), Buffer.from('new'));
  overlay.write(Table.Keys, Buffer.from('c'), undefined);
  const told: unknown[] = [];
  visitRecords(overlay.share(), (table, key, value) => {
    told.push([table, `${Buffer.from(key)}`, value === undefined ? 'deleted' : `${value.length}`]);
  });
  t.strictSame(told, [
    [Table.Leases, 'a', '0'],
    [Table.Keys, 'b', `${SLAB_BYTES / 2}`],
    [Table.Keys, 'a', '3'],
    [Table.Keys, 'c', 'deleted'],
  ]);
});

t.test('memory that is used again shows nothing of what it held', async (t) => {
  const overlay = new Overlay();
  const random = createRandom(1);
  const keyOf = (number: number): Buffer => Buffer.from(`key ${number}`);
  for (let round = 0; round < 5; round += 1) {
    const known = new Map<number, string>();
    for (let count = 0; count < 3_000; count += 1) {
      const number = random.below(2_000);
      const value = `${round} ${count} `.repeat(1 + random.below(200));
      overlay.write(Table.Keys, keyOf(number), Buffer.from(value));
      known.set(number, value);
    }
    const table = overlay.tables[Table.Keys]!;
    t.equal(table.count, known.size);
    for (let number = 0; number < 2_000; number += 1) {
      const entry = table.find(keyOf(number));
      const found = entry === NO_ENTRY ? undefined : table.valueOf(entry)?.toString();
      if (found !== known.get(number)) t.fail(`key ${number} in round ${round}`);
    }
    overlay.clear();
    t.ok(overlay.isEmpty);
    t.equal(table.find(keyOf(1)), NO_ENTRY);
  }
});
