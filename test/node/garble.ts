/** A disk that changes what it holds, for tests. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A value that stands out in the file of a store. */
export const PRECIOUS = 'a value that the disk will have garbled';

/**
 * Changes a byte of the value wherever the store of a stopped node has it.
 *
 * @param directory the node's data directory
 * @param bits of the byte that change: other bits make another value
 */
export async function garble(directory: string, bits = 1): Promise<void> {
  const path = join(directory, 'store', 'store.lmdb');
  const bytes = await readFile(path);
  let count = 0;
  for (let at = bytes.indexOf(PRECIOUS); at >= 0; at = bytes.indexOf(PRECIOUS, at + 1)) {
    bytes[at]! ^= bits;
    count += 1;
  }
  if (count === 0) throw new Error(`${path} does not have the value`);
  await writeFile(path, bytes);
}
