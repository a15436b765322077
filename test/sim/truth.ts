/**
 * What happened to the data, revision by revision, as the members applied it. Each member's store
 * is watched from within; the first that tells of a revision makes it history, all others must tell
 * the same.
 */

import { EventKind, type WatchEvent } from '../../include/kvstore.ts';
import type { NodeId } from '../../include/node.ts';
import { must } from './violation.ts';

/** A key's pair. */
export type Pair = {
  readonly value: string;
  readonly modRevision: number;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: bigint;
};

/** What a revision did to a key. */
export type Change = {
  readonly key: string;
  /** Undefined: it was deleted. */
  readonly pair: Pair | undefined;
};

/** One revision. */
export type Revision = {
  readonly number: number;
  readonly changes: readonly Change[];
  /** What each node's clock showed when the first of them applied it. */
  readonly clocksMs: readonly number[];
};

/** The first revision that a write makes: an empty store is at 1. */
const FIRST = 2;

/** The history of the data. */
export class Truth {
  readonly #revisions: Revision[] = [];
  /** The revisions that concern a key, ascending. */
  readonly #keys: Map<string, Revision[]> = new Map();
  readonly #clocksMs: () => readonly number[];

  constructor(clocksMs: () => readonly number[]) {
    this.#clocksMs = clocksMs;
  }

  /** The newest revision known. */
  get last(): number {
    return FIRST - 1 + this.#revisions.length;
  }

  /** All of them, ascending. */
  get revisions(): readonly Revision[] {
    return this.#revisions;
  }

  /** A revision; undefined when it is not known. */
  at(revision: number): Revision | undefined {
    return this.#revisions[revision - FIRST];
  }

  /** A member tells of a whole revision. */
  tell(node: NodeId, revision: number, events: readonly WatchEvent[]): void {
    const changes = events.map(changeOf);
    const known = this.at(revision);
    if (known !== undefined) {
      const isSame = sameChanges(known.changes, changes);
      must(isSame, 'members tell the same history', () => {
        return `member ${node}, revision ${revision}: ${show(changes)}, not ${show(known.changes)}`;
      });
      return;
    }
    const isNext = revision === this.last + 1;
    must(
      isNext,
      'no revision is left out',
      () => `member ${node}: ${revision}, not ${this.last}+1`,
    );
    const added = { number: revision, changes, clocksMs: this.#clocksMs() };
    this.#revisions.push(added);
    for (const { key } of changes) {
      const ofKey = this.#keys.get(key);
      if (ofKey === undefined) this.#keys.set(key, [added]);
      else if (ofKey.at(-1) !== added) ofKey.push(added);
    }
  }

  /** The first revision that deleted a key. */
  findDeletion(key: string): Revision | undefined {
    return this.#keys
      .get(key)
      ?.find(({ changes }) => changes.some((one) => one.key === key && one.pair === undefined));
  }

  /** A key's pair as of a revision; undefined when it was not there. */
  pairAt(key: string, revision: number): Pair | undefined {
    const ofKey = this.#keys.get(key) ?? [];
    let low = 0;
    let high = ofKey.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ofKey[middle]!.number <= revision) low = middle + 1;
      else high = middle;
    }
    // Of several changes of a key in one revision the last one stands.
    return ofKey[low - 1]?.changes.findLast((change) => change.key === key)?.pair;
  }
}

/** What an event says. */
export function changeOf({ kind, kv }: WatchEvent): Change {
  const key = kv.key.toString('latin1');
  if (kind === EventKind.Delete) return { key, pair: undefined };
  const { modRevision, createRevision, version, lease } = kv;
  const value = kv.value.toString('latin1');
  return { key, pair: { value, modRevision, createRevision, version, lease } };
}

/** Whether two lists of changes are the same. */
export function sameChanges(one: readonly Change[], other: readonly Change[]): boolean {
  return one.length === other.length && one.every((change, at) => isSameChange(change, other[at]!));
}

function isSameChange(one: Change, other: Change): boolean {
  return one.key === other.key && isSamePair(one.pair, other.pair);
}

/** Whether two pairs are the same, the absence of both included. */
export function isSamePair(one: Pair | undefined, other: Pair | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.value === other.value &&
    one.modRevision === other.modRevision &&
    one.createRevision === other.createRevision &&
    one.version === other.version &&
    one.lease === other.lease
  );
}

function show(changes: readonly Change[]): string {
  return changes
    .map(({ key, pair }) => `${key}=${pair?.value.replace(/\.+$/, '') ?? 'deleted'}`)
    .join(' ');
}
