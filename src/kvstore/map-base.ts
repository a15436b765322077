/**
 * The durable layer under the overlays of a map: LMDB (lmdb-base.ts), or the memory of a simulated
 * disk (test/kvstore/memory-base.ts). It changes only by whole overlays.
 */

import type {
  ByteMap,
  ByteMapSnapshot,
  PartCount,
  ScanBounds,
  StoreSize,
  Table,
} from '../../include/kvstore.ts';
import type { PairCursor } from './pair-cursor.ts';
import type { SharedRecords } from './records.ts';

/** A durable ordered map that is written one overlay, as records, at a time. */
export type MapBase = {
  /** The value of a key, in a buffer that may be kept. */
  readonly get: (table: Table, key: Buffer) => Buffer | undefined;
  readonly has: (table: Table, key: Buffer) => boolean;
  /**
   * A cursor over bounds that are not empty; valid until the current turn of the event loop ends.
   */
  readonly cursor: (table: Table, bounds: ScanBounds) => PairCursor;
  /** As ByteMap.countSome. */
  readonly countSome: (table: Table, bounds: ScanBounds, countMax: number) => PartCount;
  /** As ByteMap.readAhead. */
  readonly readAhead: ByteMap['readAhead'];
  /**
   * Makes an overlay's records durable, all or nothing. They are borrowed, and must not change
   * before this resolves. One at a time. What the other operations see changes at the next refresh.
   */
  readonly write: (records: SharedRecords) => Promise<void>;
  /** From now on reads see what was written. */
  readonly refresh: () => void;
  /** A view of what was written last. */
  readonly snapshot: () => ByteMapSnapshot;
  readonly size: () => StoreSize;
  readonly close: () => Promise<void>;
};
