/** The stream of a snapshot, as it comes and with its checksum made right. */

import { crc32 } from 'node:zlib';
import { StoreError } from '../../include/kvstore.ts';
import { KvorumError } from '../../include/rpc.ts';
import { SnapshotImport } from '../../src/kvstore/snapshot-import.ts';
import { END_BYTES, END_MARK, PAIR_HEADER_BYTES } from '../../src/kvstore/snapshot-stream.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { createMemoryHome } from '../kvstore/memory-base.ts';
import { applyRandomCommands } from './random-store.ts';
import type { Target } from './target.ts';

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
];
