/** The file of a snapshot: its ends say what it is, whatever is in the middle. */

import { createHash } from 'node:crypto';
import t from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import {
  decodeSnapshotHead,
  decodeSnapshotTail,
  SNAPSHOT_HEAD_BYTES,
  SNAPSHOT_TAIL_BYTES,
  SnapshotFileWriter,
} from '../../src/client/snapshot-file.ts';

function fileOf(stream: Buffer): Buffer {
  const writer = new SnapshotFileWriter();
  const parts = [writer.begin(0xabcn), writer.chunk(stream), writer.end()];
  const file = Buffer.concat(parts);
  t.equal(writer.sizeBytes, file.length);
  return file;
}

for (const sizeBytes of [0, 1, 439, 440, 441, 512, 5_000]) {
  t.test(`a stream of ${sizeBytes} bytes comes back from its file`, async (t) => {
    const stream = Buffer.alloc(sizeBytes, 'x');
    const file = fileOf(stream);
    t.equal(file.length % 512, 32, 'etcdctl takes it for whole');
    t.equal(decodeSnapshotHead(file.subarray(0, SNAPSHOT_HEAD_BYTES)), 0xabcn);
    const tail = decodeSnapshotTail(file.subarray(-SNAPSHOT_TAIL_BYTES), file.length);
    t.equal(tail.streamBytes, sizeBytes);
    t.strictSame(file.subarray(SNAPSHOT_HEAD_BYTES, SNAPSHOT_HEAD_BYTES + sizeBytes), stream);
    t.strictSame(tail.sha256, createHash('sha256').update(file.subarray(0, -32)).digest());
  });
}

const head = fileOf(Buffer.alloc(9)).subarray(0, SNAPSHOT_HEAD_BYTES);

function changed(change: (head: Buffer) => void): Buffer {
  const copy = Buffer.from(head);
  change(copy);
  return copy;
}

const wrongHeads = [
  ['that is too short', head.subarray(0, 23), /it has only 23 bytes/],
  ['of nothing', Buffer.alloc(0), /it has only 0 bytes/],
  ['of something else', Buffer.alloc(24, 'log'), /it is something else/],
  ['of a store of etcd', changed((bytes) => bytes.writeUInt32LE(0xed0cdaed, 16)), /one of etcd/],
  ['with a changed byte', changed((bytes) => bytes.writeUInt8(9, 13)), /its head is damaged/],
] as const;
for (const [name, bytes, message] of wrongHeads) {
  t.test(`a head ${name} is refused`, async (t) => {
    t.throws(() => decodeSnapshotHead(bytes), { code: ErrorCode.FrameMalformed, message });
  });
}

t.test('a file cut anywhere is refused by its size or its tail', async (t) => {
  const file = fileOf(Buffer.alloc(700, 'x'));
  for (let length = SNAPSHOT_HEAD_BYTES + SNAPSHOT_TAIL_BYTES; length < file.length; length += 1) {
    const cut = file.subarray(0, length);
    t.throws(() => decodeSnapshotTail(cut.subarray(-SNAPSHOT_TAIL_BYTES), length), {
      message: /cut short/,
    });
  }
});
