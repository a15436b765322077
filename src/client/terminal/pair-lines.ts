/** Byte strings and pairs as lines of the simple format. */

import type { KeyValue } from '../../../include/kvstore.ts';
import { hexString } from './go-quote.ts';
import type { Output, PairStyle } from './printer.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** Prints a pair: its key on a line, its value on the next, or one of them. */
export function printPair(output: Output, pair: KeyValue, style: PairStyle): void {
  if (!style.valuesOnly) printLine(output, pair.key, style.hex);
  printLine(output, style.keysOnly ? NOTHING : pair.value, style.hex);
}

function printLine(output: Output, bytes: Buffer, hex: boolean): void {
  output(hex ? hexString(bytes) : bytes);
  output('\n');
}
