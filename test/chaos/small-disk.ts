/** A small file system, filled up and cleared while a node lives on it. */

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Leavings } from './leavings.ts';
import { run, succeeds } from './system.ts';

/** Written at once. */
const BALLAST = Buffer.alloc(1024 * 1024, 1);

/** A file system of its own at a path. */
export class SmallDisk {
  /** Where a node may live. */
  readonly path: string;
  readonly #ballastPath: string;

  /** Mounts it; it is put away with the leavings. */
  constructor(path: string, sizeMib: number, leavings: Leavings) {
    mkdirSync(path);
    run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', path]);
    leavings.add(() => succeeds('umount', ['--lazy', path]));
    this.path = join(path, 'data');
    this.#ballastPath = join(path, 'ballast');
  }

  /** Leaves not a byte free. */
  fill(): void {
    const file = openSync(this.#ballastPath, 'a');
    try {
      for (let size = BALLAST.length; size > 0; ) {
        const written = tryWrite(file, size);
        if (written < size) size = Math.floor(size / 2);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Makes room again. */
  clear(): void {
    rmSync(this.#ballastPath, { force: true });
  }
}

function tryWrite(file: number, size: number): number {
  try {
    return writeSync(file, BALLAST, 0, size);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return 0;
    throw error;
  }
}
