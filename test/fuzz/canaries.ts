/** Decoders that are wrong on purpose, which the fuzzer must find. */

import type { Target } from './target.ts';

const draw = (): Buffer => Buffer.from('a canary sings');

/** What each does with what begins as it should and is not what was drawn. */
export const CANARIES = {
  crash: { name: 'crash', draw, read: (bytes) => isWhole(bytes) || bytes.readUInt32BE(99) === 0 },
  reject: { name: 'reject', draw, read: async (bytes) => isWhole(bytes) || fail() },
  refuse: { name: 'refuse', draw, read: () => false },
  hang: {
    name: 'hang',
    draw,
    read: (bytes) => {
      while (!isWhole(bytes));
      return true;
    },
  },
  grow: {
    name: 'grow',
    draw,
    read: () => kept.push(Buffer.alloc(1024 * 1024, 1)) > 0,
  },
} satisfies Record<string, Target>;

/** The name of a canary. */
export type Canary = keyof typeof CANARIES;

const kept: Buffer[] = [];

function isWhole(bytes: Buffer): boolean {
  return bytes.equals(draw());
}

function fail(): never {
  throw new Error('a canary');
}
