/** What decoders believe: a size that is announced is none that is set aside. */

import t from 'tap';
import { KvorumError } from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { frameOf } from './frames.ts';
import { SAMPLES } from './samples.ts';

/** Memory that one case may take: its frame, a few objects, an error. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024;

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
