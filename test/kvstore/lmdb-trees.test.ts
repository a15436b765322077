/** What iterations over the file hand out. */

import { join } from 'node:path';
import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { openLmdbTrees } from '../../src/kvstore/lmdb-trees.ts';
import { temporaryDirectory } from './map-homes.ts';

t.test('values of an iteration are copies that share memory', async (t) => {
  const { root, trees } = openLmdbTrees(join(await temporaryDirectory(t), 'store.lmdb'));
  t.teardown(() => root.close());
  const tree = trees[Table.Keys]!;
  const values = Array.from({ length: 500 }, (_, slot) => Buffer.alloc(slot, slot % 256));
  root.transactionSync(() => {
    for (const [slot, value] of values.entries()) {
      const key = Buffer.from(String(slot).padStart(3, '0'));
      tree.putSync(key, value, { append: false });
    }
  });
  const found = [...tree.getRange({ start: Buffer.from('000') })];
  t.strictSame(
    found.map(({ key }) => Number(key.toString())),
    [...values.keys()],
  );
  t.ok(Buffer.concat(found.map(({ value }) => value)).equals(Buffer.concat(values)));
  const memories = new Set(found.map(({ value }) => value.buffer));
  t.ok(memories.size < found.length / 10, `${memories.size} memories`);
});
