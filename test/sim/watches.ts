/**
 * Watches of clients: what each is told is held against the truth as soon as it comes. A batch says
 * how far it reaches: it must hold all that happened up to there, once, in order, in whole
 * revisions.
 */

import {
  type Client,
  WatchError,
  type WatchEvents,
  type WatchOptions,
} from '../../include/client.ts';
import type { Random } from '../../src/random.ts';
import type { History } from './history.ts';
import { changeOf, isSamePair, type Pair, sameChanges, type Truth } from './truth.ts';
import { must } from './violation.ts';

/** What a watch is about. */
type Span = WatchOptions & { readonly key: string };

/** A watch under way. */
type Followed = {
  readonly client: string;
  readonly span: Span;
  /** All revisions below this one were told, as far as they concern it. */
  next: number;
};

/** Who watches. */
export type WatchOwner = {
  readonly name: string;
  readonly client: Client;
  readonly isDone: () => boolean;
  /** When it died, in the world's time; Infinity while it lives. */
  readonly diedMs: () => number;
};

/** One in so many watches asks now and then how far it is. */
const PROGRESS_ASKERS = 3;

/** All watches of all clients. */
export class Watches {
  /** Events that were told, to all watches. */
  toldCount = 0;
  readonly #truth: Truth;
  readonly #history: History;
  readonly #random: Random;
  readonly #followed: Map<Followed, WatchOwner> = new Map();

  constructor(truth: Truth, history: History, random: Random) {
    this.#truth = truth;
    this.#history = history;
    this.#random = random;
  }

  /** Watches something or other, for as long as the client lives. */
  async follow(owner: WatchOwner): Promise<void> {
    while (!owner.isDone()) {
      const span = this.#draw();
      const { key, ...options } = span;
      const watcher = owner.client.watch(key, options);
      const followed: Followed = { client: owner.name, span, next: span.startRevision ?? 0 };
      try {
        followed.next = await watcher.created;
        this.#followed.set(followed, owner);
        if (this.#random.below(PROGRESS_ASKERS) === 0) void watcher.progress().catch(() => {});
        for await (const batch of watcher) this.#told(followed, batch);
        return;
      } catch (error) {
        if (owner.isDone() || isDead(owner)) return;
        // What comes next is compacted: another watch begins.
        if (!(error instanceof WatchError)) throw error;
        const { compactRevision } = error;
        const isGone = compactRevision > followed.next;
        const isAsked = compactRevision <= this.#history.compactedMax;
        must(isGone && isAsked, 'a watch ends only at what is compacted', () => {
          return `${show(followed)} at ${followed.next}, compacted below ${compactRevision}`;
        });
      } finally {
        this.#followed.delete(followed);
      }
    }
  }

  /** A watch that lacks something that happened; undefined when none does. */
  findBehind(): string | undefined {
    for (const [followed, owner] of this.#followed) {
      if (isDead(owner)) continue;
      const missed = this.#expected(followed, this.#truth.last);
      if (missed.length > 0) return `${show(followed)} was not told of ${followed.next} on`;
    }
    return undefined;
  }

  #told(followed: Followed, { revision, events }: WatchEvents): void {
    this.toldCount += events.length;
    const expected = this.#expected(followed, revision);
    const isWhole = sameChanges(
      events.map(changeOf),
      expected.map(({ change }) => change),
    );
    const isPlaced = events.every(({ kv }, at) => kv.modRevision === expected[at]?.revision);
    must(isWhole && isPlaced, 'a watch is told all, once, in order', () => {
      const told = events.map(({ kv }) => `${kv.key}@${kv.modRevision}`).join(' ');
      const wanted = expected.map((one) => `${one.change.key}@${one.revision}`).join(' ');
      return `${show(followed)} from ${followed.next} to ${revision}: told ${told}, not ${wanted}`;
    });
    for (const { kv, prevKv } of events) {
      if (prevKv === undefined) continue;
      const before = this.#truth.pairAt(kv.key.toString('latin1'), kv.modRevision - 1);
      const pair: Pair = { ...prevKv, value: prevKv.value.toString('latin1') };
      must(isSamePair(pair, before), 'a watch tells what was before', () => show(followed));
    }
    followed.next = Math.max(followed.next, revision + 1);
  }

  /** What a watch must be told from where it is up to a revision. */
  #expected({ span, next }: Followed, to: number) {
    const expected = [];
    for (let number = Math.max(next, 2); number <= to; number += 1) {
      const revision = this.#truth.at(number);
      must(revision !== undefined, 'nobody is told what did not happen', () => `${number}`);
      for (const change of revision.changes) {
        const isPut = change.pair !== undefined;
        if ((isPut && span.noPut) || (!isPut && span.noDelete)) continue;
        const isMeant = span.prefix ? change.key.startsWith(span.key) : change.key === span.key;
        if (isMeant) expected.push({ revision: number, change });
      }
    }
    return expected;
  }

  #draw(): Span {
    const { below } = this.#random;
    const { floor } = this.#history;
    const isSometimes = (): boolean => below(3) === 0;
    const starts = [undefined, undefined, 1 + below(floor + 1), floor + below(10)];
    const startRevision = starts[below(starts.length)];
    return {
      ...[{ key: 'k', prefix: true }, { key: '', prefix: true }, { key: 'k0' }][below(3)]!,
      ...(startRevision === undefined || startRevision === 0 ? {} : { startRevision }),
      prevKv: isSometimes(),
      progressNotify: isSometimes(),
      ...(isSometimes() && isSometimes() ? { noPut: true } : {}),
      ...(isSometimes() && isSometimes() ? { noDelete: true } : {}),
    };
  }
}

function isDead(owner: WatchOwner): boolean {
  return owner.diedMs() < Number.POSITIVE_INFINITY;
}

function show({ client, span, next }: Followed): string {
  return `the watch of ${client} on ${span.key}${span.prefix ? '*' : ''} (${next})`;
}
