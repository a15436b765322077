import t from 'tap';
import { ErrorCode, FRAME_LENGTH_MIN, FrameType } from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { FrameReader } from '../../src/rpc/frame-reader.ts';
import { bytesOf, type Frame, framesOf } from './frames.ts';
import { SAMPLES } from './samples.ts';

const MAX = 1024 * 1024;

/** A stream of frames of all kinds, some of them large. */
function createStream(seed: number): Buffer {
  const random = createRandom(seed);
  return bytesOf((writer) => {
    for (const { draw, write } of SAMPLES) {
      write(writer, random.below(1_000), draw(random));
      if (random.below(5) > 0) continue;
      writer.begin(FrameType.SnapshotChunk, 1);
      writer.bytes(Buffer.alloc(random.below(9_000), random.below(256)));
      writer.end();
    }
  });
}

/** Feeds a stream in pieces of the sizes that `size` gives. */
function feed(stream: Buffer, size: () => number): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(MAX, (type, _flags, id, buffer, start, end) => {
    frames.push({ type, id, body: Buffer.from(buffer.subarray(start, end)) });
  });
  for (let offset = 0; offset < stream.length; ) {
    const next = Math.min(stream.length, offset + size());
    reader.read(Buffer.from(stream.subarray(offset, next)));
    offset = next;
  }
  return frames;
}

t.test('a stream fed byte by byte gives the frames of the stream fed whole', async (t) => {
  const stream = createStream(1);
  const whole = framesOf(stream);
  t.ok(whole.length > SAMPLES.length);
  t.strictSame(
    feed(stream, () => 1),
    whole,
  );
});

t.test('a stream fed in random pieces gives the frames of the stream fed whole', async (t) => {
  for (let seed = 2; seed < 40; seed += 1) {
    const stream = createStream(seed);
    const random = createRandom(seed);
    const most = 1 + random.below(5_000);
    const frames = feed(stream, () => 1 + random.below(most));
    if (!t.strictSame(frames, framesOf(stream), `seed ${seed}`)) break;
  }
});

t.test('a frame that was handed over is not written to by later chunks', async (t) => {
  const stream = createStream(3);
  const kept: Buffer[] = [];
  const copies: Buffer[] = [];
  const reader = new FrameReader(MAX, (_type, _flags, _id, buffer, start, end) => {
    kept.push(buffer.subarray(start, end));
    copies.push(Buffer.from(buffer.subarray(start, end)));
  });
  for (let offset = 0; offset < stream.length; offset += 7) {
    reader.read(Buffer.from(stream.subarray(offset, offset + 7)));
  }
  t.strictSame(kept, copies);
});

t.test('memory grows with the bytes that came, not with the length announced', async (t) => {
  const reader = new FrameReader(0xffff_ffff, () => t.fail('no frame is complete'));
  const header = Buffer.alloc(10);
  header.writeUInt32BE(0xffff_fff0);
  reader.read(header);
  t.ok(reader.heldBytes <= 1_024);
  let bytes = header.length;
  for (let round = 0; round < 100; round += 1) {
    reader.read(Buffer.alloc(5_000));
    bytes += 5_000;
    t.ok(reader.heldBytes <= 2 * bytes);
  }
});

t.test('nothing is held between whole frames', async (t) => {
  const frame = bytesOf((writer) => {
    writer.begin(FrameType.Status, 1);
    writer.end();
  });
  let count = 0;
  const reader = new FrameReader(MAX, () => {
    count += 1;
  });
  reader.read(frame.subarray(0, 5));
  t.ok(reader.heldBytes > 0);
  reader.read(Buffer.concat([frame.subarray(5), frame, frame]));
  t.equal(count, 3);
  t.equal(reader.heldBytes, 0);
});

t.test('a reader stopped in the middle of a chunk goes on there', async (t) => {
  const stream = createStream(4);
  const frames: Frame[] = [];
  const reader = new FrameReader(MAX, (type, _flags, id, buffer, start, end) => {
    frames.push({ type, id, body: Buffer.from(buffer.subarray(start, end)) });
    reader.stop();
  });
  const half = stream.length >> 1;
  reader.read(stream.subarray(0, half));
  t.equal(frames.length, 1);
  reader.read(stream.subarray(half));
  t.equal(frames.length, 1, 'what comes while stopped waits');
  const whole = framesOf(stream);
  for (let count = 2; count <= whole.length; count += 1) {
    reader.resume();
    t.equal(frames.length, count);
  }
  t.strictSame(frames, whole);
  t.equal(reader.heldBytes, 0);
});

const refused = [
  ['too short', FRAME_LENGTH_MIN - 1, ErrorCode.FrameTooShort],
  ['too long', MAX + 1, ErrorCode.FrameTooLong],
] as const;
for (const [name, length, code] of refused) {
  t.test(`a length that is ${name} is refused, also when it comes byte by byte`, async (t) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    const whole = new FrameReader(MAX, () => {});
    t.throws(() => whole.read(bytes), { code });
    const slow = new FrameReader(MAX, () => {});
    for (let offset = 0; offset < 3; offset += 1) slow.read(bytes.subarray(offset, offset + 1));
    t.throws(() => slow.read(bytes.subarray(3)), { code });
  });
}
