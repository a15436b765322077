import t from 'tap';
import { ErrorCode, FRAME_LENGTH_MIN } from '../../include/rpc.ts';
import { frameEnd } from '../../src/rpc/frame.ts';

const MAX = 1_000;

function lengthOnly(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

const refused = [
  ['of length 0', 0, ErrorCode.FrameTooShort],
  ['one byte below the least length', FRAME_LENGTH_MIN - 1, ErrorCode.FrameTooShort],
  ['one byte over the limit', MAX + 1, ErrorCode.FrameTooLong],
  ['of the largest length', 0xffff_ffff, ErrorCode.FrameTooLong],
] as const;
for (const [name, length, code] of refused) {
  t.test(`a frame ${name} is refused before its body arrives`, async (t) => {
    t.throws(() => frameEnd(lengthOnly(length), 0, MAX), { code });
  });
}

for (const length of [FRAME_LENGTH_MIN, FRAME_LENGTH_MIN + 1, MAX - 1, MAX]) {
  t.test(`a frame of length ${length} ends ${length} bytes behind its length`, async (t) => {
    t.equal(frameEnd(lengthOnly(length), 0, MAX), 4 + length);
    t.equal(frameEnd(Buffer.concat([Buffer.alloc(3), lengthOnly(length)]), 3, MAX), 7 + length);
  });
}

t.test('where a frame ends is unknown until its length is complete', async (t) => {
  for (let bytes = 0; bytes < 4; bytes += 1) t.equal(frameEnd(Buffer.alloc(bytes), 0, MAX), 0);
});
