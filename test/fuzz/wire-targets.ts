/** Decoders of kvorum's own wire: the body of every frame, and the frames of a stream. */

import { CLIENT_FRAME_LENGTH_MAX, KvorumError } from '../../include/rpc.ts';
import { assert } from '../../src/assert.ts';
import type { Random } from '../../src/random.ts';
import { FrameReader } from '../../src/rpc/frame-reader.ts';
import { bytesOf, frameOf } from '../rpc/frames.ts';
import { SAMPLES } from '../rpc/samples.ts';
import { readOrRefuse, type Target } from './target.ts';

/** Bytes that a reader may hold beyond what it was given: what it takes at once. */
const HELD_BYTES_MAX = 2_048;

const bodies: Target[] = SAMPLES.map(({ name, draw, write, decode }) => ({
  name: `frame ${name}`,
  draw: (random) => frameOf((writer) => write(writer, 1, draw(random))).body,
  read: (bytes) => readOrRefuse(() => decode(bytes, 0, bytes.length), [KvorumError]),
}));

const stream: Target = {
  name: 'frames of a stream',
  draw: (random) => Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => draw(random))),
  read: (bytes) => {
    const reader = new FrameReader(CLIENT_FRAME_LENGTH_MAX, () => {});
    return readOrRefuse(() => {
      // In pieces whose sizes come from the bytes themselves.
      for (let offset = 0; offset < bytes.length; ) {
        const next = Math.min(bytes.length, offset + 1 + (bytes[offset]! % 50));
        reader.read(bytes.subarray(offset, next));
        offset = next;
        const heldMax = 2 * bytes.length + HELD_BYTES_MAX;
        assert(reader.heldBytes <= heldMax, 'a reader holds what came', reader.heldBytes);
      }
    }, [KvorumError]);
  },
};

function draw(random: Random): Buffer {
  const sample = SAMPLES[random.below(SAMPLES.length)]!;
  const value = sample.draw(random);
  return bytesOf((writer) => sample.write(writer, 1, value));
}

/** All of them. */
export const WIRE_TARGETS: readonly Target[] = [...bodies, stream];
