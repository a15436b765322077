import t from 'tap';
import { ErrorCode, FRAME_LENGTH_MIN, FrameType } from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { FrameWriter } from '../../src/rpc/frame-writer.ts';
import {
  SEGMENT_LARGE_BYTES,
  SEGMENT_SMALL_BYTES,
  SegmentPool,
} from '../../src/rpc/segment-pool.ts';
import { createWriter, framesOf, takeBytes } from './frames.ts';

function writeBody(writer: FrameWriter, body: Buffer): void {
  writer.begin(FrameType.SnapshotChunk, 7);
  writer.bytes(body);
  writer.end();
}

t.test('frames of any size come out whole, across any number of segments', async (t) => {
  const random = createRandom(1);
  const sizes = [0, 1, SEGMENT_SMALL_BYTES, SEGMENT_LARGE_BYTES, 5 * SEGMENT_LARGE_BYTES];
  for (let round = 0; round < 60; round += 1) {
    const writer = createWriter();
    const bodies = Array.from({ length: 1 + random.below(8) }, () => {
      const near = sizes[random.below(sizes.length)]! + random.below(41) - 20;
      return Buffer.alloc(Math.max(near, 0), random.below(256));
    });
    for (const body of bodies) writeBody(writer, body);
    const frames = framesOf(takeBytes(writer));
    const same = frames.every(({ body }, slot) => body.equals(bodies[slot]!));
    if (!t.ok(same && frames.length === bodies.length, `round ${round}`)) break;
  }
});

t.test('a field is never torn between two segments', async (t) => {
  for (let fill = SEGMENT_SMALL_BYTES - 50; fill <= SEGMENT_SMALL_BYTES; fill += 1) {
    const writer = createWriter();
    writeBody(writer, Buffer.alloc(fill - 10));
    writer.begin(FrameType.Ping, 1);
    writer.u8(0x12);
    writer.u16(0x3456);
    writer.u32(0x789a_bcde);
    writer.u64(0x0f_1122_3344_5566);
    writer.id64(0x8899_aabb_ccdd_eeffn);
    writer.lease(-2n);
    writer.i64(-3);
    writer.end();
    const [, frame] = framesOf(takeBytes(writer));
    const hex = '123456789abcde000f1122334455668899aabbccddeefffffffffffffffffefffffffffffffffd';
    if (!t.equal(frame?.body.toString('hex'), hex, `at ${fill}`)) break;
  }
});

t.test('a frame at its limit passes, one byte more is taken back and refused', async (t) => {
  const lengthMax = 3 * SEGMENT_LARGE_BYTES;
  for (const over of [-1, 0, 1]) {
    const writer = createWriter(lengthMax);
    writeBody(writer, Buffer.from('first'));
    const body = Buffer.alloc(lengthMax - FRAME_LENGTH_MIN + over);
    if (over <= 0) writeBody(writer, body);
    else t.throws(() => writeBody(writer, body), { code: ErrorCode.RequestTooLarge });
    writeBody(writer, Buffer.from('last'));
    const bodies = framesOf(takeBytes(writer)).map((frame) => frame.body.length);
    t.strictSame(bodies, over <= 0 ? [5, body.length, 4] : [5, 4]);
  }
});

t.test('a part travels behind its length, across any number of segments', async (t) => {
  for (const size of [0, 10, SEGMENT_SMALL_BYTES - 30, SEGMENT_SMALL_BYTES, SEGMENT_LARGE_BYTES]) {
    const writer = createWriter();
    writer.begin(FrameType.SnapshotChunk, 7);
    writer.beginPart();
    writer.bytes(Buffer.alloc(size, 1));
    writer.beginPart();
    writer.bytes(Buffer.alloc(2 * size, 2));
    writer.endPart();
    writer.endPart();
    writer.u8(3);
    writer.end();
    const { body } = framesOf(takeBytes(writer))[0]!;
    t.equal(body.readUInt32BE(0), 3 * size + 4);
    t.equal(body.readUInt32BE(4 + size), 2 * size);
    t.equal(body.length, 3 * size + 9);
    t.equal(body.at(-1), 3);
  }
});

t.test('a frame ends behind its parts, and takes them along when abandoned', async (t) => {
  const writer = createWriter();
  writer.begin(FrameType.SnapshotChunk, 1);
  writer.beginPart();
  t.throws(() => writer.end(), { name: 'AssertionError' });
  writer.abandon();
  writer.begin(FrameType.SnapshotChunk, 1);
  t.throws(() => writer.endPart(), { name: 'AssertionError' });
  writer.end();
  t.equal(framesOf(takeBytes(writer)).length, 1);
});

t.test('an abandoned frame leaves no trace', async (t) => {
  for (const size of [10, SEGMENT_SMALL_BYTES, 3 * SEGMENT_LARGE_BYTES]) {
    const writer = createWriter();
    for (const earlier of [0, 10, SEGMENT_SMALL_BYTES - 20, 2 * SEGMENT_LARGE_BYTES]) {
      writeBody(writer, Buffer.alloc(earlier, 1));
      const pendingBytes = writer.pendingBytes;
      writer.begin(FrameType.SnapshotChunk, 1);
      writer.bytes(Buffer.alloc(size, 2));
      writer.abandon();
      t.ok(writer.pendingBytes <= pendingBytes + 10);
    }
    writer.abandon();
    const bodies = framesOf(takeBytes(writer)).map((frame) => frame.body.length);
    t.strictSame(bodies, [0, 10, SEGMENT_SMALL_BYTES - 20, 2 * SEGMENT_LARGE_BYTES]);
  }
});

t.test('a segment that was taken is not written to again until it is given back', async (t) => {
  const pool = new SegmentPool();
  const writer = new FrameWriter(pool, 1 << 20, ErrorCode.RequestTooLarge, () => {});
  writeBody(writer, Buffer.from('in flight'));
  const inFlight = writer.take()!;
  const bytes = Buffer.from(inFlight.bytes);
  writeBody(writer, Buffer.from('the next one'));
  const next = writer.take()!;
  t.not(next, inFlight);
  t.strictSame(inFlight.bytes.subarray(0, inFlight.usedBytes), bytes.subarray(0, 19));
  pool.give(inFlight);
  writeBody(writer, Buffer.from('third'));
  t.equal(writer.take(), inFlight, 'a free segment is used again');
});

t.test('pending is told once until it was taken', async (t) => {
  let told = 0;
  const writer = new FrameWriter(new SegmentPool(), 1 << 20, ErrorCode.RequestTooLarge, () => {
    told += 1;
  });
  writeBody(writer, Buffer.alloc(10));
  writeBody(writer, Buffer.alloc(SEGMENT_LARGE_BYTES));
  t.equal(told, 1);
  while (writer.take() !== undefined);
  t.equal(writer.pendingBytes, 0);
  writeBody(writer, Buffer.alloc(10));
  t.equal(told, 2);
});

t.test('answers are counted, other frames are not', async (t) => {
  const writer = createWriter();
  for (const type of Object.values(FrameType)) {
    writer.begin(type, 1);
    writer.end();
  }
  t.equal(writer.answerCount, 3);
});

t.test('a closed writer drops what is written, and keeps what was', async (t) => {
  const writer = createWriter();
  writeBody(writer, Buffer.from('before'));
  writer.close();
  writeBody(writer, Buffer.alloc(2 * SEGMENT_LARGE_BYTES));
  t.strictSame(
    framesOf(takeBytes(writer)).map(({ body }) => body.toString()),
    ['before'],
  );
  writeBody(writer, Buffer.from('behind'));
  t.equal(writer.pendingBytes, 0);
});

t.test('a counter that is no safe integer is a bug of the caller', async (t) => {
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
    const writer = createWriter();
    writer.begin(FrameType.Ping, 0);
    t.throws(() => writer.u64(value), { name: 'AssertionError' });
  }
  for (const value of [0.5, Number.NaN, 2 ** 53, -(2 ** 53)]) {
    const writer = createWriter();
    writer.begin(FrameType.Ping, 0);
    t.throws(() => writer.i64(value), { name: 'AssertionError' });
  }
});
