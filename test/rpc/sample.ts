/** For tests: what is known of one kind of frame. */

import type { Random } from '../../src/random.ts';
import type { FrameWriter } from '../../src/rpc/frame-writer.ts';

/** One kind of frame. */
export type Sample<T> = {
  readonly name: string;
  readonly type: number;
  readonly draw: (random: Random) => T;
  readonly write: (writer: FrameWriter, id: number, value: T) => void;
  readonly decode: (buffer: Buffer, start: number, end: number) => unknown;
  /** Whether any cut of the body is refused; false where the last field is all that is left. */
  readonly isCutRefused: boolean;
};

/** Forgets what a sample is of, for the table. */
export const sample = <T>(given: Sample<T>): Sample<unknown> => given as Sample<unknown>;
