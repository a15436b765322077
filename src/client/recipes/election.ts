/** The election: see include/recipes.ts. */

import type { Bytes, Client } from '../../../include/client.ts';
import { EventKind, type KeyValue } from '../../../include/kvstore.ts';
import type { Election, HoldOptions } from '../../../include/recipes.ts';
import { contend, firstOf } from './contender.ts';
import { copyBytes, keyBelow } from './recipe-key.ts';
import { watchEvents } from './watch-events.ts';

/** Names an election. Nothing is asked of the cluster before somebody campaigns or asks. */
export function createElection(client: Client, name: Bytes, options: HoldOptions = {}): Election {
  return {
    campaign: async (value, { signal } = {}) => {
      const leader = await contend(client, name, value, options, signal);
      const { key, token, revision, lost, leave } = leader;
      const proclaim = (next: Bytes): Promise<void> => leader.replace(copyBytes(next));
      return { key, token, revision, lost, proclaim, resign: leave };
    },
    leader: async () => (await firstOf(client, name)).pair,
    observe: ({ signal } = {}) => observe(client, name, signal),
  };
}

async function* observe(
  client: Client,
  name: Bytes,
  signal: AbortSignal | undefined,
): AsyncGenerator<KeyValue, void> {
  let told: KeyValue | undefined;
  for (;;) {
    const { pair, revision } = await firstOf(client, name);
    if (signal?.aborted === true) return;
    const startRevision = revision + 1;
    if (pair === undefined) {
      const prefix = keyBelow(name, '');
      await awaitCandidate(client, prefix, startRevision, signal);
      continue;
    }
    if (pair.createRevision !== told?.createRevision || pair.modRevision !== told.modRevision) {
      yield pair;
    }
    told = pair;
    for await (const value of valuesOf(client, pair.key, startRevision, signal)) {
      yield value;
      told = value;
    }
  }
}

/** Each value that a leader proclaims, until it leads no more. */
async function* valuesOf(
  client: Client,
  key: Buffer,
  startRevision: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<KeyValue, void> {
  for await (const events of watchEvents(client, key, { startRevision }, signal)) {
    for (const event of events) {
      if (event.kind === EventKind.Delete) return;
      yield event.kv;
    }
  }
}

/** Waits until somebody may lead; returns early when `signal` aborts. */
async function awaitCandidate(
  client: Client,
  prefix: Buffer,
  startRevision: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const puts = { prefix: true, startRevision, noDelete: true };
  for await (const _events of watchEvents(client, prefix, puts, signal)) return;
}
