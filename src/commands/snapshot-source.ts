/** A snapshot file, checked from end to end before anything is done with it. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { SnapshotFacts } from '../../include/kvstore.ts';
import { KvorumError } from '../../include/rpc.ts';
import {
  decodeSnapshotHead,
  decodeSnapshotTail,
  SNAPSHOT_HEAD_BYTES,
  SNAPSHOT_TAIL_BYTES,
  wrong,
} from '../client/snapshot-file.ts';
import { SnapshotSummary } from '../kvstore/snapshot-summary.ts';
import { CommandError, ExitCode } from './command-error.ts';

/** Bytes read at once. */
const READ_BYTES = 1024 * 1024;

/** A snapshot that is whole. */
export type SnapshotSource = {
  /** The cluster it came from. */
  readonly clusterId: bigint;
  readonly sizeBytes: number;
  readonly sha256: Buffer;
  readonly facts: SnapshotFacts;
  /** The stream in it, read anew. */
  readonly chunks: () => AsyncIterable<Buffer>;
};

/**
 * Reads a file from end to end.
 *
 * @param onRead is told how many bytes of how many were read
 * @throws CommandError: the file, and what is wrong with it
 */
export async function openSnapshot(
  path: string,
  onRead: (doneBytes: number, sizeBytes: number) => void = () => {},
): Promise<SnapshotSource> {
  try {
    return await checkSnapshot(path, onRead);
  } catch (cause) {
    const isExpected = cause instanceof KvorumError || (cause instanceof Error && 'code' in cause);
    if (!isExpected && !(cause instanceof Error && cause.name === 'StoreError')) throw cause;
    throw new CommandError(ExitCode.BadFile, `${path}: ${cause.message}`);
  }
}

async function checkSnapshot(
  path: string,
  onRead: (doneBytes: number, sizeBytes: number) => void,
): Promise<SnapshotSource> {
  const { clusterId, sizeBytes, streamBytes, sha256 } = await readEnds(path);
  const summary = new SnapshotSummary();
  const hash = createHash('sha256');
  const streamEnd = SNAPSHOT_HEAD_BYTES + streamBytes;
  let offset = 0;
  for await (const piece of readPart(path, 0, sizeBytes - sha256.length)) {
    hash.update(piece);
    const from = Math.max(0, SNAPSHOT_HEAD_BYTES - offset);
    summary.write(piece.subarray(from, Math.max(from, streamEnd - offset)));
    offset += piece.length;
    onRead(offset, sizeBytes);
  }
  if (!hash.digest().equals(sha256)) throw wrong('its checksum is wrong: it is damaged');
  const facts = summary.finish();
  const chunks = () => readPart(path, SNAPSHOT_HEAD_BYTES, streamEnd);
  return { clusterId, sizeBytes, sha256, facts, chunks };
}

/** What the file says at its two ends. */
async function readEnds(path: string) {
  const file = await open(path, 'r');
  try {
    const { size: sizeBytes } = await file.stat();
    const clusterId = decodeSnapshotHead(await readAt(file, 0, SNAPSHOT_HEAD_BYTES));
    const tail = await readAt(file, sizeBytes - SNAPSHOT_TAIL_BYTES, SNAPSHOT_TAIL_BYTES);
    return { clusterId, sizeBytes, ...decodeSnapshotTail(tail, sizeBytes) };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, offset: number, sizeBytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(sizeBytes),
    0,
    sizeBytes,
    Math.max(0, offset),
  );
  return buffer.subarray(0, bytesRead);
}

/** The bytes from `start` up to `end`. */
function readPart(path: string, start: number, end: number): AsyncIterable<Buffer> {
  return createReadStream(path, { start, end: end - 1, highWaterMark: READ_BYTES });
}
