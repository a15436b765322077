/**
 * Room on the disk that the log and the store share. What fails for lack of it is done again, until
 * there is some: a write that found no room has changed nothing that anybody relies on, and the
 * same bytes go to the same place.
 *
 * A write that fails in any other way is never done again: what the kernel made of the page is
 * unknown. One that found no room is written whole the next time, so every page of it is dirty
 * again and synced with it.
 *
 * While something waits, the node takes no writes from clients (ErrorCode.NoSpace); it reads,
 * answers peers and counts time as ever. Once it is closed nothing waits any more: what finds no
 * room fails.
 */

import type { Log } from '../../include/log.ts';
import { DISK_ROOM_RETRY_MS } from '../../include/node.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Disk, DiskDone } from './disk.ts';

/** Does something that may find no room; calls back once. */
type Attempt = (settled: DiskDone) => void;

const NO_ROOM_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** Whether something failed because the disk, or what this user may take of it, is full. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_ROOM_CODES.includes(error.code);
}

/** The room of a node. */
export class DiskRoom {
  readonly #clock: Clock;
  readonly #log: Log;
  /** What is tried again later: as it is, or now that nothing waits any more. */
  readonly #waiting: Map<() => void, Timer> = new Map();
  /** Attempts that found no room and have not come through since. */
  #hungryCount = 0;
  #isClosed = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether something waits for room. */
  get isFull(): boolean {
    return this.#hungryCount > 0;
  }

  /** Attempts something until it does not fail for lack of room. */
  run(attempt: Attempt, done: DiskDone): void {
    let isHungry = false;
    const settled: DiskDone = (error) => {
      if (isNoRoom(error) && !this.#isClosed) {
        if (!isHungry) this.#noteFull(error);
        isHungry = true;
        this.#later(() => attempt(settled));
        return;
      }
      if (isHungry) this.#noteRoom();
      done(error);
    };
    attempt(settled);
  }

  /** The same for what gives a promise. */
  until(attempt: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.run(
        (settled) => attempt().then(() => settled(null), settled),
        (error) => (error === null ? resolve() : reject(error)),
      );
    });
  }

  /** Nothing waits any more. */
  close(): void {
    this.#isClosed = true;
    for (const [again, timer] of [...this.#waiting]) {
      timer.cancel();
      again();
    }
  }

  #later(attempt: () => void): void {
    const again = (): void => {
      this.#waiting.delete(again);
      attempt();
    };
    this.#waiting.set(again, this.#clock.after(DISK_ROOM_RETRY_MS, again));
  }

  #noteFull(error: Error | null): void {
    this.#hungryCount += 1;
    if (this.#hungryCount > 1) return;
    this.#log.warn('disk full', { reason: error?.message, remedy: 'free some space' });
  }

  #noteRoom(): void {
    this.#hungryCount -= 1;
    if (this.#hungryCount === 0) this.#log.info('disk has room again', {});
  }
}

/** A disk whose running half waits for room. What a node does while it starts fails without. */
export function withRoom(disk: Disk, room: DiskRoom): Disk {
  return {
    ...disk,
    create: (path, done) => {
      let made = -1;
      room.run(
        (settled) => {
          disk.create(path, (error, file) => {
            made = file;
            settled(error);
          });
        },
        (error) => done(error, made),
      );
    },
    write: (file, chunks, offset, done) => {
      room.run((settled) => disk.write(file, chunks, offset, settled), done);
    },
    rename: (from, to, done) => room.run((settled) => disk.rename(from, to, settled), done),
  };
}
