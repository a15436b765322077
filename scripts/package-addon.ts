/**
 * How the binary finds lmdb's native addon. The bundle has this in place of the package that
 * searches node_modules for it: see scripts/package.ts.
 *
 * The system's loader takes files only, so the addon is copied out of the binary into a fresh
 * private directory, loaded, and removed at once: nothing is left behind, nothing is shared with
 * another process, and no home directory is needed. Each worker thread that opens a store does so
 * for itself, in about 5 ms.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the copy may lie, in order of preference: a directory may be read-only or noexec. */
const DIRECTORIES = [tmpdir(), '/dev/shm', '/var/tmp', '.'];

export default function loadAddon(): unknown {
  const bytes = readFileSync(join(__dirname, 'lmdb.node'));
  const failures: unknown[] = [];
  for (const directory of DIRECTORIES) {
    try {
      return loadFrom(directory, bytes);
    } catch (failure) {
      failures.push(failure);
    }
  }
  const why = `lmdb cannot be loaded from ${DIRECTORIES.join(', ')}: set TMPDIR to a directory`;
  throw new AggregateError(failures, `${why} that is writable and not mounted noexec`);
}

function loadFrom(parent: string, bytes: Buffer): unknown {
  const directory = mkdtempSync(join(parent, 'kvorum-'));
  try {
    const file = join(directory, 'lmdb.node');
    writeFileSync(file, bytes);
    const addon = { exports: {} };
    process.dlopen(addon, file);
    return addon.exports;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
