/**
 * The directory a store lives in:
 *
 *   <dataDir>/store/store.lmdb            the map
 *   <dataDir>/store.incoming/store.lmdb   a snapshot being received
 *
 * A received snapshot takes the map's place by one rename of one file, so a crash leaves either the
 * old map or the new one; what is left in store.incoming is removed at the next open.
 */

import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteMap, StoreError, type StoreHome } from '../../include/kvstore.ts';
import { createLayeredMap } from './layered-map.ts';
import { openLmdbBase } from './lmdb-base.ts';
import { ONCE, type UntilRoom } from './lmdb-room.ts';

/** The owner alone: the store holds every value. */
const DIRECTORY_MODE = 0o700;

/**
 * Makes the home in a data directory, which must exist and belong to this process alone.
 *
 * @param untilRoom how flushes wait for room on the disk; a snapshot that finds none is refused,
 *   since it may be what takes the room
 */
export function createLmdbHome(dataDir: string, untilRoom: UntilRoom = ONCE): StoreHome {
  const directory = join(dataDir, 'store');
  const incoming = join(dataDir, 'store.incoming');
  const file = join(directory, 'store.lmdb');
  const incomingFile = join(incoming, 'store.lmdb');

  const openIn = async (path: string, filePath: string, until: UntilRoom): Promise<ByteMap> => {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    const map = createLayeredMap(openLmdbBase(filePath, until));
    // LMDB syncs the file, not the names that lead to it.
    await syncDirectory(path);
    await syncDirectory(dataDir);
    return map;
  };

  return {
    path: directory,
    open: () =>
      withPath(directory, async () => {
        await rm(incoming, { recursive: true, force: true });
        return openIn(directory, file, untilRoom);
      }),
    createIncoming: () =>
      withPath(incoming, async () => {
        await rm(incoming, { recursive: true, force: true });
        return openIn(incoming, incomingFile, ONCE);
      }),
    discardIncoming: () => withPath(incoming, () => rm(incoming, { recursive: true, force: true })),
    installIncoming: () =>
      withPath(directory, async () => {
        await rename(incomingFile, file);
        await syncDirectory(directory);
        await rm(incoming, { recursive: true, force: true });
        await syncDirectory(dataDir);
      }),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Gives the errors of the file system a path and a remedy. */
async function withPath<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    const remedy = 'check the directory, its permissions and the disk';
    const message = `cannot use the store in ${path}: ${text}; ${remedy}`;
    throw new StoreError(message, path, { cause });
  }
}
