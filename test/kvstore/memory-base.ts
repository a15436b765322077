/**
 * The durable base in memory, and a home made of it: a disk for the simulator and for tests. What
 * was flushed stays when the maps over it are dropped; a crash loses the rest and the flush in
 * flight.
 */

import {
  type ByteMapSnapshot,
  type ScanBounds,
  type StoreHome,
  type StoreSize,
  TABLE_COUNT,
  type Table,
} from '../../include/kvstore.ts';
import { createLayeredMap } from '../../src/kvstore/layered-map.ts';
import type { MapBase } from '../../src/kvstore/map-base.ts';
import { isEmptyRange, mergePairs, type PairCursor } from '../../src/kvstore/pair-cursor.ts';
import { type SharedRecords, visitRecords } from '../../src/kvstore/records.ts';

/** What a simulated disk holds for one map. */
type Tables = readonly MemoryTable[];
type MemoryPair = { readonly key: Buffer; readonly value: Buffer };

/** One table, never changed: a flush makes a new one. */
class MemoryTable {
  readonly pairs: ReadonlyMap<string, MemoryPair>;
  #keys: readonly string[] | undefined;
  #sizeBytes: number | undefined;

  constructor(pairs: ReadonlyMap<string, MemoryPair>) {
    this.pairs = pairs;
  }

  /** The keys in order, sorted when first asked for. */
  get keys(): readonly string[] {
    this.#keys ??= [...this.pairs.keys()].sort();
    return this.#keys;
  }

  /** Of all keys and values, added up when first asked for. */
  get sizeBytes(): number {
    if (this.#sizeBytes !== undefined) return this.#sizeBytes;
    let sizeBytes = 0;
    for (const { key, value } of this.pairs.values()) sizeBytes += key.length + value.length;
    this.#sizeBytes = sizeBytes;
    return sizeBytes;
  }
}

/** The contents of a home: survives crashes. */
type MemoryDisk = { current: Tables; incoming: Tables | undefined };

/** A home in memory. */
export type MemoryHome = StoreHome & {
  /**
   * Loses what no completed flush covers. Maps opened before are dead: their flushes never resolve.
   */
  readonly crash: () => void;
};

/** How a simulated disk behaves. */
export type MemoryHomeOptions = {
  /** Waits as long as a flush takes; by default a flush is done in the next microtask. */
  readonly flushDelay?: () => Promise<void>;
};

const NO_TABLES: Tables = Array.from({ length: TABLE_COUNT }, () => new MemoryTable(new Map()));

/** Makes an empty home in memory. */
export function createMemoryHome(options: MemoryHomeOptions = {}): MemoryHome {
  const disk: MemoryDisk = { current: NO_TABLES, incoming: undefined };
  const flushDelay = options.flushDelay ?? (() => Promise.resolve());
  let life = 0;
  /** Makes a base over one of the disk's maps that belongs to the life it was opened in. */
  const createBase = (which: keyof MemoryDisk): MapBase => {
    const born = life;
    const isAlive = () => born === life;
    const load = () => disk[which] ?? NO_TABLES;
    const store = (tables: Tables) => {
      disk[which] = tables;
    };
    return new MemoryBase(load, store, flushDelay, isAlive);
  };
  return {
    path: 'in memory',
    open: async () => {
      disk.incoming = undefined;
      return createLayeredMap(createBase('current'));
    },
    createIncoming: async () => {
      disk.incoming = NO_TABLES;
      return createLayeredMap(createBase('incoming'));
    },
    discardIncoming: async () => {
      disk.incoming = undefined;
    },
    installIncoming: async () => {
      disk.current = disk.incoming ?? disk.current;
      disk.incoming = undefined;
    },
    crash: () => {
      life += 1;
    },
  };
}

class MemoryBase implements MapBase {
  readonly #load: () => Tables;
  readonly #store: (tables: Tables) => void;
  readonly #flushDelay: () => Promise<void>;
  readonly #isAlive: () => boolean;
  #view: MemoryView;

  constructor(
    load: () => Tables,
    store: (tables: Tables) => void,
    flushDelay: () => Promise<void>,
    isAlive: () => boolean,
  ) {
    this.#load = load;
    this.#store = store;
    this.#flushDelay = flushDelay;
    this.#isAlive = isAlive;
    this.#view = new MemoryView(load());
  }

  readonly get: MapBase['get'] = (table, key) => this.#view.get(table, key);
  readonly has: MapBase['has'] = (table, key) => this.#view.get(table, key) !== undefined;
  readonly cursor: MapBase['cursor'] = (table, bounds) => this.#view.cursor(table, bounds);

  readonly countSome: MapBase['countSome'] = (table, bounds, countMax) => {
    let count = 0;
    let rest: Buffer | undefined;
    this.#view.scan(table, bounds, (key) => {
      if (count >= countMax && count > 0) rest = key;
      else count += 1;
      return rest === undefined;
    });
    return { count, rest };
  };

  readonly readAhead: MapBase['readAhead'] = async (table, bounds, countMax) => {
    const { rest } = this.countSome(table, bounds, countMax);
    return rest;
  };

  readonly write = async (records: SharedRecords): Promise<void> => {
    await this.#flushDelay();
    if (!this.#isAlive()) await new Promise<void>(() => {});
    this.#store(applyWrites(this.#load(), records));
  };

  readonly refresh = (): void => {
    this.#view = new MemoryView(this.#load());
  };

  readonly snapshot = (): ByteMapSnapshot => new MemoryView(this.#load());

  readonly size = (): StoreSize => {
    const sizeBytes = this.#load().reduce((sum, table) => sum + table.sizeBytes, 0);
    return { dbSizeBytes: sizeBytes, dbSizeInUseBytes: sizeBytes };
  };

  readonly close = async (): Promise<void> => {};
}

function applyWrites(tables: Tables, records: SharedRecords): Tables {
  const changed = new Map<Table, Map<string, MemoryPair>>();
  visitRecords(records, (table, key, value) => {
    const pairs = changed.get(table) ?? new Map(tables[table]!.pairs);
    changed.set(table, pairs);
    const copy = Buffer.from(key);
    const text = copy.toString('latin1');
    if (value === undefined) pairs.delete(text);
    else pairs.set(text, { key: copy, value: Buffer.from(value) });
  });
  return tables.map((table, slot) => {
    const pairs = changed.get(slot as Table);
    return pairs === undefined ? table : new MemoryTable(pairs);
  });
}

/** The tables at one moment. */
class MemoryView implements ByteMapSnapshot {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  readonly get = (table: Table, key: Buffer): Buffer | undefined =>
    this.#tables[table]!.pairs.get(key.toString('latin1'))?.value;

  readonly cursor = (table: Table, bounds: ScanBounds): PairCursor =>
    new MemoryCursor(this.#tables[table]!, bounds);

  readonly scan: ByteMapSnapshot['scan'] = (table, bounds, visit) => {
    if (isEmptyRange(bounds)) return;
    mergePairs([this.cursor(table, bounds)], bounds.reverse, visit);
  };

  readonly close = (): void => {};
}

/** Walks over a sorted array of keys, either way. */
class MemoryCursor implements PairCursor {
  key: Buffer | undefined;
  value: Buffer | undefined;
  readonly #table: MemoryTable;
  readonly #step: number;
  readonly #endSlot: number;
  #slot: number;

  constructor(table: MemoryTable, bounds: ScanBounds) {
    this.#table = table;
    const from = slotOf(table.keys, bounds.from);
    const to = bounds.to === undefined ? table.keys.length : slotOf(table.keys, bounds.to);
    this.#step = bounds.reverse ? -1 : 1;
    this.#slot = bounds.reverse ? to - 1 : from;
    this.#endSlot = bounds.reverse ? from - 1 : to;
    this.#settle();
  }

  advance(): void {
    this.#slot += this.#step;
    this.#settle();
  }

  close(): void {}

  #settle(): void {
    const text = this.#slot === this.#endSlot ? undefined : this.#table.keys[this.#slot];
    const pair = text === undefined ? undefined : this.#table.pairs.get(text);
    this.key = pair?.key;
    this.value = pair?.value;
  }
}

/** The slot of the first key at or behind another. */
function slotOf(keys: readonly string[], key: Buffer): number {
  const text = key.toString('latin1');
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
