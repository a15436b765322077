/** What is appended comes back; one sync covers all that gathered. */

import t from 'tap';
import { ENTRY_DATA_BYTES_MAX, FaultKind, WAL_GROUP_BYTES_MAX } from '../../include/node.ts';
import {
  createDisk,
  DIRECTORY,
  entries,
  faultOf,
  hardState,
  INITIAL,
  openLog,
  reopen,
  show,
} from './log-fixture.ts';

t.test('a new log is empty and starts from the initial marker', async (t) => {
  const disk = createDisk();
  const first = openLog(disk);
  t.equal(first.recovered.isNew, true);
  t.strictSame(first.recovered.snapshot, INITIAL);
  t.strictSame(first.recovered.entries, []);

  const second = reopen(disk, first);
  t.equal(second.recovered.isNew, false);
  t.strictSame(second.recovered.snapshot, INITIAL);
  t.strictSame(second.recovered.hardState, hardState(0));
  t.equal(second.recovered.torn, undefined);
});

t.test('an empty directory of a member that has run is refused', async (t) => {
  const fault = faultOf(() => openLog(createDisk(), { mayCreate: false }));
  t.match(fault, { kind: FaultKind.LogMissing, path: DIRECTORY });
});

t.test('what was appended comes back after every reopening', async (t) => {
  const disk = createDisk();
  let log = openLog(disk);
  for (let term = 1; term <= 5; term += 1) {
    log.wal.append(hardState(term, term, 1), entries(term * 2 - 1, 2, term), true);
    disk.finishAll();
    log = reopen(disk, log);
    t.equal(log.recovered.entries.length, term * 2);
    t.strictSame(log.recovered.hardState, hardState(term, term, 1));
    t.equal(log.wal.lastIndex, term * 2);
  }
  t.strictSame(show(log.recovered.entries).slice(2, 4), show(entries(3, 2, 2)));
});

t.test('entries without data and of every type come back', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  const list = [0, 1, 2].map((type) => ({
    index: type + 1,
    term: 3,
    type: type as 0 | 1 | 2,
    data: Buffer.alloc(type),
  }));
  log.wal.append(hardState(3), list, true);
  t.strictSame(reopen(disk, log).recovered.entries, list);
});

t.test('a suffix that is overwritten stays overwritten', async (t) => {
  const disk = createDisk();
  let log = openLog(disk);
  log.wal.append(hardState(1), entries(1, 10, 1), true);
  log.wal.append(hardState(2), entries(4, 2, 2), true);
  t.equal(log.wal.lastIndex, 5);
  const expected = show([...entries(1, 3, 1), ...entries(4, 2, 2)]);
  log = reopen(disk, log);
  t.strictSame(show(log.recovered.entries), expected);

  log.wal.append(hardState(3), entries(1, 1, 3), true);
  log = reopen(disk, log);
  t.strictSame(show(log.recovered.entries), show(entries(1, 1, 3)));
});

t.test('all that is appended while one sync runs goes into the next one', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  const before = disk.writeCount();
  log.wal.append(hardState(1), entries(1, 1), true);
  t.equal(disk.writeCount(), before + 1, 'the first does not wait');
  for (let index = 2; index <= 50; index += 1) log.wal.append(undefined, entries(index, 1), true);
  t.equal(disk.writeCount(), before + 1, 'the others gather');
  t.strictSame(log.synced, []);

  disk.finishOne();
  t.strictSame(log.synced, [1]);
  t.equal(disk.writeCount(), before + 2);
  disk.finishOne();
  t.strictSame(log.synced, [1, 50]);
  t.equal(disk.writeCount(), before + 2);
  t.equal(log.wal.pendingBytes, 0);
});

t.test('nothing is told to be synced before its write has ended', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  const ticket = log.wal.append(hardState(1), entries(1, 3), true);
  t.ok(log.wal.pendingBytes > 60);
  t.strictSame(log.synced, []);
  disk.finishOne();
  t.strictSame(log.synced, [ticket]);
});

t.test('a commit index alone causes no sync and goes along with the next one', async (t) => {
  const disk = createDisk();
  let log = openLog(disk);
  log.wal.append(hardState(1), entries(1, 5), true);
  disk.finishAll();
  const before = disk.writeCount();
  const ticket = log.wal.append(hardState(1, 4), [], false);
  disk.finishAll();
  t.equal(disk.writeCount(), before);
  t.strictSame(log.synced, [ticket - 1]);

  log.wal.append(undefined, entries(6, 1), true);
  disk.finishAll();
  t.equal(disk.writeCount(), before + 1);
  t.strictSame(log.synced, [ticket - 1, ticket + 1]);
  disk.crashPower();
  log = openLog(disk);
  t.equal(log.recovered.hardState.commit, 4);
});

t.test('an orderly stop keeps a commit index that no sync has covered', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  log.wal.append(hardState(1), entries(1, 5), true);
  log.wal.append(hardState(1, 5), [], false);
  t.equal(reopen(disk, log).recovered.hardState.commit, 5);
});

t.test('a commit index beyond the recovered entries is brought back to them', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  log.wal.append(hardState(1, 9), entries(1, 3), true);
  t.equal(reopen(disk, log).recovered.hardState.commit, 3);
});

t.test('large entries are written from where they lie, and come back', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  const list = [
    ...entries(1, 1, 1, 10),
    ...entries(2, 1, 1, 32 * 1024),
    ...entries(3, 1, 1, ENTRY_DATA_BYTES_MAX),
    ...entries(4, 2, 1, 0),
    ...entries(6, 1, 1, 32 * 1024 - 1),
    ...entries(7, 1, 1, 1024 * 1024 - 1),
  ];
  log.wal.append(hardState(1), list, true);
  t.strictSame(reopen(disk, log).recovered.entries, list);
});

t.test('an entry beyond its limit is a bug of the caller', async (t) => {
  const log = openLog(createDisk());
  const list = entries(1, 1, 1, ENTRY_DATA_BYTES_MAX + 1);
  t.throws(() => log.wal.append(undefined, list, true), /an entry has its limit/);
});

t.test(
  'a batch larger than a group is spread over groups, and its ticket is the last one',
  async (t) => {
    const disk = createDisk();
    const log = openLog(disk);
    const before = disk.writeCount();
    const count = Math.ceil((WAL_GROUP_BYTES_MAX / 20_000) * 2.5);
    const list = entries(1, count, 1, 20_000);
    const ticket = log.wal.append(hardState(1), list, true);
    t.ok(log.wal.pendingBytes > count * 20_000);
    disk.finishOne();
    disk.finishOne();
    t.strictSame(log.synced, []);
    disk.finishAll();
    t.equal(disk.writeCount(), before + 3);
    t.strictSame(log.synced, [ticket]);
    t.equal(log.wal.pendingBytes, 0);
    t.strictSame(show(reopen(disk, log).recovered.entries), show(list));
  },
);

t.test('a gap, an index below the marker and a falling term are bugs of the caller', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  log.wal.append(hardState(2), entries(1, 3), true);
  t.throws(() => log.wal.append(undefined, entries(5, 1), true), /no gap/);
  const [one, , three] = entries(4, 3);
  t.throws(() => log.wal.append(undefined, [one!, three!], true), /no gap/);
  t.throws(() => log.wal.append(hardState(1), [], true), /terms never fall/);
  t.throws(() => log.wal.append(undefined, entries(0, 1), true), /a marker is never overwritten/);
});

t.test('a closed log takes nothing', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  let closed = 0;
  log.wal.close(() => {
    closed += 1;
  });
  t.throws(() => log.wal.append(undefined, entries(1, 1), true), /closed log/);
  t.throws(() => log.wal.saveSnapshot(INITIAL), /closed log/);
  t.throws(() => log.wal.cutBefore(INITIAL), /closed log/);
  t.throws(() => log.wal.close(() => {}), /closed once/);
  disk.finishAll();
  t.equal(closed, 1);
});

t.test('closing syncs what gathers', async (t) => {
  const disk = createDisk();
  const log = openLog(disk);
  log.wal.append(hardState(1), entries(1, 1), true);
  const ticket = log.wal.append(undefined, entries(2, 1), true);
  log.wal.close(() => {});
  disk.finishAll();
  t.equal(log.synced.at(-1), ticket);
  disk.crashPower();
  t.equal(openLog(disk).recovered.entries.length, 2);
});

t.test('two logs in two directories of one disk do not meet', async (t) => {
  const disk = createDisk();
  const one = openLog(disk);
  const two = openLog(disk, { directory: '/data/other' });
  one.wal.append(hardState(1), entries(1, 1), true);
  two.wal.append(hardState(1), entries(1, 2), true);
  t.equal(reopen(disk, one).recovered.entries.length, 1);
  t.equal(disk.paths().filter((path) => path.startsWith(DIRECTORY)).length, 1);
});
