/** The arguments `<key> [range_end]` of get and del, with --prefix and --from-key. */

import type { KeySpan } from '../../include/client.ts';
import { textToBytes } from './byte-text.ts';
import { refuseArguments } from './command-error.ts';

/** Flags that widen a key to a range. */
export const SPAN_FLAGS = {
  prefix: { type: 'boolean', describe: 'all keys with this prefix' },
  'from-key': { type: 'boolean', describe: 'all keys from this one on' },
} as const;

/**
 * Reads which keys are meant.
 *
 * @param args the command's arguments, at least the key; text that carries bytes
 * @throws CommandError with etcdctl's texts
 */
export function readKeySpan(
  args: readonly string[],
  flags: { readonly prefix: boolean | undefined; readonly fromKey: boolean | undefined },
): { readonly key: Buffer; readonly span: KeySpan } {
  const prefix = flags.prefix ?? false;
  const fromKey = flags.fromKey ?? false;
  if (prefix && fromKey) {
    refuseArguments('`--prefix` and `--from-key` cannot be set at the same time, choose one');
  }

  const [first = '', rangeEnd] = args;
  const key = textToBytes(first);
  if (rangeEnd === undefined) return { key, span: { prefix, fromKey } };
  if (prefix || fromKey) {
    refuseArguments(
      'too many arguments, only accept one argument when `--prefix` or `--from-key` is set',
    );
  }
  return { key, span: { rangeEnd: textToBytes(rangeEnd) } };
}
