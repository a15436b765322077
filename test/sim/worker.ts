/**
 * What one worker of a client asks, request by request, drawn at random with what it saw before: a
 * swap expects the value that the worker knows, so that many succeed and many do not.
 */

import type { Random } from '../../src/random.ts';
import type { Action, History, Operation } from './history.ts';

/** What a worker is made from. */
export type WorkerOptions = {
  readonly random: Random;
  readonly history: History;
  /** Keys are k0, k1, … */
  readonly keyCount: number;
  /** A value that nobody ever wrote. */
  readonly drawValue: () => string;
};

/** One of the last revisions that somebody was told of. */
export function drawRevision(random: Random, history: History): number {
  return Math.max(1, history.floor - random.below(30));
}

/** A worker. */
export class Worker {
  readonly #options: WorkerOptions;
  /** What it saw last. */
  readonly #known: Map<string, string | undefined> = new Map();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Draws the next request. */
  draw(): Action {
    const { random, history, keyCount, drawValue } = this.#options;
    const key = `k${random.below(keyCount)}`;
    const other = `k${random.below(keyCount)}`;
    const keys = key === other ? [key] : [key, other];
    const value = drawValue();
    const expected = this.#known.get(key);
    const choice = random.below(100);
    if (choice < 25) return { kind: 'put', key, value };
    if (choice < 32) return { kind: 'delete', key };
    if (choice < 50) return { kind: 'swap', key, expected, value };
    if (choice < 62) return { kind: 'txn', keys, expected, value };
    if (choice < 66) return { kind: 'look back', key, revision: drawRevision(random, history) };
    if (choice < 74) return { kind: 'read', keys, isSerializable: true };
    return { kind: 'read', keys, isSerializable: false };
  }

  /** Keeps what an answer tells, if one came. */
  learn({ action, answer }: Operation): void {
    for (const [key, pair] of answer?.seen ?? []) this.#known.set(key, pair?.value);
    if (answer?.hasWritten !== true) return;
    if (action.kind === 'put' || action.kind === 'swap') this.#known.set(action.key, action.value);
    if (action.kind === 'txn') for (const key of action.keys) this.#known.set(key, action.value);
    if (action.kind === 'delete') this.#known.set(action.key, undefined);
  }
}
