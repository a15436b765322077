/**
 * Watching as recipes do: from a revision that was just read on, until something happened or the
 * caller gives up. When what is waited for may lie in compacted history, the caller looks again.
 */

import type { Bytes, Client, WatchOptions } from '../../../include/client.ts';
import type { WatchEvent } from '../../../include/kvstore.ts';
import { ErrorCode, KvorumError } from '../../../include/rpc.ts';

/** What to watch. `startRevision` is one more than that of the reading before. */
export type WatchFrom = WatchOptions & { readonly startRevision: number };

/** A key since it was created: deleted and made anew it is another one. */
export type CreatedKey = { readonly key: Buffer; readonly createRevision: number };

/**
 * Yields events, those of whole revisions together. Ends when `signal` aborts, and when what comes
 * next is compacted: read anew.
 */
export async function* watchEvents(
  client: Client,
  key: Bytes,
  options: WatchFrom,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly WatchEvent[], void> {
  if (signal?.aborted === true) return;
  const watcher = client.watch(key, options);
  const close = (): void => void watcher.close();
  signal?.addEventListener('abort', close, { once: true });
  try {
    for await (const { events } of watcher) {
      if (events.length > 0) yield events;
    }
  } catch (error) {
    if (!(error instanceof KvorumError) || error.code !== ErrorCode.Compacted) throw error;
  } finally {
    signal?.removeEventListener('abort', close);
    close();
  }
}

/**
 * Waits for an event.
 *
 * @returns false when it may have been missed: read anew
 * @throws the reason of `signal` when that aborts
 */
export async function awaitEvent(
  client: Client,
  key: Bytes,
  options: WatchFrom,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for await (const _events of watchEvents(client, key, options, signal)) return true;
  signal?.throwIfAborted();
  return false;
}

/**
 * Waits until a key is gone.
 *
 * @param knownRevision it was there at this revision
 * @throws the reason of `signal` when that aborts
 */
export async function awaitGone(
  client: Client,
  { key, createRevision }: CreatedKey,
  knownRevision: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let revision = knownRevision;
  while (!(await awaitEvent(client, key, deletionsAfter(revision), signal))) {
    const reply = await client.range(key, { keysOnly: true });
    if (reply.kvs[0]?.createRevision !== createRevision) return;
    revision = reply.revision;
  }
}

/** Watches what is deleted after a revision. */
function deletionsAfter(revision: number): WatchFrom {
  return { startRevision: revision + 1, noPut: true };
}
