/** The disk of the machine and the fault disk keep the same promises. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createSystemDisk, type Disk } from '../../src/node/disk.ts';
import { openWal } from '../../src/node/wal/wal.ts';
import { createDisk, entries, hardState, INITIAL, show } from './log-fixture.ts';

/** A disk, a directory on it, and how to let what is under way end. */
type Subject = { readonly disk: Disk; readonly directory: string; readonly settle: () => void };

function system(t: Test): Subject {
  return { disk: createSystemDisk(), directory: t.testdir(), settle: () => {} };
}

function faulty(): Subject {
  const { disk, finishAll } = createDisk();
  return { disk, directory: '/d', settle: finishAll };
}

function promised(subject: Subject, run: (done: (error: Error | null) => void) => void) {
  return new Promise<Error | null>((resolve) => {
    run(resolve);
    subject.settle();
  });
}

function contentOf({ disk }: Subject, path: string): string {
  const file = disk.openNow(path);
  const bytes = Buffer.alloc(disk.sizeNow(file));
  disk.readNow(file, bytes, 0);
  disk.closeNow(file);
  return bytes.toString('latin1');
}

const chunks = (...texts: string[]) => texts.map((text) => Buffer.from(text));

for (const [name, make] of [
  ['the system disk', system],
  ['the fault disk', faulty],
] as const) {
  t.test(`${name} writes, reads, renames and removes at once`, async (t) => {
    const subject = make(t);
    const { disk, directory } = subject;
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    t.strictSame(disk.listNow(directory), []);
    const file = disk.createNow(one);
    disk.writeNow(file, chunks('abc', '', 'de'), 2);
    t.equal(disk.sizeNow(file), 7);
    const target = Buffer.alloc(9);
    t.equal(disk.readNow(file, target, 3), 4);
    t.equal(target.toString('latin1'), 'bcde\0\0\0\0\0');
    disk.closeNow(file);
    disk.syncDirectoryNow(directory);
    disk.renameNow(one, two);
    t.strictSame(disk.listNow(directory), ['two']);
    t.equal(contentOf(subject, two), '\0\0abcde');
    disk.closeNow(disk.createNow(two));
    t.equal(contentOf(subject, two), '', 'making a file again empties it');
    disk.removeNow(two);
    t.throws(() => disk.openNow(two), { code: 'ENOENT' });
  });

  t.test(`${name} writes, renames and removes and calls back`, async (t) => {
    const subject = make(t);
    const { disk, directory } = subject;
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    let file = -1;
    const created = await promised(subject, (done) => {
      disk.create(one, (error, made) => {
        file = made;
        done(error);
      });
    });
    t.equal(created, null);
    const write = (texts: string[], offset: number) =>
      promised(subject, (done) => disk.write(file, chunks(...texts), offset, done));
    t.equal(await write(['one'], 0), null);
    t.equal(await write(['tw', 'o', '', 'three'], 3), null);
    t.equal(await promised(subject, (done) => disk.rename(one, two, done)), null);
    t.equal(contentOf(subject, two), 'onetwothree');
    t.equal(await promised(subject, (done) => disk.remove(two, done)), null);
    t.strictSame(disk.listNow(directory), []);
  });
}

t.test('what was synced over a failed write survives a power failure', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const fault = createDisk(seed);
    const subject = { disk: fault.disk, directory: '/d', settle: fault.finishAll };
    const file = fault.disk.createNow('/d/one');
    fault.disk.syncDirectoryNow('/d');
    fault.failAfter(0);
    const old = chunks('old'.repeat(1_000));
    t.ok(await promised(subject, (done) => fault.disk.write(file, old, 0, done)));
    const young = chunks('new'.repeat(600));
    t.equal(await promised(subject, (done) => fault.disk.write(file, young, 300, done)), null);
    fault.crashPower();
    t.match(contentOf(subject, '/d/one').slice(300, 2_100), /^(new){600}$/);
  }
});

t.test('the system disk reports what failed', async (t) => {
  const { disk, directory } = system(t);
  const missing = join(directory, 'no', 'where');
  const subject = { disk, directory, settle: () => {} };
  const renamed = await promised(subject, (done) => disk.rename(missing, `${missing}2`, done));
  t.match(renamed, { code: 'ENOENT' });
  t.match(await promised(subject, (done) => disk.remove(missing, done)), { code: 'ENOENT' });
  const created = await promised(subject, (done) => disk.create(missing, (error) => done(error)));
  t.match(created, { code: 'ENOENT' });
  const closed = disk.createNow(join(directory, 'file'));
  disk.closeNow(closed);
  for (const texts of [['a'], ['a', 'b']]) {
    const written = await promised(subject, (done) =>
      disk.write(closed, chunks(...texts), 0, done),
    );
    t.match(written, { code: 'EBADF' });
  }
});

t.test('more pieces than one system call takes are written all the same', async (t) => {
  const { disk, directory } = system(t);
  const path = join(directory, 'many');
  const file = disk.createNow(path);
  const pieces = Array.from({ length: 3000 }, (_, slot) => Buffer.alloc(700, slot));
  const subject = { disk, directory, settle: () => {} };
  t.equal(await promised(subject, (done) => disk.write(file, pieces, 5, done)), null);
  t.ok(fs.readFileSync(path).subarray(5).equals(Buffer.concat(pieces)));
  disk.closeNow(file);
});

t.test('a log on the system disk rolls over, is cut, and comes back', async (t) => {
  const directory = t.testdir();
  const open = (onSynced: (ticket: number) => void) =>
    openWal({
      disk: createSystemDisk(),
      directory,
      clusterId: 1n,
      nodeId: 1,
      mayCreate: true,
      initial: INITIAL,
      randomBelow: () => 5,
      onSynced,
      onFatal: (fault) => t.fail(fault.message),
      segmentBytes: 64 * 1024,
    });
  let awaited = 0;
  let resolve = () => {};
  const { wal } = open((ticket) => {
    if (ticket >= awaited) resolve();
  });
  for (let index = 1; index <= 200; index += 10) {
    awaited = wal.append(hardState(1), entries(index, 10, 1, 800), true);
    await new Promise<void>((done) => {
      resolve = done;
    });
  }
  t.ok(wal.segmentCount > 2);
  wal.cutBefore({ ...INITIAL, index: 150, term: 1 });
  await new Promise<void>((done) => wal.close(done));
  const again = open(() => {});
  t.strictSame(show(again.recovered.entries), show(entries(151, 50, 1, 800)));
  t.equal(again.recovered.torn, undefined);
  t.ok(fs.readdirSync(directory).length < 4);
  await new Promise<void>((done) => again.wal.close(done));
});

t.test('a full disk is fatal, and the log comes back when there is room', async (t) => {
  const directory = t.testdir();
  const system = createSystemDisk();
  let isFull = true;
  const disk: Disk = {
    ...system,
    write: (file, pieces, offset, done) => {
      if (!isFull) return system.write(file, pieces, offset, done);
      // A part is written before there is no more room.
      const part = [pieces[0]!.subarray(0, 100)];
      system.write(file, part, offset, () => {
        done(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
      });
    },
  };
  const options = {
    disk,
    directory,
    clusterId: 1n,
    nodeId: 1,
    mayCreate: true,
    initial: INITIAL,
    randomBelow: () => 5,
    onSynced: () => {},
  };
  const fault = await new Promise<Error>((onFatal) => {
    openWal({ ...options, onFatal }).wal.append(hardState(1), entries(1, 3), true);
  });
  t.match(fault.message, /ENOSPC.*free space or mend the disk, then start the node again/);
  isFull = false;
  const { recovered, wal } = openWal({ ...options, onFatal: (error) => t.fail(error.message) });
  t.strictSame(recovered.entries, []);
  t.match(recovered.torn, { offset: 8192 });
  await new Promise<void>((done) => wal.close(done));
});
