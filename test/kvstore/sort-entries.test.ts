/** Entries sorted four bytes at a time are in the order of their keys. */

import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { Records } from '../../src/kvstore/records.ts';
import { type EntryOrder, sortEntries } from '../../src/kvstore/sort-entries.ts';
import { createRandom, type Random } from '../../src/random.ts';

/** Kinds of keys that are hard to sort, each with what makes one from a number. */
const KINDS: readonly (readonly [string, (random: Random) => Buffer])[] = [
  ['with a long common start', (random) => Buffer.from(`registry/pods/${random.below(90_000)}`)],
  ['of equal length', (random) => Buffer.from(`key-${`${random.below(1e6)}`.padStart(15, '0')}`)],
  ['that start each other', (random) => Buffer.alloc(random.below(3_000), 'a')],
  ['of zeros and few others', (random) => drawBytes(random, [0, 0, 0, 1, 255])],
  ['of all bytes', (random) => drawBytes(random, [0, 1, 127, 128, 254, 255])],
];

function drawBytes(random: Random, values: readonly number[]): Buffer {
  const key = Buffer.alloc(random.below(14));
  for (let at = 0; at < key.length; at += 1) key[at] = values[random.below(values.length)]!;
  return key;
}

for (const [kind, draw] of KINDS) {
  t.test(`keys ${kind}`, async (t) => {
    for (const count of [0, 1, 2, 16, 17, 300, 5_000]) {
      const random = createRandom(count + 1);
      const keys = new Map<string, Buffer>();
      for (let drawn = 0; drawn < count; drawn += 1) {
        const key = draw(random);
        keys.set(key.toString('latin1'), key);
      }
      const records = new Records();
      const addresses = [...keys.values()].map((key) => records.add(Table.Keys, key, undefined));
      const order: EntryOrder = {
        compare: (entry, other) => records.compareKeys(entry, other),
        compareKey: (entry, key) => records.compareKey(entry, key),
        commonBytes: (entry, other) => records.commonBytes(entry, other),
        wordAt: (entry, offset) => records.keyWordAt(entry, offset),
        keyBytes: (entry) => records.keyBytesAt(entry),
      };
      const sorted = [...sortEntries(addresses, order)].map((address) => records.keyAt(address));
      const dumb = [...keys.values()].sort(Buffer.compare);
      t.ok(Buffer.concat(sorted).equals(Buffer.concat(dumb)), `${count} keys`);
      t.strictSame(
        sorted.map(({ length }) => length),
        dumb.map(({ length }) => length),
      );
    }
  });
}
