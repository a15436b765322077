/** The version of the cluster as it is kept: one record of Meta, once it is above the first. */

import { type ByteMap, Table } from '../../include/kvstore.ts';
import { PROTOCOL_VERSION_MIN } from '../../include/rpc.ts';

const VERSION_KEY = Buffer.from('version');

/** Reads it. */
export function loadClusterVersion(map: ByteMap): number {
  const record = map.get(Table.Meta, VERSION_KEY);
  return record === undefined || record.length !== 4 ? PROTOCOL_VERSION_MIN : record.readUInt32BE();
}

/** Writes it. */
export function saveClusterVersion(map: ByteMap, version: number): void {
  map.put(Table.Meta, Buffer.from(VERSION_KEY), encodeClusterVersion(version));
}

/** The record. */
export function encodeClusterVersion(version: number): Buffer {
  const record = Buffer.alloc(4);
  record.writeUInt32BE(version);
  return record;
}
