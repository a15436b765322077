/** Damage: what hostile or broken senders, cables and disks make of bytes that were right. */

import type { Random } from '../../src/random.ts';

/** Numbers at the limits of what decoders reckon with. */
const NUMBERS: readonly Buffer[] = [
  '00000000',
  '00000001',
  '7fffffff',
  '80000000',
  'ffffffff',
  '0000000000000000',
  '001fffffffffffff',
  '0020000000000000',
  '7fffffffffffffff',
  'ffffffffffffffff',
].map((hex) => Buffer.from(hex, 'hex'));

/** Most bytes that damage adds at once. */
const ADDED_BYTES_MAX = 64;

/** Most bytes that damage copies: more than any number or key of a revision has. */
const COPIED_BYTES_MAX = 16;

/** One in so many inputs is nothing but chance. */
const CHANCE = 16;

type Damage = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

const DAMAGES: readonly Damage[] = [
  // A bit.
  (random, bytes) => {
    const offset = random.below(bytes.length);
    bytes[offset] = bytes[offset]! ^ (1 << random.below(8));
    return bytes;
  },
  // A byte.
  (random, bytes) => {
    bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  // A number at a limit.
  (random, bytes) => {
    NUMBERS[random.below(NUMBERS.length)]!.copy(bytes, random.below(bytes.length));
    return bytes;
  },
  // What stands in one place stands in another too.
  (random, bytes) => {
    const from = random.below(bytes.length);
    const to = from + 1 + random.below(COPIED_BYTES_MAX);
    return bytes.copyWithin(random.below(bytes.length), from, to);
  },
  // Cut off.
  (random, bytes) => bytes.subarray(0, random.below(bytes.length)),
  // A part is missing.
  (random, bytes) => {
    const from = random.below(bytes.length);
    const to = from + 1 + random.below(bytes.length - from);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  // A part comes twice.
  (random, bytes) => {
    const from = random.below(bytes.length);
    const to = Math.min(bytes.length, from + 1 + random.below(ADDED_BYTES_MAX));
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  // Something comes in between.
  (random, bytes) => {
    const at = random.below(bytes.length + 1);
    const added = drawChance(random, ADDED_BYTES_MAX);
    return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
  },
  // It goes on as something else.
  (random, bytes, other) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
  },
];

/**
 * Damages bytes.
 *
 * @param bytes given away
 * @param other valid bytes of the same kind
 */
export function mutate(random: Random, bytes: Buffer, other: Buffer): Buffer {
  if (random.below(CHANCE) === 0) return drawChance(random, 2 * bytes.length + 8);
  let damaged = bytes;
  for (let count = 1 + random.below(4); count > 0 && damaged.length > 0; count -= 1) {
    damaged = DAMAGES[random.below(DAMAGES.length)]!(random, damaged, other);
  }
  return damaged;
}

function drawChance(random: Random, bytesMax: number): Buffer {
  const bytes = Buffer.alloc(random.below(bytesMax + 1));
  for (let offset = 0; offset < bytes.length; offset += 1) bytes[offset] = random.below(256);
  return bytes;
}
