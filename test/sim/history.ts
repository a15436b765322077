/**
 * What clients asked and what they were told, in real order; and what must hold at once when an
 * answer comes: nobody is told of a state older than one that somebody has already seen.
 */

import { ERRORS, ErrorCode, KvorumError, Retry } from '../../include/rpc.ts';
import type { Pair } from './truth.ts';
import { must } from './violation.ts';

/** What a client asks. */
export type Action =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  /** Puts the key if its value is what is expected; undefined: if it is absent. */
  | {
      readonly kind: 'swap';
      readonly key: string;
      readonly expected: string | undefined;
      readonly value: string;
    }
  /** Puts all keys if the first one's value is what is expected, else reads them all. */
  | {
      readonly kind: 'txn';
      readonly keys: readonly string[];
      readonly expected: string | undefined;
      readonly value: string;
    }
  | { readonly kind: 'read'; readonly keys: readonly string[]; readonly isSerializable: boolean }
  /** Reads a key as it was. */
  | { readonly kind: 'look back'; readonly key: string; readonly revision: number };

/** What a client was told. */
export type Answer = {
  /** Of the write, or of the state that was read. */
  readonly revision: number;
  /** Whether it wrote. */
  readonly hasWritten: boolean;
  /** What it saw, by key; a key that is missing was not looked at. */
  readonly seen: ReadonlyMap<string, Pair | undefined>;
};

/** One request, from its beginning to its answer. */
export type Operation = {
  readonly client: string;
  readonly action: Action;
  /** Its place in the order of all beginnings and answers. */
  readonly invoked: number;
  /** Infinity: no answer came. */
  returned: number;
  answer: Answer | undefined;
  /** It failed, and surely had no effect. */
  isVoid: boolean;
  /** The newest revision that anybody had been told of when it began. */
  readonly floor: number;
};

/** What surely had no effect, besides what may be tried again without harm. */
const VOID_CODES: readonly ErrorCode[] = [
  ErrorCode.Compacted,
  ErrorCode.FutureRevision,
  ErrorCode.LeaseNotFound,
  ErrorCode.NoSpace,
];

/** All requests of all clients. */
export class History {
  readonly operations: Operation[] = [];
  /** The newest revision that anybody asked to compact at. */
  compactedMax = 0;
  #order = 0;
  #floor = 0;

  /** The newest revision that anybody was told of. */
  get floor(): number {
    return this.#floor;
  }

  begin(client: string, action: Action): Operation {
    this.#order += 1;
    const operation: Operation = {
      client,
      action,
      invoked: this.#order,
      returned: Number.POSITIVE_INFINITY,
      answer: undefined,
      isVoid: false,
      floor: this.#floor,
    };
    this.operations.push(operation);
    return operation;
  }

  /** An answer came. */
  end(operation: Operation, answer: Answer): void {
    this.#order += 1;
    operation.returned = this.#order;
    operation.answer = answer;
    const { action, floor } = operation;
    const { revision, hasWritten } = answer;
    const isStaleAllowed = action.kind === 'read' && action.isSerializable;
    const least = hasWritten ? floor + 1 : floor;
    const isNew = isStaleAllowed || revision >= least;
    must(isNew, 'nobody sees the past', () => {
      const what = `${tellAction(action)} of ${operation.client}`;
      return `${what} is of ${revision}, not ${least} or later`;
    });
    this.#floor = Math.max(this.#floor, revision);
  }

  /** It failed. */
  fail(operation: Operation, error: unknown): void {
    if (!(error instanceof KvorumError)) throw error;
    this.#order += 1;
    const isSafe = ERRORS.get(error.code)?.retry === Retry.Safe;
    operation.isVoid = isSafe || VOID_CODES.includes(error.code);
    if (operation.isVoid) operation.returned = this.#order;
    if (error.code !== ErrorCode.Compacted || operation.action.kind !== 'look back') return;
    const { revision } = operation.action;
    const isGone = revision < this.compactedMax;
    must(isGone, 'only what is compacted is gone', () => `${revision} of ${this.compactedMax}`);
  }
}

/** An action as text. */
export function tellAction(action: Action): string {
  switch (action.kind) {
    case 'put':
      return `put ${action.key}=${tellValue(action.value)}`;
    case 'delete':
      return `delete ${action.key}`;
    case 'swap': {
      const { key, expected, value } = action;
      return `swap ${key} from ${tellValue(expected)} to ${tellValue(value)}`;
    }
    case 'txn': {
      const { keys, expected, value } = action;
      return `txn ${keys.join(',')} from ${tellValue(expected)} to ${tellValue(value)}`;
    }
    case 'look back':
      return `read ${action.key} as of ${action.revision}`;
    case 'read':
      return `${action.isSerializable ? 'local' : 'linearizable'} read ${action.keys.join(',')}`;
  }
}

/** What makes a value unique, without what it is padded with. */
export function tellValue(value: string | undefined): string {
  return value?.replace(/\.+$/, '') ?? 'absent';
}
