/** Entries sorted as walks need them: in the order of their keys, and no more than is needed. */

import t from 'tap';
import { type ScanBounds, Table } from '../../include/kvstore.ts';
import { encodeRevisionKey } from '../../src/kvstore/key-record.ts';
import { OverlayTable } from '../../src/kvstore/overlay.ts';
import { ALL_PAIRS } from '../../src/kvstore/pair-cursor.ts';
import { Records } from '../../src/kvstore/records.ts';
import { SORTED_AT_ONCE_MAX } from '../../src/kvstore/sorted-entries.ts';
import { createRandom, type Random } from '../../src/random.ts';

const VALUE = Buffer.from('v');

function keyOf(number: number): Buffer {
  return Buffer.from(`key/${String(number).padStart(8, '0')}`);
}

/** A table, and how often keys in it were looked at since it was asked last. */
function createTable(table: Table = Table.Keys): {
  readonly table: OverlayTable;
  readonly takeLooks: () => number;
} {
  let looks = 0;
  class CountedRecords extends Records {
    override compareKey(address: number, key: Uint8Array): number {
      looks += 1;
      return super.compareKey(address, key);
    }
    override compareKeys(address: number, other: number): number {
      looks += 1;
      return super.compareKeys(address, other);
    }
    override commonBytes(address: number, other: number): number {
      looks += 1;
      return super.commonBytes(address, other);
    }
    override keyWordAt(address: number, offset: number): number {
      looks += 1;
      return super.keyWordAt(address, offset);
    }
  }
  return {
    table: new OverlayTable(table, new CountedRecords()),
    takeLooks: () => {
      const taken = looks;
      looks = 0;
      return taken;
    },
  };
}

/** The first keys in bounds, as numbers. */
function walk(table: OverlayTable, bounds: ScanBounds, countMax: number): string[] {
  const cursors: Parameters<OverlayTable['pushCursors']>[1] = [];
  table.pushCursors(bounds, cursors);
  const found: string[] = [];
  for (const cursor of cursors) {
    for (; cursor.key !== undefined && found.length < countMax; cursor.advance()) {
      found.push(cursor.key.toString());
    }
  }
  return found;
}

function drawBounds(random: Random, numberMax: number): ScanBounds {
  const from = random.below(4) === 0 ? Buffer.alloc(0) : keyOf(random.below(numberMax));
  const to = random.below(4) === 0 ? undefined : keyOf(random.below(numberMax));
  return { from, to, reverse: random.below(2) === 0 };
}

t.test('walks agree with a sorted array, whatever was walked and written before', async (t) => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const random = createRandom(seed);
    const { table } = createTable();
    const numberMax = 20_000;
    const known = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const count = [1, 50, 100, 1_000, 5_000][random.below(5)]!;
      for (let written = 0; written < count; written += 1) {
        const key = keyOf(random.below(numberMax));
        table.write(key, VALUE);
        known.add(key.toString());
      }
      const sorted = [...known].sort();
      for (let walks = 0; walks < 5; walks += 1) {
        const bounds = drawBounds(random, numberMax);
        const countMax = [1, 300, numberMax][random.below(3)]!;
        const [from, to] = [bounds.from.toString(), bounds.to?.toString()];
        const inBounds = sorted.filter((key) => key >= from && (to === undefined || key < to));
        const expected = (bounds.reverse ? inBounds.reverse() : inBounds).slice(0, countMax);
        const found = walk(table, bounds, countMax);
        if (found.join() !== expected.join()) t.fail(`seed ${seed}, round ${round}`);
      }
    }
  }
});

t.test('a walk goes on while others sort what lies around it', async (t) => {
  const { table } = createTable();
  const random = createRandom(7);
  const known = new Set<string>();
  for (let count = 0; count < 20_000; count += 1) {
    const key = keyOf(random.below(1_000_000));
    table.write(key, VALUE);
    known.add(key.toString());
  }
  const cursors: Parameters<OverlayTable['pushCursors']>[1] = [];
  table.pushCursors(ALL_PAIRS, cursors);
  const [cursor] = cursors;
  const found: string[] = [];
  for (; cursor?.key !== undefined; cursor.advance()) {
    found.push(cursor.key.toString());
    if (found.length % 500 === 0) walk(table, drawBounds(random, 1_000_000), 10);
  }
  t.strictSame(found, [...known].sort());
});

t.test('the first walk after very many writes sorts what it walks over', async (t) => {
  const { table, takeLooks } = createTable();
  const random = createRandom(1);
  const writes = 40_000;
  for (let count = 0; count < writes; count += 1) {
    table.write(keyOf(random.below(100_000_000)), VALUE);
  }
  takeLooks();
  const page = 1_000;
  for (const reverse of [false, true]) {
    const bounds = { from: keyOf(30_000_000), to: keyOf(90_000_000), reverse };
    t.equal(walk(table, bounds, page).length, page);
    const looks = takeLooks();
    t.ok(looks < 4 * writes + 20 * (page + SORTED_AT_ONCE_MAX), `${looks} looks`);
    walk(table, bounds, page);
    const again = takeLooks();
    t.ok(again < 3 * page, `${again} looks at what is sorted`);
  }
});

t.test('a removal from the front, step by step, sorts nothing of what it wrote', async (t) => {
  const step = 250;
  for (const steps of [40, 160]) {
    const { table, takeLooks } = createTable();
    let looksMax = 0;
    for (let slot = 0; slot < steps; slot += 1) {
      const from = keyOf(slot * step);
      t.strictSame(walk(table, { from, to: undefined, reverse: false }, step), []);
      for (let key = 0; key < step; key += 1) table.write(keyOf(slot * step + key), undefined);
      looksMax = Math.max(looksMax, takeLooks());
    }
    t.ok(looksMax <= 3 * step, `${looksMax} looks in one of ${steps} steps`);
  }
});

t.test('a compaction removes behind its place, at the same cost a step', async (t) => {
  const step = 250;
  const { table, takeLooks } = createTable(Table.Revisions);
  const random = createRandom(3);
  let looksMax = 0;
  for (let slot = 1; slot <= 160; slot += 1) {
    const from = encodeRevisionKey(1_000_000 + slot * step, 0);
    walk(table, { from, to: undefined, reverse: false }, step);
    for (let count = 0; count < step; count += 1) {
      table.write(encodeRevisionKey(1 + random.below(1_000_000), 0), undefined);
    }
    looksMax = Math.max(looksMax, takeLooks());
  }
  t.ok(looksMax <= 3 * step, `${looksMax} looks in a step`);
});
