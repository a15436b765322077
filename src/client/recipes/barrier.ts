/** The barrier: one key. See include/recipes.ts. */

import type { Bytes, Client } from '../../../include/client.ts';
import type { Barrier } from '../../../include/recipes.ts';
import { copyBytes } from './recipe-key.ts';
import { awaitGone } from './watch-events.ts';

/** Names a barrier. */
export function createBarrier(client: Client, name: Bytes): Barrier {
  const key = copyBytes(name);
  return {
    raise: async () => {
      const { succeeded } = await client.compareAndSwap(key, { absent: true }, '');
      return succeeded;
    },
    release: async () => (await client.delete(key)).deleted > 0,
    wait: async ({ signal } = {}) => {
      const { kvs, revision } = await client.range(key, { keysOnly: true });
      if (kvs[0] !== undefined) await awaitGone(client, kvs[0], revision, signal);
    },
  };
}
