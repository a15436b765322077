/**
 * A disk that takes its time, may be full, and otherwise does what a FaultDisk does: operations end
 * in the order they began, each after a while.
 */

import type { Disk, DiskDone } from '../../src/node/disk.ts';
import type { FaultDisk } from '../fault-disk.ts';
import { EventKind, type Process } from './host.ts';
import type { World } from './world.ts';

/** How a host's disk is doing. */
export type DiskMood = {
  /** Milliseconds that a write takes at least, and by how much that varies. */
  latencyMs: number;
  jitterMs: number;
  /** No byte more fits. */
  isFull: boolean;
};

/** What of a world a disk needs. */
export type DiskSurroundings = {
  readonly world: World;
  readonly process: Process;
  readonly below: (bound: number) => number;
  readonly mood: DiskMood;
};

/** The disk as one process has it. */
export function createTimedDisk(fault: FaultDisk, around: DiskSurroundings): Disk {
  const { world, process, mood } = around;
  const later = (run: () => void): void => {
    const delayMs = mood.latencyMs + (around.below(1_000) / 1_000) * mood.jitterMs;
    world.after(process, delayMs, EventKind.Disk, run);
  };
  const finishLater = (): void => later(() => fault.finishOne());
  const { disk } = fault;
  const roomNow = (): void => {
    if (mood.isFull) throw refused();
  };
  const refused = (): Error => {
    world.tally.count('write to a full disk');
    return noSpace();
  };
  return {
    ...disk,
    // A process that its disk has just ended runs on to the end of the event: its files are gone.
    closeNow: (file) => {
      if (!process.isDead) disk.closeNow(file);
    },
    createNow: (path) => {
      roomNow();
      return disk.createNow(path);
    },
    writeNow: (file, chunks, offset) => {
      roomNow();
      disk.writeNow(file, chunks, offset);
    },
    create: (path, done) => {
      if (mood.isFull) return later(() => done(refused(), -1));
      disk.create(path, done);
      finishLater();
    },
    write: (file, chunks, offset, done) => {
      if (mood.isFull) return later(() => done(refused()));
      disk.write(file, chunks, offset, done);
      finishLater();
    },
    rename: (from, to, done: DiskDone) => {
      disk.rename(from, to, done);
      finishLater();
    },
    remove: (path, done) => {
      disk.remove(path, done);
      finishLater();
    },
  };
}

/** What a full disk says. */
export function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}
