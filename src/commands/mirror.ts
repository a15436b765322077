/**
 * A mirror: the keys of a prefix in one cluster, and every change of them, written to another.
 *
 * Changes are written in order, whole revisions together as far as a transaction takes them, so the
 * destination is always what the source was at some revision, once the first copy is done. Every
 * write is the state a key shall have: writing it twice does no harm, so what may or may not have
 * taken effect is simply written again.
 */

import { setTimeout as wait } from 'node:timers/promises';
import type { Client, Operation } from '../../include/client.ts';
import { KvorumError, Retry } from '../../include/errors.ts';
import { EventKind, type KeyValue, type WatchEvent } from '../../include/kvstore.ts';
import { BATCH_BYTES, WriteBatch } from './write-batch.ts';

/** What a mirror is made from. */
export type MirrorOptions = {
  readonly source: Client;
  readonly destination: Client;
  /** Which keys; empty for all. */
  readonly prefix: Buffer;
  /** What takes the place of `prefix` in the destination. */
  readonly destinationPrefix: Buffer;
  /** The first revision to follow, without a copy before; 0 for a copy and all that comes after. */
  readonly startRevision: number;
  /** Most writes of one transaction. */
  readonly operationsMax: number;
  /** Told once of a trouble that is waited out, and of its end. */
  readonly onTrouble: (text: string) => void;
};

/** Milliseconds between attempts while a cluster does not serve. */
const RETRY_PAUSE_MS = 500;

/** A write, and what it adds to a transaction. */
type Write = {
  readonly key: Buffer;
  readonly sizeBytes: number;
  readonly operation: Operation;
};

/** A mirror at work. */
export class Mirror {
  /** Keys written and deleted so far. */
  writtenCount = 0;
  readonly #options: MirrorOptions;
  #batch: WriteBatch;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#batch = this.#newBatch();
  }

  /** Mirrors until `signal` aborts, whose reason it rejects with, or a cluster refuses. */
  async run(signal: AbortSignal): Promise<void> {
    const { startRevision } = this.#options;
    const start =
      startRevision > 0
        ? startRevision
        : (await this.#persist('source', signal, () => this.#copy(signal))) + 1;
    await this.#follow(start, signal);
  }

  /** Writes every pair; returns the revision they are of. */
  async #copy(signal: AbortSignal): Promise<number> {
    const { source, prefix } = this.#options;
    let revision = 0;
    this.#batch = this.#newBatch();
    for await (const page of source.pages(prefix, { prefix: true })) {
      revision = page.revision;
      for (const pair of page.kvs) await this.#add([this.#putOf(pair)], signal);
    }
    await this.#send(signal);
    return revision;
  }

  async #follow(startRevision: number, signal: AbortSignal): Promise<void> {
    const { source, prefix } = this.#options;
    const watcher = source.watch(prefix, { prefix: true, startRevision });
    signal.addEventListener('abort', () => watcher.close());
    for await (const { events } of watcher) {
      for (const revision of wholeRevisions(events)) {
        await this.#add(
          revision.map((event) => this.#writeOf(event)),
          signal,
        );
      }
      await this.#send(signal);
    }
    signal.throwIfAborted();
  }

  /** Adds writes of one revision; as many transactions as it takes. */
  async #add(writes: readonly Write[], signal: AbortSignal): Promise<void> {
    if (!this.#batch.fits(writes)) await this.#send(signal);
    for (const write of writes) {
      if (!this.#batch.fits([write])) await this.#send(signal);
      this.#batch.add(write.key, write.sizeBytes, write.operation);
    }
  }

  async #send(signal: AbortSignal): Promise<void> {
    const batch = this.#batch;
    if (batch.count === 0) return;
    this.#batch = this.#newBatch();
    await this.#persist('destination', signal, () => batch.write(this.#options.destination));
    this.writtenCount += batch.count;
  }

  /** Does something, again and again while a cluster does not serve. */
  async #persist<T>(
    who: 'source' | 'destination',
    signal: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const { onTrouble } = this.#options;
    for (let failedCount = 0; ; failedCount += 1) {
      signal.throwIfAborted();
      try {
        const result = await attempt();
        if (failedCount > 0) onTrouble(`the ${who} serves again`);
        return result;
      } catch (error) {
        const isOver = !(error instanceof KvorumError) || error.retry === Retry.Never;
        if (isOver) throw error;
        if (failedCount === 0) onTrouble(`the ${who} does not serve: ${error.message}`);
        await wait(RETRY_PAUSE_MS, undefined, { signal }).catch(() => {}); // looked at above
      }
    }
  }

  #newBatch(): WriteBatch {
    const { operationsMax } = this.#options;
    return new WriteBatch({ operationsMax, bytesMax: BATCH_BYTES });
  }

  #writeOf({ kind, kv }: WatchEvent): Write {
    if (kind === EventKind.Put) return this.#putOf(kv);
    const key = this.#keyOf(kv.key);
    return { key, sizeBytes: key.length, operation: { delete: key } };
  }

  #putOf({ key: sourceKey, value }: KeyValue): Write {
    const key = this.#keyOf(sourceKey);
    return { key, sizeBytes: key.length + value.length, operation: { put: key, value } };
  }

  #keyOf(key: Buffer): Buffer {
    const { prefix, destinationPrefix } = this.#options;
    return Buffer.concat([destinationPrefix, key.subarray(prefix.length)]);
  }
}

/** Events, cut where their revision changes. */
function wholeRevisions(events: readonly WatchEvent[]): WatchEvent[][] {
  const revisions: WatchEvent[][] = [];
  let last = 0;
  for (const event of events) {
    if (event.kv.modRevision !== last) revisions.push([]);
    revisions.at(-1)?.push(event);
    last = event.kv.modRevision;
  }
  return revisions;
}
