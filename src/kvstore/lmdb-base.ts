/**
 * The durable base on LMDB: one file, a copy-on-write B+tree a table.
 *
 * One overlay is one LMDB transaction, made by a thread of its own (lmdb-writer.ts): it copies keys
 * and values into pages, writes the pages, calls fdatasync, and then writes the meta page through a
 * descriptor opened with O_DSYNC. `overlappingSync` and `noSync` are off: both commit before they
 * sync, which a power failure can turn into a meta page that points at pages never written.
 *
 * Reads go through one read transaction that moves on at refresh, so that what is seen changes only
 * there, and never in the middle of a count or a scan. Values are copied out of LMDB's shared
 * buffer.
 *
 * Limits: keys of 1 to LMDB_KEY_BYTES_MAX bytes.
 */

import type { RangeOptions, Transaction } from 'lmdb';
import {
  type ByteMapSnapshot,
  type PartCount,
  type ScanBounds,
  StoreError,
  type StoreSize,
  type Table,
} from '../../include/kvstore.ts';
import { assert } from '../assert.ts';
import { reserve, transactionBytesMax, type UntilRoom } from './lmdb-room.ts';
import { type LmdbTrees, openLmdbTrees, type Tree } from './lmdb-trees.ts';
import { LmdbWriter } from './lmdb-writer.ts';
import type { MapBase } from './map-base.ts';
import { isEmptyRange, type PairCursor } from './pair-cursor.ts';
import type { SharedRecords } from './records.ts';

/** The longest key that LMDB takes with pages of 4 KiB. */
export const LMDB_KEY_BYTES_MAX = 1_978;

/** Keys of the first leap of a count: what a short range is counted in vain. */
const COUNT_LEAP_KEYS_MIN = 64;

/** Pages at the file's start that hold LMDB's roots. */
const META_PAGES = 2;

/**
 * Opens a base, made when there is none.
 *
 * @param path the file; LMDB keeps its lock file beside it
 * @param untilRoom attempts again what found no room on the disk
 * @throws StoreError
 */
export function openLmdbBase(path: string, untilRoom: UntilRoom): MapBase {
  return new LmdbBase(path, openLmdbTrees(path), untilRoom);
}

class LmdbBase implements MapBase {
  readonly #path: string;
  readonly #file: LmdbTrees;
  readonly #untilRoom: UntilRoom;
  #view: View;
  /** What other threads are reading. */
  readonly #readings = new Set<Promise<void>>();
  /** Started by the first write: a store that is only read needs none. */
  #writer: LmdbWriter | undefined;

  constructor(path: string, file: LmdbTrees, untilRoom: UntilRoom) {
    this.#path = path;
    this.#untilRoom = untilRoom;
    this.#file = file;
    this.#view = this.#openView();
  }

  readonly get = (table: Table, key: Buffer): Buffer | undefined => this.#view.get(table, key);
  readonly has = (table: Table, key: Buffer): boolean => this.#view.has(table, key);
  readonly cursor = (table: Table, bounds: ScanBounds): PairCursor =>
    this.#view.cursor(table, bounds);
  readonly countSome = (table: Table, bounds: ScanBounds, countMax: number): PartCount =>
    this.#view.countSome(table, bounds, countMax);

  readonly readAhead: MapBase['readAhead'] = async (table, bounds, countMax) => {
    const keys = this.#view.keys(table, bounds, countMax + 1);
    const behind = keys.length > countMax ? keys.pop() : undefined;
    const reading = this.#file.trees[table]!.prefetch(keys);
    this.#readings.add(reading);
    await reading;
    this.#readings.delete(reading);
    return behind;
  };

  readonly write = async (records: SharedRecords): Promise<void> => {
    this.#writer ??= new LmdbWriter(this.#path);
    try {
      await this.#reserve(records);
      await this.#writer.write(records);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      const remedy = 'free some space or check the disk, then restart';
      const message = `cannot write the store ${this.#path}: ${text}; ${remedy}`;
      throw new StoreError(message, this.#path, { cause });
    }
  };

  readonly refresh = (): void => {
    const last = this.#view;
    this.#view = this.#openView();
    last.close();
  };

  readonly snapshot = (): ByteMapSnapshot => this.#openView();

  readonly size = (): StoreSize => {
    const stats: unknown = this.#file.root.getStats();
    const pageBytes = readNumber(stats, ['root', 'pageSize']);
    const pages = readNumber(stats, ['lastPageNumber']) + 1;
    let usedPages = META_PAGES + treePages(stats, ['root']) + treePages(stats, ['free']);
    for (const tree of this.#file.trees) usedPages += treePages(tree.getStats(), []);
    return { dbSizeBytes: pages * pageBytes, dbSizeInUseBytes: usedPages * pageBytes };
  };

  readonly close = async (): Promise<void> => {
    this.#view.close();
    await Promise.all(this.#readings);
    await this.#writer?.close();
    await this.#file.root.close();
  };

  /** LMDB must not run out of room in the midst of a transaction. */
  #reserve({ count, sizeBytes }: SharedRecords): Promise<void> {
    const usedBytes = this.size().dbSizeBytes;
    const endBytes = usedBytes + transactionBytesMax(usedBytes, count, sizeBytes);
    return this.#untilRoom(() => reserve(this.#path, endBytes));
  }

  #openView(): View {
    this.#file.root.resetReadTxn();
    return new View(this.#file, this.#file.root.useReadTransaction());
  }
}

/** One read transaction. */
class View implements ByteMapSnapshot {
  readonly #trees: readonly Tree[];
  readonly #lending: readonly Tree[];
  readonly #transaction: Transaction;
  readonly #options: { readonly transaction: Transaction };

  constructor({ trees, lending }: LmdbTrees, transaction: Transaction) {
    this.#trees = trees;
    this.#lending = lending;
    this.#transaction = transaction;
    this.#options = { transaction };
  }

  readonly get = (table: Table, key: Buffer): Buffer | undefined => {
    // lmdb-js reads into one buffer that the next read overwrites, and sets its length.
    const shared = this.#trees[table]!.getBinaryFast(key, this.#options);
    if (shared === undefined) return undefined;
    const sizeBytes = shared.length;
    const value = Buffer.allocUnsafe(sizeBytes);
    value.set(shared.subarray(0, sizeBytes));
    return value;
  };

  readonly has = (table: Table, key: Buffer): boolean =>
    this.#trees[table]!.getBinaryFast(key, this.#options) !== undefined;

  readonly cursor = (table: Table, bounds: ScanBounds): PairCursor => {
    const tree = (bounds.lends === true ? this.#lending : this.#trees)[table]!;
    return new LmdbCursor(
      tree.getRange(rangeOptions(bounds, this.#transaction))[Symbol.iterator](),
    );
  };

  /** The first keys in bounds. */
  readonly keys = (table: Table, bounds: ScanBounds, countMax: number): Buffer[] => {
    const options = { ...rangeOptions(bounds, this.#transaction), limit: countMax };
    return Array.from(this.#trees[table]!.getKeys(options));
  };

  /** LMDB counts to the end of a range. Leaps that double show where that is too far. */
  readonly countSome = (table: Table, bounds: ScanBounds, countMax: number): PartCount => {
    const tree = this.#trees[table]!;
    const isAll = !Number.isFinite(countMax);
    const most = Math.max(countMax, COUNT_LEAP_KEYS_MIN);
    let { from } = bounds;
    let count = 0;
    for (let leap = COUNT_LEAP_KEYS_MIN; !isAll; leap *= 2) {
      if (count + leap > most) return { count, rest: from };
      const next = this.#keyBehind(tree, { ...bounds, from }, leap);
      if (next === undefined) break;
      from = next;
      count += leap;
    }
    const rest = rangeOptions({ ...bounds, from }, this.#transaction);
    return { count: count + tree.getKeysCount(rest), rest: undefined };
  };

  /** The key that comes after `count` others; undefined when it is out of bounds. */
  #keyBehind(tree: Tree, bounds: ScanBounds, count: number): Buffer | undefined {
    const options = { ...rangeOptions(bounds, this.#transaction), offset: count, limit: 1 };
    for (const key of tree.getKeys(options)) {
      return bounds.to !== undefined && key.compare(bounds.to) >= 0 ? undefined : key;
    }
    return undefined;
  }

  readonly scan: ByteMapSnapshot['scan'] = (table, bounds, visit) => {
    if (isEmptyRange(bounds)) return;
    const tree = this.#trees[table]!;
    // Read by key, a value costs no buffer of its own.
    for (const key of tree.getKeys(rangeOptions(bounds, this.#transaction))) {
      const shared = tree.getBinaryFast(key, this.#options);
      assert(shared !== undefined, 'a key of a read transaction has its value', table);
      if (!visit(key, shared.subarray(0, shared.length))) return;
    }
  };

  readonly close = (): void => this.#transaction.done();
}

/** The iterator of lmdb-js as a cursor. Its keys and values are copies, unless they are lent. */
class LmdbCursor implements PairCursor {
  key: Buffer | undefined;
  value: Buffer | undefined;
  readonly #pairs: Iterator<{ key: Buffer; value: Buffer }>;

  constructor(pairs: Iterator<{ key: Buffer; value: Buffer }>) {
    this.#pairs = pairs;
    this.advance();
  }

  advance(): void {
    const next = this.#pairs.next();
    const pair = next.done === true ? undefined : next.value;
    this.key = pair?.key;
    this.value = pair?.value;
  }

  close(): void {
    this.#pairs.return?.();
  }
}

/** lmdb-js counts downwards from an inclusive start to an exclusive end, unless told. */
function rangeOptions(bounds: ScanBounds, transaction: Transaction): RangeOptions {
  const { from, to } = bounds;
  if (!bounds.reverse)
    return to === undefined ? { start: from, transaction } : { start: from, end: to, transaction };
  const down = { end: from, inclusiveEnd: true, reverse: true, transaction };
  return to === undefined ? down : { ...down, start: to, exclusiveStart: true };
}

/** Pages of a tree, from its statistics under a path. */
function treePages(stats: unknown, path: readonly string[]): number {
  let pages = 0;
  for (const field of ['treeBranchPageCount', 'treeLeafPageCount', 'overflowPages']) {
    pages += readNumber(stats, [...path, field]);
  }
  return pages;
}

/** Reads a number out of lmdb-js's statistics, which its types leave open. */
function readNumber(stats: unknown, path: readonly string[]): number {
  let found = stats;
  for (const field of path) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, field) : undefined;
  }
  assert(
    typeof found === 'number',
    'the statistics of LMDB are as they were when this was written',
    path,
  );
  return found;
}
