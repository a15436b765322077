/**
 * How the binary finds lmdb's native addon. The bundle has this in place of the package that
 * searches node_modules for it: see scripts/package.ts.
 *
 * The system's loader takes files only, so the addon is copied out of the binary into a fresh
 * private directory, loaded, and removed at once: nothing is left behind, nothing is shared with
 * another process, and no home directory is needed. It takes about 5 ms.
 *
 * Threads started later by the one that loaded it load the same copy, by its name: the system's
 * loader knows it though the file is gone. LMDB must be in a process once, since threads that open
 * the same store share what it keeps of it.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/** Where the copy may lie, in order of preference: a directory may be read-only or noexec. */
const DIRECTORIES = [tmpdir(), '/dev/shm', '/var/tmp', '.'];

/** Where a thread leaves the copy's name to those that it starts. */
const LOADED = 'kvorum: lmdb addon';

export default function loadAddon(): unknown {
  const loaded = getEnvironmentData(LOADED);
  if (typeof loaded === 'string') return loadFile(loaded);
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
    const addon = loadFile(file);
    setEnvironmentData(LOADED, file);
    return addon;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function loadFile(file: string): unknown {
  const addon = { exports: {} };
  process.dlopen(addon, file);
  return addon.exports;
}
