/** Where recipes keep things: keys below a name. */

import type { Bytes } from '../../../include/client.ts';

/** A copy of a key or value, which its giver may change again. */
export function copyBytes(bytes: Bytes): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
}

/** The key `name/rest`. */
export function keyBelow(name: Bytes, rest: string): Buffer {
  return Buffer.concat([copyBytes(name), Buffer.from(`/${rest}`)]);
}
