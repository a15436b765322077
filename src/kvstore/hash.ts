/**
 * A checksum of what a store means: equal on members that applied the same entries, however far
 * each has come with removing what is deleted or compacted.
 */

import { crc32 } from 'node:zlib';
import { Table } from '../../include/kvstore.ts';
import { encodeAlarms } from './alarm-record.ts';
import { encodeClusterVersion } from './cluster-version.ts';
import { isPrevRemovable, isRemovableDeletion, isSwept, sweepBounds } from './compaction.ts';
import { deleteStep } from './deletions.ts';
import { encodeRevisionKey, headMain } from './key-record.ts';
import { ALL_PAIRS } from './pair-cursor.ts';
import { prevKey } from './revision-record.ts';
import { hashSessions } from './session-table.ts';
import type { StoreState } from './store-state.ts';

/**
 * CRC-32 of revisions, keys, deletions, leases, alarms and sessions, in order. Visits everything,
 * and ends the deletions under way.
 */
export function hashState(state: StoreState): number {
  while (deleteStep(state));
  const { map, revision, compactRevision } = state;
  const removable = isSwept(state) ? new Set<string>() : removableRevisions(state);
  let hash = crc32(encodeRevisionKey(revision, 0));
  hash = crc32(encodeRevisionKey(compactRevision + 1, 0), hash);
  map.scan(Table.Revisions, ALL_PAIRS, (key, record) => {
    if (!removable.has(key.toString('latin1'))) hash = crc32(record, crc32(key, hash));
    return true;
  });
  for (const table of [Table.Keys, Table.Leases, Table.LeaseKeys]) {
    map.scan(table, ALL_PAIRS, (key, record) => {
      hash = crc32(record, crc32(key, hash));
      return true;
    });
  }
  map.scan(Table.Tombstones, ALL_PAIRS, (key, record) => {
    if (headMain(record) >= compactRevision) hash = crc32(record, crc32(key, hash));
    return true;
  });
  hash = crc32(encodeAlarms(state.alarms), hash);
  hash = crc32(encodeClusterVersion(state.clusterVersion), hash);
  return hashSessions(state.sessions, state.arena, hash);
}

/** The revisions that the rest of the compaction under way will remove. */
function removableRevisions(state: StoreState): Set<string> {
  const removable = new Set<string>();
  state.map.scan(Table.Revisions, sweepBounds(state), (key, record) => {
    if (isPrevRemovable(state, record)) removable.add(prevKey(record).toString('latin1'));
    if (isRemovableDeletion(state, key, record)) removable.add(key.toString('latin1'));
    return true;
  });
  return removable;
}
