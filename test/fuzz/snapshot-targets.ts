/**
 * The stream of a snapshot, and the file that a backup is: as they come, and with their checksums
 * made right.
 */

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { StoreError } from '../../include/kvstore.ts';
import { KvorumError } from '../../include/rpc.ts';
import { AssertionError } from '../../src/assert.ts';
import {
  SNAPSHOT_HASH_BYTES,
  SNAPSHOT_HEAD_BYTES,
  SnapshotFileWriter,
} from '../../src/client/snapshot-file.ts';
import { CommandError, ExitCode } from '../../src/commands/command-error.ts';
import { openSnapshot } from '../../src/commands/snapshot-source.ts';
import { SnapshotImport } from '../../src/kvstore/snapshot-import.ts';
import { END_BYTES, END_MARK, PAIR_HEADER_BYTES } from '../../src/kvstore/snapshot-stream.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { createMemoryHome } from '../kvstore/memory-base.ts';
import { applyRandomCommands } from './random-store.ts';
import type { Target } from './target.ts';
import { useStore } from './use-store.ts';

const SNAPSHOTS = await Promise.all([0, 3, 10, 30].map(snapshotOf));

async function snapshotOf(commandCount: number): Promise<Buffer> {
  const store = await openStore(createMemoryHome());
  applyRandomCommands(store, createRandom(commandCount), commandCount);
  const reader = await store.exportSnapshot();
  const chunks: Buffer[] = [];
  for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) chunks.push(chunk);
  reader.close();
  await store.close();
  return Buffer.concat(chunks);
}

function draw(random: Random): Buffer {
  return SNAPSHOTS[random.below(SNAPSHOTS.length)]!;
}

async function read(bytes: Buffer): Promise<boolean> {
  const map = await createMemoryHome().createIncoming();
  const incoming = new SnapshotImport(map);
  try {
    const cut = bytes.length === 0 ? 0 : bytes[0]! % bytes.length;
    await incoming.write(Buffer.from(bytes.subarray(0, cut)));
    await incoming.write(Buffer.from(bytes.subarray(cut)));
    await incoming.finish();
    return true;
  } catch (error) {
    if (error instanceof KvorumError || error instanceof StoreError) return false;
    throw error;
  } finally {
    await map.close();
  }
}

/**
 * What records say of each other is their sender's affair: no look at one of them tells. A node
 * that comes upon it ends by one of these.
 */
const CROSS_REFERENCES = [
  'the newest revision of a key is there',
  'a chain leads through revisions that are there',
  'a revision leads to older ones',
  'a key that hangs on a lease is there',
];

/** A member that takes it, and all that is asked of it from then on. */
async function live(bytes: Buffer): Promise<boolean> {
  const store = await openStore(createMemoryHome());
  try {
    const incoming = await store.importSnapshot();
    await incoming.write(bytes);
    await incoming.finish();
    await store.installSnapshot();
    await useStore(store);
    return true;
  } catch (error) {
    if (error instanceof KvorumError || error instanceof StoreError) return false;
    if (error instanceof AssertionError && isOfCrossReferences(error)) return false;
    throw error;
  }
}

function isOfCrossReferences({ message }: AssertionError): boolean {
  return CROSS_REFERENCES.some((text) => message.includes(text));
}

function drawFile(random: Random): Buffer {
  const writer = new SnapshotFileWriter();
  const head = writer.begin(BigInt(random.below(100)));
  return Buffer.concat([head, writer.chunk(draw(random)), writer.end()]);
}

/** What `snapshot restore` and `snapshot status` do with a file before anything else. */
async function readFile(bytes: Buffer): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-fuzz-'));
  const path = join(directory, 'backup');
  try {
    await writeFile(path, bytes);
    await openSnapshot(path);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === ExitCode.BadFile) return false;
    throw error;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Makes the checksums of a file's end and of the stream in it say what stands before them. */
function mendFile(bytes: Buffer): Buffer {
  const writer = new SnapshotFileWriter();
  writer.begin(0n);
  const stream = mend(bytes.subarray(SNAPSHOT_HEAD_BYTES));
  writer.chunk(stream);
  const head = bytes.subarray(0, SNAPSHOT_HEAD_BYTES);
  const rest = writer.end();
  const before = Buffer.concat([head, stream, rest.subarray(0, -SNAPSHOT_HASH_BYTES)]);
  return Buffer.concat([before, createHash('sha256').update(before).digest()]);
}

/** Makes the end say what stands before it, as far as that can be taken for pairs. */
function mend(bytes: Buffer): Buffer {
  let pairCount = 0;
  let offset = 0;
  while (offset + PAIR_HEADER_BYTES <= bytes.length && bytes[offset] !== END_MARK) {
    const keyBytes = bytes.readUInt16BE(offset + 1);
    const valueBytes = bytes.readUInt32BE(offset + 3);
    const next = offset + PAIR_HEADER_BYTES + keyBytes + valueBytes;
    if (next > bytes.length) break;
    offset = next;
    pairCount += 1;
  }
  const pairs = bytes.subarray(0, offset);
  const end = Buffer.alloc(END_BYTES);
  end[0] = END_MARK;
  end.writeBigUInt64BE(BigInt(pairCount), 1);
  end.writeUInt32BE(crc32(pairs), 9);
  return Buffer.concat([pairs, end]);
}

/** All of them. */
export const SNAPSHOT_TARGETS: readonly Target[] = [
  { name: 'snapshot', draw, read },
  { name: 'snapshot of right checksum', draw, read: (bytes) => read(mend(bytes)) },
  { name: 'store from a snapshot of right checksum', draw, read: (bytes) => live(mend(bytes)) },
  { name: 'backup file', draw: drawFile, read: readFile },
  { name: 'backup file of right checksums', draw: drawFile, read: (b) => readFile(mendFile(b)) },
];
