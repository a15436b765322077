/**
 * A segment's name and its first block.
 *
 * Layout, big-endian: magic 8 | version u32 | crc u32 | cluster id u64 | node id u32 | salt u32 |
 * sequence u64 | first index u64 | first group u64 | zeros up to WAL_BLOCK_BYTES.
 * The crc covers the fields behind it. The salt is drawn for each segment and seeds the CRC of
 * every group in it, so that bytes of another file, or a client's value, never pass for a group
 * here.
 *
 * Invariant: a head is whole before its file gets its name (written and synced as a temporary file,
 * then renamed), so a named segment with a damaged head is damage and no crash.
 */

import { crc32 } from 'node:zlib';
import {
  FaultKind,
  type LogIndex,
  NodeFault,
  type NodeId,
  WAL_BLOCK_BYTES,
  WAL_FORMAT_VERSION,
} from '../../../include/node.ts';
import { assert } from '../../assert.ts';

/** What the first block says. */
export type SegmentHead = {
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  readonly salt: number;
  /** The segment's number, from 1, without gaps. */
  readonly sequence: number;
  /** One above the log's last index when the segment was begun. */
  readonly firstIndex: LogIndex;
  /** Number of its first group: one above the last group of the segment before. */
  readonly firstGroup: number;
};

/** Whose log it is. */
export type LogOwner = { readonly clusterId: bigint; readonly nodeId: NodeId };

/** The name of a segment that is being made; removed at start. */
export const SEGMENT_DRAFT_NAME = 'draft.tmp';

const MAGIC = Buffer.from('kvorumWL', 'latin1');
const VERSION_OFFSET = 8;
const CRC_OFFSET = 12;
const COVERED_OFFSET = 16;
const HEAD_BYTES = 56;
const NAME_PATTERN = /^(\d{16})-(\d{16})\.wal$/;
const NAME_DIGITS = 16;

/** A segment's file name: its number and first index, so that a listing reads as the log. */
export function segmentName(sequence: number, firstIndex: LogIndex): string {
  const digits = (value: number) => String(value).padStart(NAME_DIGITS, '0');
  return `${digits(sequence)}-${digits(firstIndex)}.wal`;
}

/** The sequence number that a file name announces, or 0 when it is not a segment's name. */
export function segmentSequence(name: string): number {
  const match = NAME_PATTERN.exec(name);
  return match === null ? 0 : Number(match[1]);
}

/** Encodes a head as a whole block. */
export function encodeSegmentHead(head: SegmentHead): Buffer {
  assert(Number.isSafeInteger(head.firstGroup), 'group numbers are safe', head.firstGroup);
  const block = Buffer.alloc(WAL_BLOCK_BYTES);
  MAGIC.copy(block);
  block.writeUInt32BE(WAL_FORMAT_VERSION, VERSION_OFFSET);
  block.writeBigUInt64BE(head.clusterId, 16);
  block.writeUInt32BE(head.nodeId, 24);
  block.writeUInt32BE(head.salt, 28);
  block.writeBigUInt64BE(BigInt(head.sequence), 32);
  block.writeBigUInt64BE(BigInt(head.firstIndex), 40);
  block.writeBigUInt64BE(BigInt(head.firstGroup), 48);
  block.writeUInt32BE(crc32(block.subarray(COVERED_OFFSET, HEAD_BYTES)), CRC_OFFSET);
  return block;
}

/**
 * Decodes the head of a segment and holds it against its owner and its name.
 *
 * @param bytes the file from its start; borrowed
 * @throws NodeFault LogCorrupt, LogNewer, LogForeign
 */
export function decodeSegmentHead(
  bytes: Buffer,
  path: string,
  name: string,
  owner: LogOwner,
): SegmentHead {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw damaged(path, 0, 'no head of a log segment');
  }
  const version = bytes.readUInt32BE(VERSION_OFFSET);
  if (version !== WAL_FORMAT_VERSION) {
    throw new NodeFault(
      FaultKind.LogNewer,
      `log format ${version}, this kvorum reads ${WAL_FORMAT_VERSION}`,
      { path, offset: VERSION_OFFSET, remedy: 'run the kvorum that wrote it, or a newer one' },
    );
  }
  if (crc32(bytes.subarray(COVERED_OFFSET, HEAD_BYTES)) !== bytes.readUInt32BE(CRC_OFFSET)) {
    throw damaged(path, CRC_OFFSET, 'the checksum of the segment head does not match');
  }
  const head: SegmentHead = {
    clusterId: bytes.readBigUInt64BE(16),
    nodeId: bytes.readUInt32BE(24),
    salt: bytes.readUInt32BE(28),
    sequence: Number(bytes.readBigUInt64BE(32)),
    firstIndex: Number(bytes.readBigUInt64BE(40)),
    firstGroup: Number(bytes.readBigUInt64BE(48)),
  };
  if (head.clusterId !== owner.clusterId || head.nodeId !== owner.nodeId) {
    throw foreign(head, path, owner);
  }
  if (segmentName(head.sequence, head.firstIndex) !== name) {
    throw damaged(path, 32, `renamed: it is ${segmentName(head.sequence, head.firstIndex)}`);
  }
  return head;
}

/** The fault of a log that no crash can have left so. */
export function damaged(path: string, offset: number | undefined, what: string): NodeFault {
  return new NodeFault(FaultKind.LogCorrupt, `the log is damaged: ${what}`, {
    path,
    ...(offset === undefined ? {} : { offset }),
    remedy:
      'restore the file, or remove this member from the cluster, ' +
      'delete its data directory and add it again as a new member',
  });
}

function foreign(head: SegmentHead, path: string, owner: LogOwner): NodeFault {
  const name = (who: LogOwner) => `node ${who.nodeId} of cluster ${who.clusterId.toString(16)}`;
  return new NodeFault(FaultKind.LogForeign, `the log of ${name(head)}, this is ${name(owner)}`, {
    path,
    remedy: 'start with the data directory and nodes.conf that belong together',
  });
}
