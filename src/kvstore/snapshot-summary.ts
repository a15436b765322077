/**
 * What a snapshot holds, from its stream alone: nothing is written anywhere. And the checksum by
 * which a store that was made from it is held to it.
 */

import { crc32 } from 'node:zlib';
import { type ByteMap, type SnapshotFacts, Table } from '../../include/kvstore.ts';
import { ALL_PAIRS } from './pair-cursor.ts';
import { damaged, SnapshotPairs } from './snapshot-pairs.ts';
import { decodeState, isStateKey } from './store-state.ts';

/** What users see of a state; the other tables tell of this cluster only. */
const HASHED_TABLES: readonly Table[] = [
  ...[Table.Keys, Table.Revisions, Table.Tombstones],
  ...[Table.Leases, Table.LeaseKeys],
];

/** Takes a snapshot's chunks, and says what they are. */
export class SnapshotSummary {
  readonly #pairs: SnapshotPairs;
  #state: Buffer | undefined = undefined;
  #keyCount = 0;
  #hash = 0;

  constructor() {
    this.#pairs = new SnapshotPairs((table, key, value) => {
      if (table === Table.Meta && isStateKey(key)) this.#state = Buffer.from(value);
      if (table === Table.Keys) this.#keyCount += 1;
      if (HASHED_TABLES.includes(table)) this.#hash = hashPair(this.#hash, key, value);
    });
  }

  /** Takes a chunk. @throws KvorumError FrameMalformed: the stream is damaged */
  write(chunk: Buffer): void {
    this.#pairs.write(chunk);
  }

  /** What it was. @throws KvorumError FrameMalformed, StoreError: another version wrote it */
  finish(): SnapshotFacts {
    this.#pairs.finish();
    if (this.#state === undefined) throw damaged('it says nothing of its state');
    const state = decodeState(this.#state, 'snapshot');
    this.#pairs.checkState(state, this.#keyCount);
    const { revision, compactRevision, keyCount, applied } = state;
    return { revision, compactRevision, keyCount, applied, hash: this.#hash };
  }
}

/** The checksum that a snapshot of this map would have. Visits everything. */
export function hashMap(map: ByteMap): number {
  let hash = 0;
  for (const table of HASHED_TABLES) {
    map.scan(table, ALL_PAIRS, (key, value) => {
      hash = hashPair(hash, key, value);
      return true;
    });
  }
  return hash;
}

function hashPair(hash: number, key: Buffer, value: Buffer): number {
  return crc32(value, crc32(key, hash));
}
