/**
 * The alarms of a store as they are kept: one record of Meta, there while any is raised.
 *
 *   node u32 | kind u8     each, by node, then by kind
 */

import { type Alarm, type AlarmKind, type ByteMap, Table } from '../../include/kvstore.ts';

const ALARMS_KEY = Buffer.from('alarms');
const ALARM_BYTES = 5;

/**
 * Reads the alarms of a map that was just opened.
 *
 * @returns undefined when the record is something else
 */
export function loadAlarms(map: ByteMap): readonly Alarm[] | undefined {
  const record = map.get(Table.Meta, ALARMS_KEY) ?? Buffer.alloc(0);
  if (record.length % ALARM_BYTES !== 0) return undefined;
  const alarms: Alarm[] = [];
  for (let offset = 0; offset < record.length; offset += ALARM_BYTES) {
    const kind = record.readUInt8(offset + 4) as AlarmKind;
    alarms.push({ nodeId: record.readUInt32BE(offset), kind });
  }
  return alarms;
}

/** Writes the alarms into a map. */
export function saveAlarms(map: ByteMap, alarms: readonly Alarm[]): void {
  const key = Buffer.from(ALARMS_KEY);
  if (alarms.length === 0) map.delete(Table.Meta, key);
  else map.put(Table.Meta, key, encodeAlarms(alarms));
}

/** The record of alarms; empty when none is raised. */
export function encodeAlarms(alarms: readonly Alarm[]): Buffer {
  const record = Buffer.alloc(alarms.length * ALARM_BYTES);
  for (const [slot, { nodeId, kind }] of alarms.entries()) {
    record.writeUInt32BE(nodeId, slot * ALARM_BYTES);
    record.writeUInt8(kind, slot * ALARM_BYTES + 4);
  }
  return record;
}
