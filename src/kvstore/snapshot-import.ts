/**
 * Receives the stream of snapshot-stream.ts into a fresh map, checks it, and leaves the map ready
 * to be installed. The chunks may be cut anywhere.
 */

import { type AppliedPosition, type ByteMap, FLUSH_BYTES, Table } from '../../include/kvstore.ts';
import { ALL_PAIRS } from './pair-cursor.ts';
import { SnapshotPairs } from './snapshot-pairs.ts';
import { loadState } from './store-state.ts';

/** Takes a snapshot's chunks. */
export class SnapshotImport {
  readonly #map: ByteMap;
  readonly #pairs: SnapshotPairs;

  constructor(map: ByteMap) {
    this.#map = map;
    this.#pairs = new SnapshotPairs((table, key, value) => map.put(table, key, value));
  }

  /**
   * Takes a chunk and owns it. Resolves when the next may come; rejects when the stream is damaged.
   */
  async write(chunk: Buffer): Promise<void> {
    this.#pairs.write(chunk);
    if (this.#map.unflushedBytes() >= FLUSH_BYTES) await this.#map.flush();
  }

  /** Checks that all came, and makes it durable. */
  async finish(): Promise<AppliedPosition> {
    this.#pairs.finish();
    await this.#map.flush();
    const state = loadState(this.#map, 'of a snapshot');
    this.#pairs.checkState(state, this.#map.count(Table.Keys, ALL_PAIRS));
    return state.applied;
  }
}
