/**
 * Learns the history of the data from the nodes themselves: watches everything at each of them, all
 * the time, so that each tells every revision as it applied it.
 */

import { type Client, WatchError } from '../../include/client.ts';
import type { WatchEvent } from '../../include/kvstore.ts';
import { KvorumError } from '../../include/rpc.ts';
import type { Truth } from '../sim/truth.ts';

/** Milliseconds before a watch that failed is opened again. */
const RETRY_MS = 200;

/** The recorder of a cluster. */
export class Recorder {
  readonly #truth: Truth;
  /** By node: all revisions below were told. */
  readonly #next: number[] = [];
  #waiting: { readonly revision: number; readonly resolve: () => void }[] = [];
  #isStopping = false;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** Watches a node until the recorder is stopped. Fails when the node contradicts the others. */
  async follow(node: number, client: Client, endpoint: string): Promise<void> {
    this.#next[node] = 1;
    while (!this.#isStopping) {
      const startRevision = this.#next[node] ?? 1;
      const watcher = client.watch('', { prefix: true, startRevision, endpoint });
      // Of a watch that ends, the iteration tells why.
      watcher.created.catch(() => {});
      try {
        for await (const { revision, events } of watcher) {
          this.#tell(node, events);
          this.#next[node] = Math.max(this.#next[node] ?? 1, revision + 1);
        }
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
        // What it missed is compacted: others have told of it, or it would not be.
        if (error instanceof WatchError) {
          this.#next[node] = Math.max(startRevision, error.compactRevision);
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Resolves once the truth is known up to a revision. */
  until(revision: number): Promise<void> {
    if (revision <= this.#truth.last) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ revision, resolve }));
  }

  /** A revision that somebody was told of and no node tells; undefined when there is none. */
  findUntold(): number | undefined {
    return this.#waiting[0]?.revision;
  }

  /** A node that has not told everything yet; undefined when all have. */
  findBehind(): string | undefined {
    const node = this.#next.findIndex((next) => next <= this.#truth.last);
    if (node < 0) return undefined;
    return `node ${node} has told up to ${this.#next[node]} of ${this.#truth.last}`;
  }

  /** Ends when the clients are closed. */
  stop(): void {
    this.#isStopping = true;
  }

  #tell(node: number, events: readonly WatchEvent[]): void {
    for (let from = 0; from < events.length; ) {
      const revision = events[from]!.kv.modRevision;
      let to = from + 1;
      while (to < events.length && events[to]!.kv.modRevision === revision) to += 1;
      this.#truth.tell(node, revision, events.slice(from, to));
      from = to;
    }
    const { last } = this.#truth;
    const told = this.#waiting.filter((one) => one.revision <= last);
    this.#waiting = this.#waiting.filter((one) => one.revision > last);
    for (const { resolve } of told) resolve();
  }
}
