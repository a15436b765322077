/**
 * Whether a pair that came from outside can be one of its table: the lengths and kinds that whoever
 * reads it later relies on. What Meta and Sessions hold is judged when a store is made of it.
 *
 * A checksum says that a snapshot is as it was sent, not that its sender was sound.
 */

import { KEY_BYTES_MAX, Table } from '../../include/kvstore.ts';
import { isKeyRecord } from './key-record.ts';
import { isLeaseKey, isLeasePair } from './lease-table.ts';
import { isRevisionPair } from './revision-record.ts';

/** Whether a table may hold this. */
export function isPair(table: Table, key: Buffer, value: Buffer): boolean {
  switch (table) {
    case Table.Keys:
    case Table.Tombstones:
      return key.length <= KEY_BYTES_MAX && isKeyRecord(value);
    case Table.Revisions:
      return isRevisionPair(key, value);
    case Table.Leases:
      return isLeasePair(key, value);
    case Table.LeaseKeys:
      return isLeaseKey(key, value);
    case Table.Meta:
    case Table.Sessions:
      return true;
  }
}
