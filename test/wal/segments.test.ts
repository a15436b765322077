/** Segments roll over, repeat what is needed, and go when nothing in them is. */

import { join } from 'node:path';
import t from 'tap';
import { FaultKind, type SnapshotMeta, WAL_GROUP_BYTES_MAX } from '../../include/node.ts';
import { createDisk, DIRECTORY, entries, hardState, openLog, reopen, show } from './log-fixture.ts';

const SMALL = { segmentBytes: 32 * 1024 };

function meta(index: number, term = 1): SnapshotMeta {
  return { index, term, configuration: { voters: [0, 2, 5], outgoing: [0, 1], learners: [7] } };
}

/** A log of several segments: entries 1 to 40 of 2,000 bytes, four to a group. */
function grow(disk = createDisk()) {
  const log = openLog(disk, SMALL);
  for (let index = 1; index <= 40; index += 4) {
    log.wal.append(hardState(1, index - 1), entries(index, 4, 1, 2000), true);
    disk.finishAll();
  }
  return { disk, log };
}

t.test('a log goes on in a new segment when one is full', async (t) => {
  const { disk, log } = grow();
  t.ok(log.wal.segmentCount >= 4);
  t.equal(disk.paths().length, log.wal.segmentCount);
  const again = reopen(disk, log, SMALL);
  t.strictSame(show(again.recovered.entries), show(entries(1, 40, 1, 2000)));
  t.equal(again.recovered.segmentCount, log.wal.segmentCount);
});

t.test('the names of the segments tell number and first index', async (t) => {
  const { disk } = grow();
  const names = disk.paths().map((path) => path.slice(DIRECTORY.length + 1));
  t.equal(names[0], '0000000000000001-0000000000000001.wal');
  t.match(names[1], /^0000000000000002-00000000000000(09|13)\.wal$/);
});

t.test('a cut removes the segments it makes needless, and never the one in use', async (t) => {
  const { disk, log } = grow();
  const before = log.wal.segmentCount;
  const ticket = log.wal.cutBefore(meta(20));
  t.equal(log.wal.segmentCount, before, 'not before the marker is synced');
  disk.finishAll();
  t.equal(log.synced.at(-1), ticket);
  t.ok(log.wal.segmentCount < before);
  let again = reopen(disk, log, SMALL);
  t.strictSame(again.recovered.snapshot, meta(20));
  t.strictSame(show(again.recovered.entries), show(entries(21, 20, 1, 2000)));

  again.wal.cutBefore(meta(40));
  disk.finishAll();
  t.equal(again.wal.segmentCount, 1);
  again = reopen(disk, again, SMALL);
  t.strictSame(again.recovered.snapshot, meta(40));
  t.strictSame(again.recovered.entries, []);
  t.strictSame(again.recovered.hardState, hardState(1, 40));
  again.wal.append(undefined, entries(41, 1), true);
  t.strictSame(show(reopen(disk, again, SMALL).recovered.entries), show(entries(41, 1)));
});

t.test('a cut at the same place again is answered and changes nothing', async (t) => {
  const { disk, log } = grow();
  log.wal.cutBefore(meta(20));
  const ticket = log.wal.cutBefore(meta(20));
  disk.finishAll();
  t.equal(log.synced.at(-1), ticket);
  t.throws(() => log.wal.cutBefore(meta(19)), /markers never go back/);
  t.throws(() => log.wal.cutBefore(meta(41)), /a cut leaves no gap/);
});

t.test('hard state and marker outlive the segments that first held them', async (t) => {
  const disk = createDisk();
  const log = openLog(disk, SMALL);
  log.wal.append(hardState(9, 0, 1), entries(1, 1, 9), true);
  log.wal.cutBefore(meta(1, 9));
  disk.finishAll();
  for (let index = 2; index <= 40; index += 1) {
    log.wal.append(undefined, entries(index, 1, 9, 9000), true);
    disk.finishAll();
  }
  log.wal.cutBefore(meta(30, 9));
  disk.finishAll();
  t.notOk(disk.paths().includes(join(DIRECTORY, '0000000000000001-0000000000000001.wal')));
  const { recovered } = reopen(disk, log, SMALL);
  t.strictSame(recovered.hardState, hardState(9, 30, 1));
  t.strictSame(recovered.snapshot, meta(30, 9));
  t.equal(recovered.entries[0]?.index, 31);
});

t.test('a snapshot from the leader voids all entries, before and behind it', async (t) => {
  for (const index of [10, 40, 1000]) {
    const { disk, log } = grow();
    log.wal.saveSnapshot(meta(index, 3));
    t.equal(log.wal.lastIndex, index);
    log.wal.append(hardState(3, index), entries(index + 1, 2, 3), true);
    disk.finishAll();
    t.equal(log.wal.segmentCount, 1);
    let again = reopen(disk, log, SMALL);
    t.strictSame(again.recovered.snapshot, meta(index, 3));
    t.strictSame(show(again.recovered.entries), show(entries(index + 1, 2, 3)));
    again = reopen(disk, again, SMALL);
    t.strictSame(again.recovered.hardState, hardState(3, index));
    t.throws(() => again.wal.saveSnapshot(meta(index - 1, 3)), /markers never go back/);
  }
});

t.test('a segment whose entries were all overwritten is removed', async (t) => {
  const { disk, log } = grow();
  log.wal.append(hardState(2), entries(1, 1, 2), true);
  disk.finishAll();
  t.equal(log.wal.segmentCount, 1);
  t.strictSame(show(reopen(disk, log, SMALL).recovered.entries), show(entries(1, 1, 2)));
});

t.test('overwriting an old suffix keeps the segments before it', async (t) => {
  const { disk, log } = grow();
  log.wal.append(hardState(2), entries(15, 10, 2, 2000), true);
  disk.finishAll();
  const again = reopen(disk, log, SMALL);
  const expected = [...entries(1, 14, 1, 2000), ...entries(15, 10, 2, 2000)];
  t.strictSame(show(again.recovered.entries), show(expected));
  again.wal.cutBefore(meta(14));
  disk.finishAll();
  const { recovered } = reopen(disk, again, SMALL);
  t.strictSame(show(recovered.entries), show(entries(15, 10, 2, 2000)));
});

t.test('segments that a crash kept from removal are removed at the next start', async (t) => {
  const { disk, log } = grow();
  log.wal.cutBefore(meta(40));
  disk.finishOne();
  disk.crashProcess();
  const again = openLog(disk, SMALL);
  disk.finishAll();
  t.equal(again.wal.segmentCount, 1);
  t.equal(disk.paths().length, 1);
});

t.test('closing waits for the removal under way', async (t) => {
  const { disk, log } = grow();
  let isClosed = false;
  log.wal.cutBefore(meta(40));
  disk.finishOne();
  log.wal.close(() => {
    isClosed = true;
  });
  disk.finishAll();
  t.equal(isClosed, true);
  t.equal(disk.paths().length, 1);
});

t.test('a draft that a crash left is removed at start', async (t) => {
  const { disk, log } = grow();
  const draft = join(DIRECTORY, 'draft.tmp');
  disk.replace(draft, Buffer.from('half a head'));
  const { recovered } = reopen(disk, log, SMALL);
  t.equal(recovered.entries.length, 40);
  t.notOk(disk.paths().includes(draft));
});

t.test('a failed removal is fatal', async (t) => {
  const { disk, log } = grow();
  log.wal.cutBefore(meta(40));
  disk.failAfter(0);
  disk.finishAll();
  t.match(log.faults, [{ kind: FaultKind.DiskFailed }]);
  t.equal(log.faults.length, 1);
});

t.test('a marker finds room in a group that is full, and behind a chunk that is', async (t) => {
  const ids = Array.from({ length: 200 }, (_, slot) => slot);
  const large = { ...meta(1), configuration: { voters: ids, outgoing: ids, learners: [] } };
  for (const sizeBytes of [WAL_GROUP_BYTES_MAX / 4, 1024 * 1024 - 200]) {
    const disk = createDisk();
    const log = openLog(disk);
    log.wal.append(hardState(1), entries(1, 1, 1, 10), true);
    const list = entries(2, 5, 1, 31_000);
    for (let index = 2; index * 31_000 < sizeBytes * 4; index += 5) {
      log.wal.append(
        undefined,
        list.map((entry, slot) => ({ ...entry, index: index + slot })),
        true,
      );
      log.wal.cutBefore({ ...large, index });
    }
    disk.finishAll();
    t.equal(log.wal.baseIndex, reopen(disk, log).recovered.snapshot.index);
  }
});
