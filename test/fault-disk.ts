/**
 * A disk in memory that forgets what was not synced, tears what was being written, and fails on
 * request. The contract is src/node/disk.ts's; the real disk keeps the same promises
 * (test/wal/disk).
 *
 * A file has two contents: what the page cache holds, which survives the process, and what the
 * platter holds, which survives a power failure. So do the names of a directory. A write is in the
 * cache at once and on the platter when it has called back; in between, a power failure keeps any
 * subset of its sectors, and of the file's new length any part. A name that was not made stable may
 * be there or not.
 *
 * Nothing calls back by itself: `finishOne` completes the oldest operation under way.
 */

import type { Disk, DiskDone, FileId } from '../src/node/disk.ts';
import type { Random } from '../src/random.ts';
import { bytesOf, type Content, contentFrom, put } from './file-content.ts';

/** Sectors survive or vanish as a whole. */
const SECTOR_BYTES = 512;

const NOTHING = Buffer.alloc(0);

type Write = { readonly offset: number; readonly bytes: Buffer };

type FaultFile = {
  readonly cached: Content;
  readonly stable: Content;
  /** Writes that the platter may hold in parts: under way, or failed. */
  loose: Write[];
};

type Pending = { readonly finish: () => void };

/** Thrown by the synchronous half when the disk stops in the middle of an operation. */
export class DiskStopped extends Error {
  override readonly name = 'DiskStopped';
}

/** The disk, and the handles by which a test makes it misbehave. */
export type FaultDisk = {
  readonly disk: Disk;
  /** Completes the oldest operation under way; false when there is none. */
  readonly finishOne: () => boolean;
  /** Completes operations until none is under way. */
  readonly finishAll: () => void;
  /** How many operations that change something have begun. */
  readonly operationCount: () => number;
  /** How many writes have begun: each is a sync. */
  readonly writeCount: () => number;
  /** The n-th changing operation from now on, from 0, begins and never ends; then nothing does. */
  readonly stopAfter: (operations: number) => void;
  /** The n-th changing operation from now on, from 0, fails. */
  readonly failAfter: (operations: number) => void;
  /** Whether the stop has happened. */
  readonly hasStopped: () => boolean;
  /** The process dies: what is under way is lost to it, the page cache stays. */
  readonly crashProcess: () => void;
  /** The power fails: what is not stable is lost, whole or in parts. */
  readonly crashPower: () => void;
  /** Paths of all files, in order. */
  readonly paths: () => readonly string[];
  /** The content of a file; a copy. */
  readonly contentOf: (path: string) => Buffer;
  /** Replaces a file behind the log's back. */
  readonly replace: (path: string, content: Buffer) => void;
  /** Takes a file away behind the log's back. */
  readonly lose: (path: string) => void;
};

type State = {
  readonly random: Random;
  cachedNames: Map<string, FaultFile>;
  stableNames: Map<string, FaultFile>;
  open: Map<FileId, FaultFile>;
  nextFile: FileId;
  pending: Pending[];
  operations: number;
  writes: number;
  stopAt: number;
  failAt: number;
  hasStopped: boolean;
};

/** Makes an empty disk. */
export function createFaultDisk(random: Random): FaultDisk {
  const state: State = {
    random,
    cachedNames: new Map(),
    stableNames: new Map(),
    open: new Map(),
    nextFile: 1,
    pending: [],
    operations: 0,
    writes: 0,
    stopAt: Number.POSITIVE_INFINITY,
    failAt: Number.POSITIVE_INFINITY,
    hasStopped: false,
  };
  const finishOne = (): boolean => {
    const next = state.hasStopped ? undefined : state.pending.shift();
    next?.finish();
    return next !== undefined;
  };
  return {
    disk: { ...startHalf(state), ...runningHalf(state) },
    finishOne,
    finishAll: () => {
      while (finishOne());
    },
    operationCount: () => state.operations,
    writeCount: () => state.writes,
    stopAfter: (operations) => {
      state.stopAt = state.operations + operations;
    },
    failAfter: (operations) => {
      state.failAt = state.operations + operations;
    },
    hasStopped: () => state.hasStopped,
    crashProcess: () => forget(state),
    crashPower: () => {
      loseUnstable(state);
      forget(state);
    },
    paths: () => [...state.cachedNames.keys()].sort(),
    contentOf: (path) => Buffer.from(bytesOf(lookUp(state, path).cached)),
    replace: (path, content) => {
      const file: FaultFile = {
        cached: contentFrom(content),
        stable: contentFrom(content),
        loose: [],
      };
      state.cachedNames.set(path, file);
      state.stableNames.set(path, file);
    },
    lose: (path) => {
      state.cachedNames.delete(path);
      state.stableNames.delete(path);
    },
  };
}

/** What an operation may do: begin and end, begin and fail, or begin and never end. */
type Outcome = 'ends' | 'fails' | 'stops';

function begin(state: State): Outcome {
  const operation = state.operations;
  state.operations += 1;
  if (operation === state.stopAt) {
    state.hasStopped = true;
    return 'stops';
  }
  return operation === state.failAt ? 'fails' : 'ends';
}

/** Runs an operation of the synchronous half. */
function runNow(state: State, change: () => void, settle: () => void): void {
  if (state.hasStopped) throw new DiskStopped('the disk has stopped');
  const outcome = begin(state);
  change();
  if (outcome === 'stops') throw new DiskStopped('the disk stops');
  if (outcome === 'fails') throw new Error('injected fault');
  settle();
}

/** Runs an operation of the half that calls back. */
function run(state: State, change: () => void, settle: () => void, done: DiskDone): void {
  if (state.hasStopped) return;
  const outcome = begin(state);
  change();
  if (outcome === 'stops') return;
  state.pending.push({
    finish: () => {
      if (outcome === 'ends') settle();
      done(outcome === 'fails' ? new Error('injected fault') : null);
    },
  });
}

type StartHalf = Omit<Disk, 'create' | 'write' | 'rename' | 'remove'>;

function startHalf(state: State): StartHalf {
  return {
    listNow: (directory) =>
      [...state.cachedNames.keys()]
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1)),
    openNow: (path) => openFile(state, lookUp(state, path)),
    sizeNow: (file) => fileOf(state, file).cached.sizeBytes,
    readNow: (file, target, offset) => bytesOf(fileOf(state, file).cached).copy(target, 0, offset),
    closeNow: (file) => {
      fileOf(state, file);
      state.open.delete(file);
    },
    createNow: (path) => {
      const made = createFile(state, path);
      runNow(state, made.change, () => {});
      return openFile(state, made.file);
    },
    writeNow: (file, chunks, offset) => {
      const { change, settle } = writeFile(state, file, chunks, offset);
      runNow(state, change, settle);
    },
    renameNow: (from, to) => {
      runNow(
        state,
        () => renameFile(state, from, to),
        () => syncNames(state),
      );
    },
    removeNow: (path) => {
      runNow(
        state,
        () => removeFile(state, path),
        () => syncNames(state),
      );
    },
    syncDirectoryNow: () =>
      runNow(
        state,
        () => {},
        () => syncNames(state),
      ),
  };
}

function runningHalf(state: State): Pick<Disk, 'create' | 'write' | 'rename' | 'remove'> {
  return {
    create: (path, done) => {
      const made = createFile(state, path);
      run(
        state,
        made.change,
        () => {},
        (error) => {
          done(error, error === null ? openFile(state, made.file) : -1);
        },
      );
    },
    write: (file, chunks, offset, done) => {
      const { change, settle } = writeFile(state, file, chunks, offset);
      run(state, change, settle, done);
    },
    rename: (from, to, done) => {
      run(
        state,
        () => renameFile(state, from, to),
        () => syncNames(state),
        done,
      );
    },
    remove: (path, done) => {
      run(
        state,
        () => removeFile(state, path),
        () => syncNames(state),
        done,
      );
    },
  };
}

function createFile(state: State, path: string): { file: FaultFile; change: () => void } {
  const file: FaultFile = { cached: contentFrom(NOTHING), stable: contentFrom(NOTHING), loose: [] };
  return { file, change: () => state.cachedNames.set(path, file) };
}

function writeFile(
  state: State,
  id: FileId,
  chunks: readonly Buffer[],
  offset: number,
): { change: () => void; settle: () => void } {
  const file = fileOf(state, id);
  // Held against the buffers when the write ends: the real disk reads them until then.
  const write = { offset, bytes: Buffer.concat(chunks) };
  return {
    change: () => {
      state.writes += 1;
      put(file.cached, write.offset, write.bytes);
      file.loose.push(write);
    },
    settle: () => {
      if (!isUnchanged(chunks, write.bytes)) throw new Error('a buffer changed under way');
      put(file.stable, write.offset, write.bytes);
      file.loose = file.loose.filter((other) => other !== write);
      for (const failed of file.loose) overwrite(failed, write);
    },
  };
}

/** What is left of a write that failed never comes over what was written and synced later. */
function overwrite(failed: Write, write: Write): void {
  const from = Math.max(failed.offset, write.offset);
  const to = Math.min(failed.offset + failed.bytes.length, write.offset + write.bytes.length);
  if (from >= to) return;
  write.bytes.copy(failed.bytes, from - failed.offset, from - write.offset, to - write.offset);
}

function isUnchanged(chunks: readonly Buffer[], bytes: Buffer): boolean {
  let at = 0;
  for (const chunk of chunks) {
    if (!chunk.equals(bytes.subarray(at, at + chunk.length))) return false;
    at += chunk.length;
  }
  return true;
}

function renameFile(state: State, from: string, to: string): void {
  state.cachedNames.set(to, lookUp(state, from));
  state.cachedNames.delete(from);
}

function removeFile(state: State, path: string): void {
  lookUp(state, path);
  state.cachedNames.delete(path);
}

function syncNames(state: State): void {
  state.stableNames = new Map(state.cachedNames);
}

function openFile(state: State, file: FaultFile): FileId {
  const id = state.nextFile;
  state.nextFile += 1;
  state.open.set(id, file);
  return id;
}

function fileOf(state: State, id: FileId): FaultFile {
  const file = state.open.get(id);
  if (file === undefined) throw new Error(`file ${id} is not open`);
  return file;
}

function lookUp(state: State, path: string): FaultFile {
  const file = state.cachedNames.get(path);
  if (file === undefined)
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  return file;
}

/** Ends the process that used the disk: a new one opens it. */
function forget(state: State): void {
  state.open = new Map();
  state.pending = [];
  state.stopAt = Number.POSITIVE_INFINITY;
  state.failAt = Number.POSITIVE_INFINITY;
  state.hasStopped = false;
}

function loseUnstable(state: State): void {
  const names = new Set([...state.cachedNames.keys(), ...state.stableNames.keys()]);
  const survivors = new Map<string, FaultFile>();
  for (const name of [...names].sort()) {
    const isCachedOne = state.random.below(2) === 0;
    const file = (isCachedOne ? state.cachedNames : state.stableNames).get(name);
    if (file !== undefined) survivors.set(name, file);
  }
  for (const file of new Set(survivors.values())) loseSectors(state.random, file);
  state.cachedNames = survivors;
  state.stableNames = new Map(survivors);
}

/** Leaves of each write that did not end a random part: any of its sectors, or all, or none. */
function loseSectors(random: Random, file: FaultFile): void {
  for (const { offset, bytes } of file.loose) {
    const keepIn4 = random.below(5);
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
      if (random.below(4) < keepIn4) {
        put(file.stable, offset + at, bytes.subarray(at, end));
      }
      at = end;
    }
  }
  Object.assign(file.cached, contentFrom(bytesOf(file.stable)));
  file.loose = [];
}
