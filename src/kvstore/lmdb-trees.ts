/** The file of a store as LMDB opens it: one environment, a tree a table. */

import { type Database, open, type RootDatabase, type Transaction } from 'lmdb';
import { LENT_BYTES, StoreError, Table } from '../../include/kvstore.ts';
import { Arena } from './arena.ts';
import { checkLmdbFile } from './lmdb-file.ts';
import { reserveLockFile } from './lmdb-room.ts';

/**
 * Address space reserved for the file, so that it need not move; the file itself grows page by
 * page.
 */
const MAP_SIZE_BYTES = 2 ** 40;

/** The owner alone: the store holds every value. */
const FILE_MODE = 0o600;

/** lmdb-js's Database with the options that its types leave out. */
export type Tree = Pick<
  Database<Buffer, Buffer>,
  'getRange' | 'getKeys' | 'getKeysCount' | 'getStats' | 'prefetch'
> & {
  /** Within a transaction. Returns whether the pair was written. */
  readonly putSync: (
    key: Uint8Array,
    value: Uint8Array,
    options: { readonly append: boolean },
  ) => boolean;
  /** Within a transaction. Returns whether the key was there. */
  readonly removeSync: (key: Uint8Array) => boolean;
  readonly getBinaryFast: (
    key: Buffer,
    options: { readonly transaction: Transaction },
  ) => Buffer | undefined;
};

/** An open file. */
export type LmdbTrees = {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** By table. */
  readonly trees: readonly Tree[];
  /** The same trees; the values that these hand out are lent (ScanBounds). */
  readonly lending: readonly Tree[];
};

/** Names of the trees, which the file keeps. */
const TREE_NAMES: ReadonlyMap<Table, string> = new Map([
  [Table.Meta, 'meta'],
  [Table.Keys, 'keys'],
  [Table.Revisions, 'revisions'],
  [Table.Tombstones, 'tombstones'],
  [Table.Leases, 'leases'],
  [Table.LeaseKeys, 'lease-keys'],
  [Table.Sessions, 'sessions'],
]);

/**
 * Keys and values are bytes as they are. Values that iterations hand out are copies in shared pools
 * of memory. lmdb-js by itself gives each memory of its own, which takes 1.5 µs instead of 0.2, and
 * so much of it that V8 marks its heap early, in steps that hold up the event loop.
 */
const ENCODING = encodingFor(Buffer.allocUnsafe);

function encodingFor(reserve: (sizeBytes: number) => Buffer) {
  return {
    encoding: 'binary',
    keyEncoding: 'binary',
    encoder: {
      encode: (value: Buffer): Buffer => value,
      decode: (bytes: Uint8Array, sizeBytes = bytes.length): Buffer => {
        const value = reserve(sizeBytes);
        value.set(bytes.subarray(0, sizeBytes));
        return value;
      },
    },
  } as const;
}

/**
 * Opens a file, made when there is none. Threads of a process that open the same one share what
 * LMDB keeps of it.
 *
 * @throws StoreError
 */
export function openLmdbTrees(path: string): LmdbTrees {
  const lmdbOptions = {
    path,
    noSubdir: true,
    mapSize: MAP_SIZE_BYTES,
    maxDbs: TREE_NAMES.size,
    permissionsMode: FILE_MODE,
    overlappingSync: false,
    noSync: false,
    cache: false,
    // Reads are scattered; read-ahead would fill memory with pages nobody asked for.
    noReadAhead: true,
    ...ENCODING,
  } as const;
  checkLmdbFile(path);
  try {
    reserveLockFile(path);
    const root = open<Buffer, Buffer>(lmdbOptions);
    const room = new Arena(LENT_BYTES);
    const lendingEncoding = encodingFor((sizeBytes) => {
      room.reserve(sizeBytes);
      return room.piece();
    });
    const trees: Tree[] = [];
    const lending: Tree[] = [];
    for (const [table, name] of TREE_NAMES) {
      const own = { name, cache: false, ...ENCODING } as const;
      trees[table] = root.openDB<Buffer, Buffer>(own) as Database & Tree;
      const lent = { name, cache: false, ...lendingEncoding } as const;
      lending[table] = root.openDB<Buffer, Buffer>(lent) as Database & Tree;
    }
    return { root, trees, lending };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const remedy = 'check the file, its permissions and the space on the disk';
    throw new StoreError(`cannot open the store ${path}: ${text}; ${remedy}`, path, { cause });
  }
}
