/** What finds no room on the disk waits for some; every other failure is passed on at once. */

import t from 'tap';
import type { Disk, DiskDone } from '../../src/node/disk.ts';
import { DiskRoom, withRoom } from '../../src/node/disk-room.ts';
import { createRandom } from '../../src/random.ts';
import { createFaultDisk } from '../fault-disk.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

const codeOf = (code: string): Error => Object.assign(new Error(code), { code });

function createRoom() {
  const clock = new ManualClock();
  const events: string[] = [];
  const note = (event: string): void => void events.push(event);
  const room = new DiskRoom(clock, { debug: note, info: note, warn: note, error: note });
  return { clock, room, events };
}

t.test('an attempt that finds no room is made again until it comes through', async (t) => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const { clock, room, events } = createRoom();
    const outcomes = [codeOf(code), codeOf(code), null];
    const done: (Error | null)[] = [];
    room.run(
      (settled) => settled(outcomes.shift() ?? null),
      (error) => done.push(error),
    );
    t.ok(room.isFull);
    t.strictSame(done, []);
    clock.advance(1_000);
    t.notOk(room.isFull);
    t.strictSame(done, [null]);
    t.strictSame(events, ['disk full', 'disk has room again'], 'told once');
  }
});

t.test('any other failure is never tried again', async (t) => {
  const { clock, room } = createRoom();
  const outcomes = [codeOf('ENOSPC'), codeOf('EIO'), null];
  const done: (Error | null)[] = [];
  room.run(
    (settled) => settled(outcomes.shift()!),
    (error) => done.push(error),
  );
  clock.advance(10_000);
  t.match(done, [{ code: 'EIO' }]);
  t.strictSame(outcomes, [null]);
  t.notOk(room.isFull);
});

t.test('when it is closed, what waits fails, and so does what comes', async (t) => {
  const { room } = createRoom();
  const failing = async (): Promise<void> => {
    throw codeOf('ENOSPC');
  };
  const waiting = room.until(failing);
  // The attempt has failed once by then.
  await new Promise(setImmediate);
  t.ok(room.isFull);
  room.close();
  await t.rejects(waiting, { code: 'ENOSPC' });
  await t.rejects(room.until(failing), { code: 'ENOSPC' });
  t.notOk(room.isFull);
});

t.test('a disk creates, writes and renames when there is room, with the same bytes', async (t) => {
  const { clock, room } = createRoom();
  const fault = createFaultDisk(createRandom(1));
  let isFull = true;
  const ifRoom = (done: DiskDone, run: () => void): void => {
    if (isFull) done(codeOf('ENOSPC'));
    else run();
  };
  const full: Disk = {
    ...fault.disk,
    create: (path, done) =>
      ifRoom(
        (error) => done(error, -1),
        () => fault.disk.create(path, done),
      ),
    write: (file, chunks, offset, done) =>
      ifRoom(done, () => fault.disk.write(file, chunks, offset, done)),
    rename: (from, to, done) => ifRoom(done, () => fault.disk.rename(from, to, done)),
  };
  const disk = withRoom(full, room);
  const clear = (): void => {
    isFull = false;
    clock.advance(1_000);
    fault.finishAll();
    isFull = true;
  };
  let made = -1;
  disk.create('d/a', (error, file) => {
    t.equal(error, null);
    made = file;
  });
  clear();
  t.not(made, -1);
  const done: (Error | null)[] = [];
  disk.write(made, [Buffer.from('one'), Buffer.from('two')], 2, (error) => done.push(error));
  clear();
  disk.rename('d/a', 'd/b', (error) => done.push(error));
  clear();
  t.strictSame(done, [null, null]);
  t.equal(fault.contentOf('d/b').toString('latin1'), '\0\0onetwo');
});
