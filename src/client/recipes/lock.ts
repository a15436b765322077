/** The lock: see include/recipes.ts. */

import type { Bytes, Client } from '../../../include/client.ts';
import type { HeldLock, HoldOptions, Lock } from '../../../include/recipes.ts';
import { type Contender, contend, contendNow } from './contender.ts';

/** Names a lock. Nothing is asked of the cluster before it is acquired. */
export function createLock(client: Client, name: Bytes, options: HoldOptions = {}): Lock {
  return {
    acquire: async ({ signal } = {}) => held(await contend(client, name, '', options, signal)),
    tryAcquire: async () => {
      const contender = await contendNow(client, name, options);
      return contender === undefined ? undefined : held(contender);
    },
  };
}

function held({ key, token, revision, lost, leave }: Contender): HeldLock {
  return { key, token, revision, lost, release: leave };
}
