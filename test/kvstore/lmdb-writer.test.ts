/** The thread that writes the store's file: all of an overlay or nothing, whatever its order. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { encodeRevisionKey } from '../../src/kvstore/key-record.ts';
import { LMDB_KEY_BYTES_MAX, openLmdbBase } from '../../src/kvstore/lmdb-base.ts';
import { ONCE } from '../../src/kvstore/lmdb-room.ts';
import { openLmdbTrees } from '../../src/kvstore/lmdb-trees.ts';
import { LmdbWriter } from '../../src/kvstore/lmdb-writer.ts';
import { Overlay } from '../../src/kvstore/overlay.ts';
import { createRandom } from '../../src/random.ts';
import { temporaryDirectory } from './map-homes.ts';

type Written = readonly (readonly [table: Table, key: Buffer, value: Buffer | undefined])[];

function recordsOf(written: Written) {
  const overlay = new Overlay();
  for (const [table, key, value] of written) overlay.write(table, key, value);
  return overlay.share();
}

t.test('revisions in any order are all there', async (t) => {
  const base = openLmdbBase(join(await temporaryDirectory(t), 'file'), ONCE);
  t.teardown(() => base.close());
  const random = createRandom(7);
  const twin = new Map<string, string>();
  for (let flush = 0; flush < 10; flush += 1) {
    const written: [Table, Buffer, Buffer | undefined][] = [];
    for (let count = 0; count < 200; count += 1) {
      // Mostly upwards, as revisions are made; at times one from before, or a deletion.
      const isBack = random.below(5) === 0;
      const main = isBack ? random.below(flush * 200 + count + 1) : flush * 200 + count;
      const key = encodeRevisionKey(main, random.below(2));
      const value = isBack && random.below(2) === 0 ? undefined : Buffer.from(`${flush} ${count}`);
      written.push([Table.Revisions, key, value]);
      if (value === undefined) twin.delete(key.toString('hex'));
      else twin.set(key.toString('hex'), `${value}`);
    }
    await base.write(recordsOf(written));
  }
  base.refresh();
  const found = new Map<string, string>();
  const all = { from: Buffer.alloc(0), to: undefined, reverse: false };
  const cursor = base.cursor(Table.Revisions, all);
  for (; cursor.key !== undefined; cursor.advance()) {
    found.set(cursor.key.toString('hex'), `${cursor.value}`);
  }
  cursor.close();
  t.strictSame([...found], [...twin].sort());
});

t.test('an order that fails leaves nothing behind, and the next one is carried out', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  const { root, trees } = openLmdbTrees(path);
  const writer = new LmdbWriter(path);
  t.teardown(async () => {
    await writer.close();
    await root.close();
  });
  const value = Buffer.from('value');
  const bad = recordsOf([
    [Table.Keys, Buffer.from('good'), value],
    [Table.Keys, Buffer.alloc(LMDB_KEY_BYTES_MAX + 100, 'k'), value],
  ]);
  await t.rejects(writer.write(bad), { message: /./ });
  await writer.write(recordsOf([[Table.Leases, Buffer.from('later'), value]]));
  root.resetReadTxn();
  t.strictSame([...trees[Table.Keys]!.getKeys({})], []);
  t.equal([...trees[Table.Leases]!.getKeys({})].length, 1);
});

t.test('where the file cannot be opened, every order fails and says why', async (t) => {
  const notDirectory = join(await temporaryDirectory(t), 'file');
  await writeFile(notDirectory, 'x');
  const writer = new LmdbWriter(join(notDirectory, 'file'));
  const records = recordsOf([[Table.Keys, Buffer.from('a'), Buffer.from('b')]]);
  await t.rejects(writer.write(records), { message: /cannot open the store/ });
  await t.rejects(writer.write(records), { message: /cannot open the store/ });
  await writer.close();
});
