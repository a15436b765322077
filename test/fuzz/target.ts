/** What the fuzzer feeds: a decoder, with valid input to start from. */

import type { Random } from '../../src/random.ts';

/** A decoder. */
export type Target = {
  readonly name: string;
  /** Draws valid input. */
  readonly draw: (random: Random) => Buffer;
  /**
   * Gives it a buffer of its own. Returns whether it was read; false when it was refused by the
   * error that it owes. Whatever else is thrown is a fault, and so is anything valid refused.
   */
  readonly read: (bytes: Buffer) => boolean | Promise<boolean>;
};

/** Runs a decoder that refuses by an error of some class. */
export function readOrRefuse(
  read: () => unknown,
  refusals: readonly (new (...args: never[]) => Error)[],
): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (refusals.some((refusal) => error instanceof refusal)) return false;
    throw error;
  }
}
