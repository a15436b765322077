/**
 * The file of a snapshot: what `snapshot save` writes and `snapshot restore` reads. Pure: whoever
 * has the bytes reads and writes them.
 *
 *   head    magic 'kvorumSN' | version u32 | cluster u64 | CRC-32 of what is before it u32
 *   stream  a snapshot as nodes send it
 *   zeros   up to 40 bytes before a multiple of 512, and 32
 *   tail    bytes of the stream u64 | SHA-256 of all before it
 *
 * So a file has 32 bytes more than a multiple of 512: etcdctl takes no other for whole.
 * Source: docs/STORAGE.md.
 */

import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ErrorCode, KvorumError } from '../../include/rpc.ts';

/** Version of the file's layout. What is in the stream has a version of its own. */
export const SNAPSHOT_FILE_VERSION = 1;

/** Bytes of the head. */
export const SNAPSHOT_HEAD_BYTES = 24;

/** Bytes of the tail. */
export const SNAPSHOT_TAIL_BYTES = 40;

const MAGIC = Buffer.from('kvorumSN', 'latin1');
const SECTOR_BYTES = 512;

/** Bytes of the checksum, the last of the file. */
export const SNAPSHOT_HASH_BYTES = 32;

/** Where bbolt, etcd's store, has its magic, and what it is. */
const BBOLT_MAGIC_OFFSET = 16;
const BBOLT_MAGIC = 0xed0c_daed;

/** What a file says at its end. */
export type SnapshotTail = {
  readonly streamBytes: number;
  /** SHA-256 of all before it. */
  readonly sha256: Buffer;
};

/** Makes the parts of a file around its stream. */
export class SnapshotFileWriter {
  readonly #hash: Hash = createHash('sha256');
  /** Bytes so far. */
  sizeBytes = 0;

  /** The head. */
  begin(clusterId: bigint): Buffer {
    const head = Buffer.alloc(SNAPSHOT_HEAD_BYTES);
    MAGIC.copy(head);
    head.writeUInt32BE(SNAPSHOT_FILE_VERSION, 8);
    head.writeBigUInt64BE(clusterId, 12);
    head.writeUInt32BE(crc32(head.subarray(0, 20)), 20);
    return this.#add(head);
  }

  /** Accounts for a piece of the stream, which goes into the file as it is. */
  chunk(bytes: Buffer): Buffer {
    return this.#add(bytes);
  }

  /** What follows the stream. */
  end(): Buffer {
    const streamBytes = this.sizeBytes - SNAPSHOT_HEAD_BYTES;
    const lengthEnd = this.sizeBytes + SNAPSHOT_TAIL_BYTES - SNAPSHOT_HASH_BYTES;
    const zeroBytes = (SECTOR_BYTES - (lengthEnd % SECTOR_BYTES)) % SECTOR_BYTES;
    const length = Buffer.alloc(zeroBytes + SNAPSHOT_TAIL_BYTES - SNAPSHOT_HASH_BYTES);
    length.writeBigUInt64BE(BigInt(streamBytes), zeroBytes);
    this.#add(length);
    this.sizeBytes += SNAPSHOT_HASH_BYTES;
    return Buffer.concat([length, this.#hash.digest()]);
  }

  #add(bytes: Buffer): Buffer {
    this.#hash.update(bytes);
    this.sizeBytes += bytes.length;
    return bytes;
  }
}

/**
 * Reads a head.
 *
 * @param bytes the first of a file, at most SNAPSHOT_HEAD_BYTES
 * @returns the cluster that it came from
 * @throws KvorumError FrameMalformed: what the file is instead
 */
export function decodeSnapshotHead(bytes: Buffer): bigint {
  if (bytes.length < SNAPSHOT_HEAD_BYTES) throw wrong(`it has only ${bytes.length} bytes`);
  if (bytes.readUInt32LE(BBOLT_MAGIC_OFFSET) === BBOLT_MAGIC) {
    throw wrong('it is one of etcd: restore it with etcdutl, and copy that with make-mirror');
  }
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw wrong('it is something else');
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32BE(20)) throw wrong('its head is damaged');
  const version = bytes.readUInt32BE(8);
  if (version !== SNAPSHOT_FILE_VERSION) {
    throw wrong(`it has format ${version}, this kvorum knows ${SNAPSHOT_FILE_VERSION}`);
  }
  return bytes.readBigUInt64BE(12);
}

/**
 * Reads a tail.
 *
 * @param bytes the last SNAPSHOT_TAIL_BYTES of a file
 * @param sizeBytes of the file
 * @throws KvorumError FrameMalformed
 */
export function decodeSnapshotTail(bytes: Buffer, sizeBytes: number): SnapshotTail {
  const streamBytes = Number(bytes.readBigUInt64BE(0));
  const restBytes = sizeBytes - SNAPSHOT_HEAD_BYTES - streamBytes - SNAPSHOT_TAIL_BYTES;
  if (
    sizeBytes % SECTOR_BYTES !== SNAPSHOT_HASH_BYTES ||
    restBytes < 0 ||
    restBytes >= SECTOR_BYTES
  ) {
    throw wrong('it was cut short, or its end is damaged');
  }
  return { streamBytes, sha256: bytes.subarray(SNAPSHOT_TAIL_BYTES - SNAPSHOT_HASH_BYTES) };
}

/** What is wrong with a file. */
export function wrong(how: string): KvorumError {
  return new KvorumError(ErrorCode.FrameMalformed, `not a whole kvorum snapshot: ${how}`);
}
