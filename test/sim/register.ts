/** A key as a model for the linearizability checker: a register that may be empty. */

import type { Operation } from './history.ts';
import type { Interval, Model } from './linearizability.ts';

/** What happens to one key. The values are unique, so that a read says which write it saw. */
export type RegisterOperation =
  | { readonly kind: 'write'; readonly value: string | undefined }
  | { readonly kind: 'read'; readonly value: string | undefined }
  /** Saw a value and wrote another. */
  | {
      readonly kind: 'exchange';
      readonly seen: string | undefined;
      readonly value: string | undefined;
    }
  /** Wrote if it saw what was expected; nobody knows whether it did. */
  | {
      readonly kind: 'try';
      readonly expected: string | undefined;
      readonly value: string;
    };

type Value = string | undefined;
type RegisterInterval = Interval<RegisterOperation>;

/** A register. */
export const REGISTER: Model<Value, RegisterOperation> = {
  initial: undefined,
  step: (state, operation) => {
    switch (operation.kind) {
      case 'write':
        return { state: operation.value };
      case 'read':
        return state === operation.value ? { state } : undefined;
      case 'exchange':
        return state === operation.seen ? { state: operation.value } : undefined;
      case 'try':
        return { state: state === operation.expected ? operation.value : state };
    }
  },
  keyOf: (state) => state ?? '',
};

/** The history of each key, out of that of all clients. Serializable reads are left out. */
export function historiesOf(
  operations: readonly Operation[],
): ReadonlyMap<string, readonly RegisterInterval[]> {
  const histories = new Map<string, RegisterInterval[]>();
  for (const operation of operations) {
    if (operation.isVoid) continue;
    for (const [key, part] of partsOf(operation)) {
      const { invoked, returned } = operation;
      const interval = { operation: part, invoked, returned };
      const history = histories.get(key);
      if (history === undefined) histories.set(key, [interval]);
      else history.push(interval);
    }
  }
  return new Map([...histories].map(([key, history]) => [key, withoutUnseen(history)]));
}

/**
 * Leaves out what nobody knows of and nobody saw: whatever follows it could follow what was before
 * it as well. That keeps the search short.
 */
function withoutUnseen(history: readonly RegisterInterval[]): readonly RegisterInterval[] {
  const seen = new Set(history.map(({ operation }) => seenBy(operation)));
  return history.filter(({ operation, returned }) => {
    if (returned < Number.POSITIVE_INFINITY || operation.kind === 'read') return true;
    return operation.value === undefined || seen.has(operation.value);
  });
}

function seenBy(operation: RegisterOperation): string | undefined {
  switch (operation.kind) {
    case 'write':
      return undefined;
    case 'read':
      return operation.value;
    case 'exchange':
      return operation.seen;
    case 'try':
      return operation.expected;
  }
}

/** What an operation did to each key it concerns. */
function partsOf({ action, answer }: Operation): (readonly [string, RegisterOperation])[] {
  if (answer === undefined) return unknownPartsOf(action);
  const isStaleAllowed = action.kind === 'read' && action.isSerializable;
  if (!answer.hasWritten) {
    if (action.kind === 'look back' || isStaleAllowed) return [];
    return [...answer.seen].map(([key, pair]) => [key, { kind: 'read', value: pair?.value }]);
  }
  switch (action.kind) {
    case 'put':
      return [[action.key, { kind: 'write', value: action.value }]];
    case 'delete': {
      const seen = answer.seen.get(action.key)?.value;
      return [[action.key, { kind: 'exchange', seen, value: undefined }]];
    }
    case 'swap':
      return [[action.key, { kind: 'exchange', seen: action.expected, value: action.value }]];
    case 'txn':
      return action.keys.map((key, at) => {
        if (at > 0) return [key, { kind: 'write', value: action.value }] as const;
        return [key, { kind: 'exchange', seen: action.expected, value: action.value }] as const;
      });
    case 'look back':
    case 'read':
      return [];
  }
}

/** What an operation may have done. Without an end it may also never have done it. */
function unknownPartsOf(action: Operation['action']): (readonly [string, RegisterOperation])[] {
  switch (action.kind) {
    case 'put':
      return [[action.key, { kind: 'write', value: action.value }]];
    case 'delete':
      return [[action.key, { kind: 'write', value: undefined }]];
    case 'swap':
      return [[action.key, { kind: 'try', expected: action.expected, value: action.value }]];
    case 'txn':
      return action.keys.map((key, at) => {
        if (at > 0) return [key, { kind: 'write', value: action.value }] as const;
        return [key, { kind: 'try', expected: action.expected, value: action.value }] as const;
      });
    case 'look back':
    case 'read':
      return [];
  }
}
