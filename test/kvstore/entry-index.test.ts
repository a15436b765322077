/** The index of a table by hashes: it finds every entry, and grows by little at a time. */

import t from 'tap';
import { EntryIndex, SHARDS } from '../../src/kvstore/entry-index.ts';
import { hashKey } from '../../src/kvstore/records.ts';
import { NO_ENTRY } from '../../src/kvstore/sorted-entries.ts';

const ENTRIES = 100_000;

function createKeys(count: number): Buffer[] {
  return Array.from({ length: count }, (_, entry) => Buffer.from(`registry/pods/${entry}`));
}

t.test('every entry is found, and no other key', async (t) => {
  const keys = createKeys(ENTRIES);
  const index = new EntryIndex((entry, key) => keys[entry]!.equals(key));
  for (let round = 0; round < 2; round += 1) {
    for (const [entry, key] of keys.entries()) index.add(entry, hashKey(key));
    t.equal(index.count, ENTRIES);
    for (const [entry, key] of keys.entries()) {
      if (index.find(key, hashKey(key)) !== entry) t.fail(`entry ${entry}`);
    }
    const other = Buffer.from('registry/pods/other');
    t.equal(index.find(other, hashKey(other)), NO_ENTRY);
    index.clear();
    t.equal(index.find(keys[0]!, hashKey(keys[0]!)), NO_ENTRY);
  }
});

t.test('keys with the same hash are told apart', async (t) => {
  const keys = createKeys(40);
  const index = new EntryIndex((entry, key) => keys[entry]!.equals(key));
  for (const entry of keys.keys()) index.add(entry, 0x7fff_ffff);
  for (const [entry, key] of keys.entries()) t.equal(index.find(key, 0x7fff_ffff), entry);
});

t.test('an addition moves a small part of the entries at most', async (t) => {
  const keys = createKeys(ENTRIES);
  const index = new EntryIndex((entry, key) => keys[entry]!.equals(key));
  const made: number[] = [];
  const Numbers = globalThis.Int32Array;
  globalThis.Int32Array = class extends Numbers {
    constructor(length: number) {
      super(length);
      made.push(length);
    }
  } as Int32ArrayConstructor;
  t.teardown(() => {
    globalThis.Int32Array = Numbers;
  });
  for (const [entry, key] of keys.entries()) index.add(entry, hashKey(key));
  globalThis.Int32Array = Numbers;
  t.ok(made.length >= SHARDS, 'it grew');
  // Two numbers a place, half of them free, twice as many after it doubled, and some chance.
  t.ok(Math.max(...made) <= (16 * ENTRIES) / SHARDS, `${Math.max(...made)} numbers at once`);
});
