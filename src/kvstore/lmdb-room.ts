/**
 * Room in LMDB's file for a transaction, taken before it begins: LMDB answers a lack of room in the
 * midst of one with an error that does not say so, and lmdb-js does not survive it.
 *
 * The file is made longer by zeros behind its last page; LMDB writes over them and never looks at
 * them before. On a file system that puts rewritten blocks elsewhere (btrfs, zfs) this is no
 * promise: there a transaction can still fail, and ends the node.
 */

import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Attempts what may find no room on the disk, again if it likes. */
export type UntilRoom = (attempt: () => Promise<void>) => Promise<void>;

/** Fails when there is no room. */
export const ONCE: UntilRoom = (attempt) => attempt();

/** LMDB's pages, and what the room is counted in. */
const PAGE_BYTES = 4_096;

/** Pages of any transaction: the meta pages, the roots, the list of free pages. */
const PAGES_MIN = 256;

/** Pairs of a branch page are at least so many: one in so many pages is a branch. */
const BRANCH_FANOUT_MIN = 16;

/** Branch pages on the way to a pair, at most. */
const BRANCHES_MAX = 3;

/** By how much pages that are split, and values that lie in pages of their own, take more. */
const SPLIT_FACTOR = 3;

/** LMDB's lock file has 8,272 bytes for its 126 readers. */
const LOCK_FILE_BYTES = 4 * PAGE_BYTES;
const LOCK_FILE_MODE = 0o600;

const ZEROS = Buffer.alloc(1024 * 1024);

/**
 * The most that a transaction can add to a file, in bytes: LMDB copies every page that it changes,
 * a leaf and some branches a pair, and puts what is new into new pages.
 *
 * @param usedBytes of the file, up to its last page
 * @param pairCount pairs written or deleted
 * @param pairBytes bytes of these pairs
 */
export function transactionBytesMax(
  usedBytes: number,
  pairCount: number,
  pairBytes: number,
): number {
  const usedPages = Math.ceil(usedBytes / PAGE_BYTES);
  const branches = Math.min(BRANCHES_MAX * pairCount, Math.ceil(usedPages / BRANCH_FANOUT_MIN));
  const copied = Math.min(usedPages, pairCount + branches);
  const added = SPLIT_FACTOR * Math.ceil(pairBytes / PAGE_BYTES);
  return (copied + added + PAGES_MIN) * PAGE_BYTES;
}

/**
 * Makes a file at least so long, by zeros that take their place on the disk.
 *
 * @throws the system's error; what was added until then stays, and does no harm
 */
export async function reserve(path: string, endBytes: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    let { size } = await file.stat();
    while (size < endBytes) {
      const { bytesWritten } = await file.write(
        ZEROS,
        0,
        Math.min(ZEROS.length, endBytes - size),
        size,
      );
      size += bytesWritten;
    }
  } finally {
    await file.close();
  }
}

/**
 * Makes LMDB's lock file whole before LMDB maps it: a page of it without its place on the disk
 * would end the process, by SIGBUS, when LMDB first writes to it and the disk is full.
 *
 * @throws the system's error
 */
export function reserveLockFile(path: string): void {
  const file = openSync(`${path}-lock`, 'a', LOCK_FILE_MODE);
  try {
    let missingBytes = LOCK_FILE_BYTES - fstatSync(file).size;
    while (missingBytes > 0) missingBytes -= writeSync(file, ZEROS, 0, missingBytes);
  } finally {
    closeSync(file);
  }
}
