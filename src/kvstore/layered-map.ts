/**
 * The ByteMap: up to two overlays over a durable base.
 *
 *   active   what was written since the last flush began; writes go here
 *   frozen   what the flush in flight is making durable
 *   base     what completed flushes made durable
 *
 * A read asks them in this order. The base commits seldom and with full durability, off the event
 * loop, while the write-ahead log makes each write durable; an acknowledged write that the base
 * lacks after a crash is replayed from the log.
 */

import type {
  ByteMap,
  ByteMapSnapshot,
  PartCount,
  ScanBounds,
  StoreSize,
  Table,
  VisitPair,
} from '../../include/kvstore.ts';
import { assert } from '../assert.ts';
import type { MapBase } from './map-base.ts';
import { type EntryPairCursor, Overlay } from './overlay.ts';
import { isEmptyRange, mergePairs, type PairCursor, type VisitDeleted } from './pair-cursor.ts';
import { NO_ENTRY } from './sorted-entries.ts';

/** Looking at an entry of an overlay costs as much as counting so many keys of the base. */
const COUNTS_PER_ENTRY = 32;

/** Makes a map over a base, which it owns. */
export function createLayeredMap(base: MapBase): ByteMap {
  const map = new LayeredMap(base);
  return {
    get: (table, key) => map.get(table, key),
    put: (table, key, value) => map.write(table, key, value),
    delete: (table, key) => map.write(table, key, undefined),
    scan: (table, bounds, visit, visitDeleted) => map.scan(table, bounds, visit, visitDeleted),
    count: (table, bounds) => map.countSome(table, bounds, Number.POSITIVE_INFINITY).count,
    countSome: (table, bounds, countMax) => map.countSome(table, bounds, countMax),
    readAhead: (table, bounds, countMax) => base.readAhead(table, bounds, countMax),
    unflushedBytes: () => map.unflushedBytes,
    flush: () => map.flush(),
    snapshot: () => map.snapshot(),
    size: () => map.size(),
    close: () => map.close(),
  };
}

class LayeredMap {
  readonly #base: MapBase;
  #active = new Overlay();
  #frozen: Overlay | undefined;
  /** An empty one, to be written to next: its memory is used again. */
  #spare: Overlay | undefined;
  /** The flush in flight; a failed one stays for good. */
  #flushing: Promise<void> | undefined;
  /** Counts the base's changes: what an entry knows about the base holds for one epoch. */
  #epoch = 0;
  #scans = 0;
  #isClosed = false;

  constructor(base: MapBase) {
    this.#base = base;
  }

  get unflushedBytes(): number {
    return this.#active.sizeBytes;
  }

  get(table: Table, key: Buffer): Buffer | undefined {
    const active = this.#active.tables[table]!;
    if (active.count > 0) {
      const entry = active.find(key);
      if (entry !== NO_ENTRY) return active.valueOf(entry);
    }
    const frozen = this.#frozen?.tables[table];
    if (frozen !== undefined && frozen.count > 0) {
      const entry = frozen.find(key);
      if (entry !== NO_ENTRY) return frozen.valueOf(entry);
    }
    return this.#base.get(table, key);
  }

  write(table: Table, key: Buffer, value: Buffer | undefined): void {
    assert(this.#scans === 0, 'a scan must not write');
    assert(!this.#isClosed, 'a closed map is not written to');
    this.#active.write(table, key, value);
  }

  scan(table: Table, bounds: ScanBounds, visit: VisitPair, visitDeleted?: VisitDeleted): void {
    if (isEmptyRange(bounds)) return;
    const cursors: PairCursor[] = this.#overlayCursors(table, bounds);
    cursors.push(this.#base.cursor(table, bounds));
    this.#scans += 1;
    try {
      mergePairs(cursors, bounds.reverse, visit, visitDeleted);
    } finally {
      this.#scans -= 1;
    }
  }

  countSome(table: Table, bounds: ScanBounds, countMax: number): PartCount {
    if (isEmptyRange(bounds)) return { count: 0, rest: undefined };
    const { count, rest } = this.#base.countSome(table, bounds, countMax);
    const { from } = bounds;
    const to = rest ?? bounds.to;
    const over = this.#countOver(table, { from, to, reverse: false }, countMax / COUNTS_PER_ENTRY);
    if (over.rest === undefined) return { count: count + over.count, rest };
    const below = { from, to: over.rest, reverse: false };
    const { count: belowCount } = this.#base.countSome(table, below, Number.POSITIVE_INFINITY);
    return { count: belowCount + over.count, rest: over.rest };
  }

  /** By how much the overlays change a count. */
  #countOver(table: Table, bounds: ScanBounds, entriesMax: number): PartCount {
    const cursors = this.#overlayCursors(table, bounds);
    let count = 0;
    for (let entries = 0; ; entries += 1) {
      const top = smallest(cursors);
      const key = top?.key;
      if (top === undefined || key === undefined) return { count, rest: undefined };
      if (entries >= entriesMax && entries > 0) return { count, rest: key };
      let isBelow = top.isBelow(this.#epoch);
      if (isBelow === undefined) {
        isBelow = this.#base.has(table, key);
        top.noteBelow(this.#epoch, isBelow);
      }
      if (!top.isDeletion) count += 1;
      if (isBelow) count -= 1;
      for (const cursor of cursors) {
        if (cursor === top || cursor.key?.equals(key)) cursor.advance();
      }
    }
  }

  flush(): Promise<void> {
    if (this.#flushing !== undefined) return this.#flushing.then(() => this.flush());
    if (this.#active.isEmpty) return Promise.resolve();
    const frozen = this.#active;
    this.#frozen = frozen;
    this.#active = this.#spare ?? new Overlay();
    this.#spare = undefined;
    this.#flushing = this.#base.write(frozen.share()).then(() => {
      this.#base.refresh();
      this.#epoch += 1;
      this.#frozen = undefined;
      frozen.clear();
      this.#spare = frozen;
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async snapshot(): Promise<ByteMapSnapshot> {
    await this.flush();
    return this.#base.snapshot();
  }

  size(): StoreSize {
    return this.#base.size();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // A flush that failed has told its caller; the base is closed all the same.
    await this.#flushing?.catch(() => {});
    await this.#base.close();
  }

  #overlayCursors(table: Table, bounds: ScanBounds): EntryPairCursor[] {
    const cursors: EntryPairCursor[] = [];
    this.#active.tables[table]!.pushCursors(bounds, cursors);
    if (this.#frozen !== undefined) this.#frozen.tables[table]!.pushCursors(bounds, cursors);
    return cursors;
  }
}

/**
 * The cursor with the smallest key, the topmost layer's of equal ones; undefined when all are at
 * their end.
 */
function smallest(cursors: readonly EntryPairCursor[]): EntryPairCursor | undefined {
  let found: EntryPairCursor | undefined;
  for (const cursor of cursors) {
    if (cursor.key === undefined) continue;
    if (found?.key === undefined || cursor.key.compare(found.key) < 0) found = cursor;
  }
  return found;
}
