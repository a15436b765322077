/**
 * A configuration in bytes: one form for entries of the log, snapshots, the write-ahead log's
 * markers and the store. A leaf, since the core, the log, the store and the wire all need it.
 *
 * Layout, big-endian: voters, outgoing, learners, each as count u32 | ids u32. Then, if there is a
 * roster: next id u32 | count u32 | members, each as id u32 | goal u8 | port u16 | client port u16
 * (0 for none) | name bytes u16 | name | address bytes u16 | address.
 * Byte table: docs/PROTOCOL.md 11.
 */

import {
  type Configuration,
  MEMBER_NAME_BYTES_MAX,
  MemberGoal,
  type MemberRecord,
  NODE_ID_MAX,
  type NodeId,
  type Roster,
} from '../include/configuration.ts';
import { assert } from './assert.ts';

const LISTS = 3;
const RECORD_BYTES_MIN = 4 + 1 + 2 + 2 + 2 + 2;

/** Most bytes of an address: longer than any host name. */
const ADDRESS_BYTES_MAX = 255;

/** Bytes that are read from front to back; `isShort` once something was not there. */
type Cursor = { readonly bytes: Buffer; offset: number; isShort: boolean };

/** Encodes a configuration. */
export function encodeConfiguration(configuration: Configuration): Buffer {
  const { voters, outgoing, learners, roster } = configuration;
  const parts: Buffer[] = [];
  for (const ids of [voters, outgoing, learners]) {
    const list = Buffer.alloc(4 + 4 * ids.length);
    list.writeUInt32BE(ids.length, 0);
    for (const [slot, id] of ids.entries()) list.writeUInt32BE(id, 4 + 4 * slot);
    parts.push(list);
  }
  if (roster === undefined) return Buffer.concat(parts);

  const head = Buffer.alloc(8);
  head.writeUInt32BE(roster.nextId, 0);
  head.writeUInt32BE(roster.members.length, 4);
  return Buffer.concat([...parts, head, ...roster.members.map(encodeRecord)]);
}

/**
 * Decodes a configuration.
 *
 * @param bytes all of it and nothing else; borrowed
 * @returns undefined when it is none
 */
export function decodeConfiguration(bytes: Buffer): Configuration | undefined {
  const cursor: Cursor = { bytes, offset: 0, isShort: false };
  const lists: (readonly NodeId[])[] = [];
  for (let list = 0; list < LISTS; list += 1) {
    const ids = takeIds(cursor);
    if (ids === undefined) return undefined;
    lists.push(ids);
  }
  const [voters = [], outgoing = [], learners = []] = lists;
  if (cursor.offset === bytes.length) return { voters, outgoing, learners };
  const roster = takeRoster(cursor);
  if (roster === undefined || cursor.offset !== bytes.length) return undefined;
  return { voters, outgoing, learners, roster };
}

function encodeRecord(record: MemberRecord): Buffer {
  const name = Buffer.from(record.name);
  const address = Buffer.from(record.address);
  assert(name.length <= MEMBER_NAME_BYTES_MAX, 'a name has its limit', name.length);
  const bytes = Buffer.alloc(RECORD_BYTES_MIN + name.length + address.length);
  bytes.writeUInt32BE(record.id, 0);
  bytes.writeUInt8(record.goal, 4);
  bytes.writeUInt16BE(record.port, 5);
  bytes.writeUInt16BE(record.clientPort ?? 0, 7);
  bytes.writeUInt16BE(name.length, 9);
  name.copy(bytes, 11);
  bytes.writeUInt16BE(address.length, 11 + name.length);
  address.copy(bytes, 13 + name.length);
  return bytes;
}

function takeIds(cursor: Cursor): readonly NodeId[] | undefined {
  const count = take(cursor, 4);
  if (count * 4 > cursor.bytes.length - cursor.offset) return undefined;
  const ids: NodeId[] = [];
  for (let slot = 0; slot < count; slot += 1) ids.push(take(cursor, 4));
  return !cursor.isShort && isAscending(ids) ? ids : undefined;
}

function takeRoster(cursor: Cursor): Roster | undefined {
  const nextId = take(cursor, 4);
  const count = take(cursor, 4);
  if (cursor.isShort || count * RECORD_BYTES_MIN > cursor.bytes.length - cursor.offset)
    return undefined;
  const members: MemberRecord[] = [];
  for (let slot = 0; slot < count; slot += 1) {
    const member = takeRecord(cursor);
    if (member === undefined) return undefined;
    members.push(member);
  }
  return isAscending(members.map(({ id }) => id)) ? { nextId, members } : undefined;
}

function takeRecord(cursor: Cursor): MemberRecord | undefined {
  const id = take(cursor, 4);
  const code = take(cursor, 1);
  const goal = Object.values(MemberGoal).find((value) => value === code);
  const port = take(cursor, 2);
  const clientPort = take(cursor, 2);
  const name = takeText(cursor, MEMBER_NAME_BYTES_MAX);
  const address = takeText(cursor, ADDRESS_BYTES_MAX);
  if (cursor.isShort || goal === undefined || port === 0) return undefined;
  return { id, name, address, port, clientPort: clientPort === 0 ? undefined : clientPort, goal };
}

/** Takes a text. One that is no UTF-8 counts as missing: it would not come back as it was. */
function takeText(cursor: Cursor, bytesMax: number): string {
  const sizeBytes = take(cursor, 2);
  const start = cursor.offset;
  cursor.offset += sizeBytes;
  const text = cursor.bytes.toString('utf8', start, cursor.offset);
  if (sizeBytes > bytesMax || Buffer.byteLength(text) !== sizeBytes) cursor.isShort = true;
  return text;
}

/** Takes a number of 1, 2 or 4 bytes; 0 when it is not there. */
function take(cursor: Cursor, sizeBytes: number): number {
  const { bytes, offset } = cursor;
  if (cursor.isShort || offset + sizeBytes > bytes.length) {
    cursor.isShort = true;
    return 0;
  }
  cursor.offset += sizeBytes;
  return bytes.readUIntBE(offset, sizeBytes);
}

function isAscending(ids: readonly NodeId[]): boolean {
  return ids.every((id, slot) => id <= NODE_ID_MAX && (slot === 0 || id > ids[slot - 1]!));
}
