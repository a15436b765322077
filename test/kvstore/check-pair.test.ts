/** What a table may hold: whatever the store writes, nothing that its readers would trip over. */

import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { isPair } from '../../src/kvstore/check-pair.ts';
import { encodeRevisionKey } from '../../src/kvstore/key-record.ts';
import { ALL_PAIRS } from '../../src/kvstore/pair-cursor.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom } from '../../src/random.ts';
import { applyRandomCommands } from '../fuzz/random-store.ts';
import { createMemoryHome } from './memory-base.ts';

type Pair = readonly [key: Buffer, value: Buffer];

/** What stores of many random commands have in each table. */
const ALL = new Map<Table, Pair[]>(Object.values(Table).map((table) => [table, []]));
for (let seed = 1; seed <= 20; seed += 1) await addPairs(seed);

async function addPairs(seed: number): Promise<void> {
  const home = createMemoryHome();
  const store = await openStore(home);
  applyRandomCommands(store, createRandom(seed), 400);
  await store.close();
  const map = await home.open();
  for (const [table, pairs] of ALL) {
    map.scan(table, ALL_PAIRS, (key, value) => pairs.push([key, value]) > 0);
  }
  await map.close();
}

/** One of a table. */
function first(table: Table): Pair {
  const [pair] = ALL.get(table) ?? [];
  if (pair === undefined) throw new Error(`table ${table} is empty`);
  return pair;
}

t.test('whatever the store writes is of its table', async (t) => {
  for (const [name, table] of Object.entries(Table)) {
    const pairs = ALL.get(table) ?? [];
    t.ok(pairs.length > 0, name);
    t.strictSame(
      pairs.filter(([key, value]) => !isPair(table, key, value)),
      [],
    );
  }
});

/** Offsets in a record of the upper bytes of its counters. */
const COUNTERS: readonly (readonly [table: Table, offsets: readonly number[]])[] = [
  [Table.Keys, [4, 12, 28]],
  [Table.Tombstones, [4, 12, 28]],
  [Table.Revisions, [3, 15, 27, 35]],
  [Table.Leases, [0, 8, 16]],
];

t.test('a record of another length is not', async (t) => {
  for (const table of [Table.Keys, Table.Tombstones, Table.Leases, Table.LeaseKeys]) {
    const [key, value] = first(table);
    for (let end = 0; end < value.length; end += 1) {
      t.notOk(isPair(table, key, value.subarray(0, end)), `table ${table}, cut at ${end}`);
    }
    t.notOk(isPair(table, key, Buffer.concat([value, Buffer.alloc(1)])), `${table}, a byte more`);
  }
  for (const [key, value] of ALL.get(Table.Revisions) ?? []) {
    const keyEnd = 51 + value.readUInt16BE(1);
    for (let end = 0; end < keyEnd; end += 1) {
      if (isPair(Table.Revisions, key, value.subarray(0, end))) t.fail(`cut at ${end}`);
    }
    const isDeletion = value[0] === 1;
    const longer = Buffer.concat([value, Buffer.alloc(1)]);
    t.equal(isPair(Table.Revisions, key, longer), !isDeletion, 'only a put has a value');
  }
});

t.test('a key of another length is not', async (t) => {
  for (const table of [Table.Revisions, Table.Leases]) {
    const [key, value] = first(table);
    t.notOk(isPair(table, key.subarray(1), value));
    t.notOk(isPair(table, Buffer.concat([key, Buffer.alloc(1)]), value));
  }
  const [attached, nothing] = first(Table.LeaseKeys);
  t.notOk(isPair(Table.LeaseKeys, attached.subarray(0, 8), nothing), 'a lease without a key');
});

/** The key of the newest revision that there can be. */
const NEWEST = encodeRevisionKey(Number.MAX_SAFE_INTEGER, 0xffff_ffff);

t.test('a number that no counter reaches is not, nor a change of no kind', async (t) => {
  for (const [table, offsets] of COUNTERS) {
    const [firstKey, value] = first(table);
    const key = table === Table.Revisions ? NEWEST : firstKey;
    for (const offset of offsets) {
      const spoilt = Buffer.from(value);
      spoilt.writeUInt32BE(0x20_0000, offset);
      t.notOk(isPair(table, key, spoilt), `table ${table} at ${offset}`);
      spoilt.writeUInt32BE(0x1f_ffff, offset);
      t.ok(isPair(table, key, spoilt), `table ${table} at ${offset}, the largest`);
    }
  }
  const [key, value] = first(Table.Revisions);
  const spoilt = Buffer.from(value);
  spoilt[0] = 2;
  t.notOk(isPair(Table.Revisions, key, spoilt));
});

/** Offsets in a revision's record of the keys of older ones. */
const LINKS = { prev: 3, jump: 15 };

t.test('a revision that does not lead to older ones is not: its chain has no end', async (t) => {
  const pairs = ALL.get(Table.Revisions) ?? [];
  for (const [name, offset] of Object.entries(LINKS)) {
    const linked = pairs.find(([, value]) => value.readUIntBE(offset + 2, 6) > 0);
    if (linked === undefined) throw new Error(`no revision has a ${name}`);
    const [key, value] = linked;
    const spoilt = Buffer.from(value);
    key.copy(spoilt, offset);
    t.notOk(isPair(Table.Revisions, key, spoilt), `${name} is the revision itself`);
    spoilt.writeUInt32BE(key.readUInt32BE(8) + 1, offset + 8);
    t.notOk(isPair(Table.Revisions, key, spoilt), `${name} is a later one of its transaction`);
    spoilt.writeUInt32BE(key.readUInt32BE(4) + 1, offset + 4);
    t.notOk(isPair(Table.Revisions, key, spoilt), `${name} is of a newer revision`);
  }
});

t.test('a key whose landmarks do not ascend is not', async (t) => {
  const [key, value] = (ALL.get(Table.Keys) ?? []).find(([, value]) => value.length > 40)!;
  t.ok(isPair(Table.Keys, key, value));
  const older = value.subarray(28, 40);
  t.notOk(isPair(Table.Keys, key, Buffer.concat([value.subarray(0, -12), older])), 'twice one');
  const [newer, rest] = [value.subarray(-12), value.subarray(28, -12)];
  t.notOk(isPair(Table.Keys, key, Buffer.concat([value.subarray(0, 28), newer, rest])), 'turned');
});
