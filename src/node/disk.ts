/**
 * The few things the log asks of a disk, behind one table so that a simulator can replace it.
 *
 * Two halves. The `Now` operations run while a node starts, when nothing else can: they return or
 * throw. The others run beside everything else and call back. Both halves promise the same: once a
 * write, rename or removal has returned or called back without an error, it survives a power
 * failure. The caller never retries one that failed, but for lack of room (disk-room.ts).
 *
 * On Linux a file is opened O_DSYNC: one write is one trip to the thread pool and returns when the
 * bytes are stable, where write and fdatasync would be two trips (docs/STORAGE.md has the figures).
 */

import * as fs from 'node:fs';
import { dirname } from 'node:path';

/** An open file; what the number means is the disk's affair. */
export type FileId = number;

/** Called once, with null or with why it failed. */
export type DiskDone = (error: Error | null) => void;

/** The operations. Paths are whole; `chunks` are borrowed until the write has called back. */
export type Disk = {
  /** Names in a directory, in any order. */
  readonly listNow: (directory: string) => readonly string[];
  /** Opens an existing file to read and write it. */
  readonly openNow: (path: string) => FileId;
  readonly sizeNow: (file: FileId) => number;
  /** Fills `target` from `offset` on; returns fewer bytes than asked only at the file's end. */
  readonly readNow: (file: FileId, target: Buffer, offset: number) => number;
  readonly closeNow: (file: FileId) => void;
  /** Makes an empty file, or empties one. Its name is not stable before a rename or sync. */
  readonly createNow: (path: string) => FileId;
  readonly writeNow: (file: FileId, chunks: readonly Buffer[], offset: number) => void;
  readonly renameNow: (from: string, to: string) => void;
  readonly removeNow: (path: string) => void;
  /** Makes the names in a directory stable. */
  readonly syncDirectoryNow: (directory: string) => void;

  readonly create: (path: string, done: (error: Error | null, file: FileId) => void) => void;
  readonly write: (file: FileId, chunks: readonly Buffer[], offset: number, done: DiskDone) => void;
  readonly rename: (from: string, to: string, done: DiskDone) => void;
  readonly remove: (path: string, done: DiskDone) => void;
};

const { O_CREAT, O_DIRECTORY, O_DSYNC, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;

/** Only what the owner of the data directory needs: the log holds every value ever written. */
const FILE_MODE = 0o600;

/** Makes the disk of the machine. */
export function createSystemDisk(): Disk {
  return {
    listNow: (directory) => fs.readdirSync(directory),
    openNow: (path) => fs.openSync(path, O_RDWR | O_DSYNC),
    sizeNow: (file) => fs.fstatSync(file).size,
    readNow,
    closeNow: (file) => fs.closeSync(file),
    createNow: (path) => fs.openSync(path, O_RDWR | O_CREAT | O_TRUNC | O_DSYNC, FILE_MODE),
    writeNow,
    renameNow: (from, to) => {
      fs.renameSync(from, to);
      syncDirectoryNow(dirname(to));
    },
    removeNow: (path) => {
      fs.unlinkSync(path);
      syncDirectoryNow(dirname(path));
    },
    syncDirectoryNow,
    create: (path, done) => {
      fs.open(path, O_RDWR | O_CREAT | O_TRUNC | O_DSYNC, FILE_MODE, done);
    },
    write,
    rename: (from, to, done) => {
      fs.rename(from, to, (error) => {
        if (error !== null) done(error);
        else syncDirectory(dirname(to), done);
      });
    },
    remove: (path, done) => {
      fs.unlink(path, (error) => {
        if (error !== null) done(error);
        else syncDirectory(dirname(path), done);
      });
    },
  };
}

function readNow(file: FileId, target: Buffer, offset: number): number {
  let filled = 0;
  while (filled < target.length) {
    const read = fs.readSync(file, target, filled, target.length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

function writeNow(file: FileId, chunks: readonly Buffer[], offset: number): void {
  for (const chunk of chunks) {
    let written = 0;
    while (written < chunk.length) {
      written += fs.writeSync(file, chunk, written, chunk.length - written, offset + written);
    }
    offset += chunk.length;
  }
}

function write(file: FileId, chunks: readonly Buffer[], offset: number, done: DiskDone): void {
  const only = chunks[0];
  if (chunks.length === 1 && only !== undefined) {
    fs.write(file, only, 0, only.length, offset, (error, written) => {
      if (error !== null || written === only.length) done(error);
      else write(file, [only.subarray(written)], offset + written, done);
    });
    return;
  }
  fs.writev(file, chunks, offset, (error, written) => {
    const rest = error === null ? without(chunks, written) : [];
    if (error !== null || rest.length === 0) done(error);
    else write(file, rest, offset + written, done);
  });
}

/** What a short write left: the kernel may take less than it was given, which is no failure. */
function without(chunks: readonly Buffer[], written: number): readonly Buffer[] {
  const rest: Buffer[] = [];
  for (const chunk of chunks) {
    if (written < chunk.length) rest.push(chunk.subarray(written));
    written = Math.max(0, written - chunk.length);
  }
  return rest;
}

function syncDirectoryNow(directory: string): void {
  const file = fs.openSync(directory, O_RDONLY | O_DIRECTORY);
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function syncDirectory(directory: string, done: DiskDone): void {
  fs.open(directory, O_RDONLY | O_DIRECTORY, (error, file) => {
    if (error !== null) {
      done(error);
      return;
    }
    fs.fsync(file, (syncError) => {
      fs.close(file, (closeError) => done(syncError ?? closeError));
    });
  });
}
