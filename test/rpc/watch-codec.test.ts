import t from 'tap';
import type { WatchBatch } from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { decodeRequest, writeRequest } from '../../src/rpc/request-codec.ts';
import {
  decodeWatchCancelled,
  decodeWatchEvents,
  writeWatchCancelled,
  writeWatchEvents,
  writeWatchNote,
} from '../../src/rpc/watch-codec.ts';
import { drawBatch } from './draw-replies.ts';
import { drawWatchCreate } from './draw-requests.ts';
import { createWriter, frameOf, framesOf, takeBytes } from './frames.ts';

const random = createRandom(3);

t.test('a batch for a thousand watches is encoded twice at most', async (t) => {
  const drawn = drawBatch(random);
  let encoded = 0;
  const batch: WatchBatch = {
    ...drawn,
    get events() {
      encoded += 1;
      return drawn.events;
    },
  };
  const writer = createWriter();
  for (let watchId = 1; watchId <= 1_000; watchId += 1) writeWatchEvents(writer, watchId, batch);
  t.ok(encoded <= 2, `encoded ${encoded} times`);
  const frames = framesOf(takeBytes(writer));
  t.equal(frames.length, 1_000);
  for (const [slot, { type, id, body }] of frames.entries()) {
    const isRight = type === FrameType.WatchEvents && id === slot + 1;
    if (!isRight || !body.equals(frames[0]!.body)) t.fail(`frame ${slot}`);
  }
  t.strictSame(decodeWatchEvents(frames[999]!.body, 0, frames[999]!.body.length), drawn);
});

t.test('batches that take turns are not taken for each other', async (t) => {
  const batches = Array.from({ length: 3 }, () => drawBatch(random));
  for (let round = 0; round < 100; round += 1) {
    const batch = batches[random.below(3)]!;
    const { body } = frameOf((writer) => writeWatchEvents(writer, 1, batch));
    if (!t.strictSame(decodeWatchEvents(body, 0, body.length), batch)) break;
  }
});

t.test('what watches are told answers no request', async (t) => {
  const writer = createWriter();
  writeWatchEvents(writer, 1, drawBatch(random));
  writeWatchNote(writer, 1, 7);
  writeWatchCancelled(writer, 1, { code: ErrorCode.Compacted, compactRevision: 7 });
  t.equal(writer.answerCount, 0);
});

t.test('watches are numbered from 1, and no watch has a larger number than a frame', async (t) => {
  const zero = Buffer.alloc(17);
  for (const type of [FrameType.WatchCreate, FrameType.WatchCancel]) {
    const end = type === FrameType.WatchCancel ? 4 : zero.length;
    t.throws(() => decodeRequest(type, zero, 0, end), { code: ErrorCode.FrameMalformed });
  }
  for (const watchId of [0, 0.5, 2 ** 32]) {
    const writer = createWriter();
    const body = { ...drawWatchCreate(random), watchId };
    t.throws(() => writeRequest(writer, 1, { type: FrameType.WatchCreate, body }), {
      name: 'AssertionError',
    });
  }
});

t.test('a watch cancelled for an unknown reason is refused', async (t) => {
  const body = Buffer.alloc(10, 0xff);
  t.throws(() => decodeWatchCancelled(body, 0, body.length), { code: ErrorCode.FrameMalformed });
});
