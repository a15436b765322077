/** Random damage: a decoder reads it or refuses it; it never breaks, never believes a size. */

import t from 'tap';
import { KvorumError } from '../../include/rpc.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { FrameReader } from '../../src/rpc/frame-reader.ts';
import { bytesOf, frameOf } from './frames.ts';
import { SAMPLES } from './samples.ts';

const SEED = 20_260;
const CASES = 12_000;

/** Memory that one case may take: its frame, a few objects, an error. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024;

function damage(random: Random, bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes);
  if (damaged.length === 0) return damaged;
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const offset = random.below(damaged.length);
    const kind = random.below(3);
    if (kind === 0) damaged[offset] = random.below(256);
    else if (kind === 1) damaged[offset] = damaged[offset]! ^ (1 << random.below(8));
    else damaged.fill(0xff, offset, Math.min(offset + 4, damaged.length));
  }
  return random.below(4) === 0 ? damaged.subarray(0, random.below(damaged.length)) : damaged;
}

t.test('a damaged body is read or refused by KvorumError', async (t) => {
  const random = createRandom(SEED);
  let refused = 0;
  for (let round = 0; round < CASES; round += 1) {
    const { name, draw, write, decode } = SAMPLES[round % SAMPLES.length]!;
    const value = draw(random);
    const body = damage(random, frameOf((writer) => write(writer, 1, value)).body);
    try {
      decode(body, 0, body.length);
    } catch (error) {
      refused += 1;
      if (!(error instanceof KvorumError)) {
        t.fail(`${name} of seed ${SEED}, round ${round}: ${error}: ${body.toString('hex')}`);
      }
    }
  }
  t.ok(refused > CASES / 10, `${refused} of ${CASES} were refused`);
});

t.test(
  'a damaged stream is cut into frames or refused, with memory of the size it came',
  async (t) => {
    const random = createRandom(SEED + 1);
    for (let round = 0; round < 500; round += 1) {
      const parts = Array.from({ length: 5 }, () => {
        const { draw, write } = SAMPLES[random.below(SAMPLES.length)]!;
        const value = draw(random);
        return bytesOf((writer) => write(writer, 1, value));
      });
      const stream = damage(random, Buffer.concat(parts));
      const reader = new FrameReader(0xffff_ffff, () => {});
      try {
        for (let offset = 0; offset < stream.length; ) {
          const next = Math.min(stream.length, offset + 1 + random.below(50));
          reader.read(stream.subarray(offset, next));
          offset = next;
          if (reader.heldBytes > 2 * stream.length + 2_048) t.fail(`held ${reader.heldBytes}`);
        }
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
      }
    }
  },
);

t.test('an announced count or length is refused before anything is set aside for it', async (t) => {
  const before = process.memoryUsage();
  for (const { draw, write, decode } of SAMPLES) {
    const { body } = frameOf((writer) => write(writer, 1, draw(createRandom(3))));
    for (let offset = 0; offset + 4 <= body.length; offset += 1) {
      const huge = Buffer.from(body);
      huge.writeUInt32BE(0x7fff_ffff, offset);
      try {
        decode(huge, 0, huge.length);
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
      }
    }
  }
  const after = process.memoryUsage();
  t.ok(after.heapUsed + after.external - before.heapUsed - before.external < HEAP_BYTES_MAX);
});
