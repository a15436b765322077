/** A flush takes its room on the disk before LMDB begins, and waits for it where it may. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Table } from '../../include/kvstore.ts';
import { openLmdbBase } from '../../src/kvstore/lmdb-base.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { ONCE } from '../../src/kvstore/lmdb-room.ts';
import { Overlay } from '../../src/kvstore/overlay.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { Leavings } from '../chaos/leavings.ts';
import { probeMachine } from '../chaos/machine.ts';
import { SmallDisk } from '../chaos/small-disk.ts';
import { temporaryDirectory } from './map-homes.ts';
import { putOf, rangeOf } from './store-requests.ts';

const CONFIGURATION = { voters: [0], outgoing: [], learners: [] };

const { hasMounts, lacks } = probeMachine();
const skip = hasMounts ? false : lacks.join('; ');

const noRoom = (): Error => Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' });

function drawOverlay(random: Random): Overlay {
  const overlay = new Overlay();
  const pairs = 1 + random.below(random.below(3) === 0 ? 3_000 : 100);
  const valueBytes = [10, 300, 1_500, 6_000][random.below(4)]!;
  const keyBytes = [4, 30, 1_800][random.below(3)]!;
  for (let count = 0; count < pairs; count += 1) {
    const key = `${random.below(20_000)}`.padStart(keyBytes, '0');
    const isDeletion = random.below(10) === 0;
    const value = isDeletion ? undefined : Buffer.alloc(random.below(valueBytes), 1);
    overlay.write(random.below(2) === 0 ? Table.Keys : Table.Leases, Buffer.from(key), value);
  }
  return overlay;
}

t.test('no transaction takes more of the file than was reserved for it', async (t) => {
  const random = createRandom(8);
  const path = join(await temporaryDirectory(t), 'store.lmdb');
  const base = openLmdbBase(path, ONCE);
  let reservedBytes = 0;
  for (let round = 0; round < 60; round += 1) {
    await base.write(drawOverlay(random).share());
    base.refresh();
    const { size } = statSync(path);
    if (base.size().dbSizeBytes > size) t.fail(`round ${round}: beyond ${size}`);
    reservedBytes = Math.max(reservedBytes, size - base.size().dbSizeBytes);
  }
  t.ok(reservedBytes > 0);
  await base.close();
  const again = openLmdbBase(path, ONCE);
  t.ok(again.size().dbSizeBytes > 0, 'the zeros at the end do no harm');
  await again.close();
});

t.test('a flush that finds no room waits, and the store serves meanwhile', async (t) => {
  const directory = await temporaryDirectory(t);
  let again = (): void => {};
  const home = createLmdbHome(directory, async (attempt) => {
    // The disk is full once.
    await new Promise<void>((resolve) => {
      again = resolve;
    });
    await attempt();
  });
  const store = await openStore(home);
  store.put(putOf('a', '1'));
  store.setApplied({ index: 1, term: 1, configuration: CONFIGURATION });
  const flushed = store.flush();
  store.put(putOf('b', '2'));
  store.setApplied({ index: 2, term: 1, configuration: CONFIGURATION });
  t.match(store.range(rangeOf('a', 'c')), { count: 2 });
  t.equal(store.durableApplied(), 0);
  again();
  await flushed;
  t.equal(store.durableApplied(), 1);
  const closed = store.close();
  again();
  await closed;
  const next = await openStore(createLmdbHome(directory));
  t.match(next.range(rangeOf('a', 'c')), { count: 2 });
  await next.close();
});

t.test('a flush that may not wait fails before LMDB begins', async (t) => {
  const home = createLmdbHome(await temporaryDirectory(t), async () => {
    throw noRoom();
  });
  const store = await openStore(home);
  store.put(putOf('a', '1'));
  store.setApplied({ index: 1, term: 1, configuration: CONFIGURATION });
  await t.rejects(store.flush(), { name: 'StoreError', message: /ENOSPC.*free some space/ });
  t.match(store.range(rangeOf('a')), { count: 1 });
  await t.rejects(store.close());
});

t.test('on a disk that is really full a flush waits until there is room', { skip }, async (t) => {
  const place = join(await temporaryDirectory(t), 'mount');
  const leavings = new Leavings();
  t.teardown(() => leavings.putAway());
  const disk = new SmallDisk(place, 32, leavings);
  let attempts = 0;
  const home = createLmdbHome(place, async (attempt) => {
    for (;;) {
      attempts += 1;
      if (attempts === 3) disk.clear();
      try {
        return await attempt();
      } catch (error) {
        t.match(error, { code: 'ENOSPC' });
      }
    }
  });
  const store = await openStore(home);
  disk.fill();
  store.put(putOf('a', 'v'.repeat(100_000)));
  store.setApplied({ index: 1, term: 1, configuration: CONFIGURATION });
  await store.flush();
  t.equal(attempts, 3);
  await store.close();
  const next = await openStore(createLmdbHome(place));
  t.match(next.range(rangeOf('a')), { count: 1 });
  await next.close();
});

t.test('on a disk that is really full a store is not opened, and says why', { skip }, async (t) => {
  const place = join(await temporaryDirectory(t), 'mount');
  const leavings = new Leavings();
  t.teardown(() => leavings.putAway());
  const disk = new SmallDisk(place, 32, leavings);
  const home = createLmdbHome(place);
  const store = await openStore(home);
  await store.close();
  // The directories are there, and not a byte for what comes into them.
  disk.fill();
  await t.rejects(home.createIncoming(), { name: 'StoreError', message: /space/ });
  await t.rejects(home.createIncoming(), { name: 'StoreError', message: /space/ });
  disk.clear();
  const map = await home.createIncoming();
  await map.close();
  const again = await openStore(home);
  await again.close();
});
