/**
 * The contract of ByteMap, held by LMDB and by memory: random operations against a dumb sorted
 * array.
 */

import t from 'tap';
import {
  type ByteMap,
  type ByteMapSnapshot,
  LENT_BYTES,
  type ScanBounds,
  Table,
} from '../../include/kvstore.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';

type Pair = { readonly key: Buffer; readonly value: Buffer };

const TABLES = [Table.Meta, Table.Keys, Table.Revisions, Table.Tombstones];

/** The twin: a sorted array a table. */
class SortedArrays {
  tables: Pair[][] = TABLES.map(() => []);

  copy(): SortedArrays {
    const copy = new SortedArrays();
    copy.tables = this.tables.map((table) => [...table]);
    return copy;
  }

  write(table: Table, key: Buffer, value: Buffer | undefined): void {
    const pairs = this.tables[table]!.filter((pair) => !pair.key.equals(key));
    if (value !== undefined) pairs.push({ key, value });
    this.tables[table] = pairs.sort((a, b) => a.key.compare(b.key));
  }

  inBounds(table: Table, { from, to, reverse }: ScanBounds): Pair[] {
    const found = this.tables[table]!.filter(
      ({ key }) => key.compare(from) >= 0 && (to === undefined || key.compare(to) < 0),
    );
    return reverse ? found.reverse() : found;
  }
}

/** Keys that collide often, with all byte values, prefixes of each other, and revisions' shape. */
function randomKey(random: Random): Buffer {
  if (random.below(2) === 0) {
    const key = Buffer.alloc(12);
    key.writeUInt32BE(random.below(40), 4);
    key.writeUInt32BE(random.below(3), 8);
    return key;
  }
  const key = Buffer.alloc(1 + random.below(3));
  for (let slot = 0; slot < key.length; slot += 1) {
    key[slot] = [0, 1, 0x61, 0x7f, 0x80, 0xff][random.below(6)]!;
  }
  return key;
}

function randomBounds(random: Random): ScanBounds {
  return {
    from: random.below(5) === 0 ? Buffer.alloc(0) : randomKey(random),
    to: random.below(3) === 0 ? undefined : randomKey(random),
    reverse: random.below(2) === 0,
    lends: random.below(2) === 0,
  };
}

function scanAll(map: ByteMap | ByteMapSnapshot, table: Table, bounds: ScanBounds, most: number) {
  const pairs: Pair[] = [];
  map.scan(table, bounds, (key, value) => {
    pairs.push({ key: Buffer.from(key), value: Buffer.from(value) });
    return pairs.length < most;
  });
  return pairs;
}

function sameBytes(a: readonly Pair[], b: readonly Pair[]): boolean {
  return (
    a.length === b.length &&
    a.every((pair, slot) => pair.key.equals(b[slot]!.key) && pair.value.equals(b[slot]!.value))
  );
}

for (const home of HOMES) {
  t.test(`${home.name}: a map agrees with a sorted array whatever is flushed when`, async (t) => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const random = createRandom(seed);
      const place = await home.create(t);
      let map = await place.open();
      let twin = new SortedArrays();
      let durable = twin.copy();
      let flushing: Promise<void> | undefined;
      const snapshots: { view: ByteMapSnapshot; twin: SortedArrays }[] = [];
      let ascending = 100;
      for (let step = 0; step < 600; step += 1) {
        const table = TABLES[random.below(TABLES.length)]!;
        const choice = random.below(100);
        if (choice < 45) {
          const key = randomKey(random);
          const value = Buffer.alloc(random.below(20), random.below(256));
          map.put(table, key, value);
          twin.write(table, key, value);
        } else if (choice < 55) {
          const key = Buffer.alloc(12);
          ascending += random.below(2);
          key.writeUInt32BE(ascending, 4);
          key.writeUInt32BE(step, 8);
          map.put(Table.Revisions, key, Buffer.from([step & 0xff]));
          twin.write(Table.Revisions, key, Buffer.from([step & 0xff]));
        } else if (choice < 70) {
          const key = randomKey(random);
          map.delete(table, key);
          twin.write(table, key, undefined);
        } else if (choice < 75) {
          // A flush asked for during another one covers what is written until it begins.
          if (flushing !== undefined) await flushing;
          const state = twin.copy();
          flushing = map.flush().then(() => {
            durable = state;
            flushing = undefined;
          });
        } else if (choice < 77) {
          await flushing;
        } else if (choice < 78) {
          await flushing;
          const flushed = twin.copy();
          snapshots.push({ view: await map.snapshot(), twin: flushed });
          durable = flushed;
        } else if (choice < 79) {
          await flushing;
          while (snapshots.length > 0) snapshots.pop()?.view.close();
          await map.close();
          map = await place.open();
          twin = durable.copy();
        }
        const bounds = randomBounds(random);
        const expected = twin.inBounds(table, bounds);
        const most = 1 + random.below(30);
        const key = randomKey(random);
        const found = map.get(table, key);
        const known = twin.tables[table]!.find((pair) => pair.key.equals(key))?.value;
        const where = `seed ${seed} step ${step}`;
        if (!sameBytes(scanAll(map, table, bounds, most), expected.slice(0, most))) {
          t.fail(`a scan differs at ${where}`);
          return;
        }
        if (map.count(table, bounds) !== expected.length) {
          t.fail(`a count differs at ${where}`);
          return;
        }
        if (found === undefined ? known !== undefined : !known?.equals(found)) {
          t.fail(`a get differs at ${where}`);
          return;
        }
        for (const snapshot of snapshots) {
          const then = snapshot.twin.inBounds(table, bounds);
          if (!sameBytes(scanAll(snapshot.view, table, bounds, 1000), then)) {
            t.fail(`a snapshot changed at ${where}`);
            return;
          }
        }
      }
      await flushing;
      for (const snapshot of snapshots) snapshot.view.close();
      await map.close();
    }
    t.pass('no difference found');
  });

  t.test(`${home.name}: buffers that a get returned outlive later reads and flushes`, async (t) => {
    const map = await (await home.create(t)).open();
    map.put(Table.Keys, Buffer.from('a'), Buffer.from('first'));
    map.put(Table.Keys, Buffer.from('b'), Buffer.from('other'));
    await map.flush();
    const kept = map.get(Table.Keys, Buffer.from('a'));
    map.get(Table.Keys, Buffer.from('b'));
    map.put(Table.Keys, Buffer.from('a'), Buffer.from('later'));
    await map.flush();
    map.get(Table.Keys, Buffer.from('a'));
    t.equal(kept?.toString(), 'first');
    await map.close();
  });

  t.test(`${home.name}: a scan that writes is caught`, async (t) => {
    const map = await (await home.create(t)).open();
    map.put(Table.Keys, Buffer.from('a'), Buffer.from('1'));
    const bounds = { from: Buffer.from('a'), to: undefined, reverse: false };
    t.throws(
      () =>
        map.scan(Table.Keys, bounds, () => {
          map.put(Table.Keys, Buffer.from('b'), Buffer.from('2'));
          return true;
        }),
      /a scan must not write/,
    );
    await map.close();
  });

  t.test(`${home.name}: unflushed bytes start anew with each flush`, async (t) => {
    const map = await (await home.create(t)).open();
    t.equal(map.unflushedBytes(), 0);
    map.put(Table.Keys, Buffer.from('a'), Buffer.alloc(100));
    t.ok(map.unflushedBytes() > 100);
    const flush = map.flush();
    t.equal(map.unflushedBytes(), 0, 'what is in flight does not count');
    map.put(Table.Keys, Buffer.from('b'), Buffer.alloc(100));
    await flush;
    t.ok(map.unflushedBytes() > 100);
    t.ok(map.size().dbSizeBytes >= map.size().dbSizeInUseBytes);
    t.ok(map.size().dbSizeInUseBytes > 0);
    await map.close();
  });

  t.test(`${home.name}: values that are lent hold while few more are`, async (t) => {
    const map = await (await home.create(t)).open();
    const values = Array.from({ length: 64 }, (_, slot) => Buffer.alloc(LENT_BYTES / 128, slot));
    for (const value of values) map.put(Table.Revisions, value.subarray(0, 1), value);
    await map.flush();
    const bounds = { from: Buffer.alloc(0), to: undefined, reverse: false, lends: true };
    // The room is used again and again.
    for (let round = 0; round < 5; round += 1) {
      const lent: Buffer[] = [];
      map.scan(Table.Revisions, bounds, (_key, value) => lent.push(value) > 0);
      t.ok(values.every((value, slot) => lent[slot]?.equals(value)));
    }
    await map.close();
  });

  t.test(`${home.name}: what is read ahead of a scan is told by the key behind it`, async (t) => {
    const map = await (await home.create(t)).open();
    for (const key of ['a', 'b', 'c', 'd']) {
      map.put(Table.Revisions, Buffer.from(key), Buffer.alloc(10_000, key));
    }
    await map.flush();
    const bounds = { from: Buffer.from('b'), to: Buffer.from('d'), reverse: false };
    t.equal(String(await map.readAhead(Table.Revisions, bounds, 1)), 'c');
    t.equal(await map.readAhead(Table.Revisions, bounds, 2), undefined);
    const empty = { ...bounds, from: Buffer.from('bb'), to: Buffer.from('bc') };
    t.equal(await map.readAhead(Table.Revisions, empty, 2), undefined);
    const reading = map.readAhead(Table.Revisions, { ...bounds, to: undefined }, 3);
    await map.close();
    t.equal(await reading, undefined, 'a map that closes waits for what is being read');
  });

  t.test(`${home.name}: the incoming map takes the place of the other`, async (t) => {
    const place = await home.create(t);
    const map = await place.open();
    map.put(Table.Keys, Buffer.from('a'), Buffer.from('old'));
    await map.flush();
    const incoming = await place.createIncoming();
    incoming.put(Table.Keys, Buffer.from('a'), Buffer.from('new'));
    await incoming.flush();
    t.equal(map.get(Table.Keys, Buffer.from('a'))?.toString(), 'old');
    await incoming.close();
    await map.close();
    await place.installIncoming();
    const installed = await place.open();
    t.equal(installed.get(Table.Keys, Buffer.from('a'))?.toString(), 'new');
    const empty = await place.createIncoming();
    t.equal(empty.get(Table.Keys, Buffer.from('a')), undefined, 'an incoming map starts empty');
    await empty.close();
    await installed.close();
  });

  t.test(
    `${home.name}: an incoming map that was not installed is gone at the next open`,
    async (t) => {
      const place = await home.create(t);
      const map = await place.open();
      map.put(Table.Keys, Buffer.from('a'), Buffer.from('old'));
      await map.flush();
      const incoming = await place.createIncoming();
      incoming.put(Table.Keys, Buffer.from('a'), Buffer.from('new'));
      await incoming.flush();
      await incoming.close();
      await map.close();
      const reopened = await place.open();
      t.equal(reopened.get(Table.Keys, Buffer.from('a'))?.toString(), 'old');
      await reopened.close();
    },
  );
}
