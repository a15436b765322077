/** An action as requests of the real client, and what its answer says. */

import type { Client, Condition } from '../../include/client.ts';
import { type KeyValue, OpKind } from '../../include/kvstore.ts';
import type { Action, Answer } from './history.ts';
import type { Pair } from './truth.ts';
import { must } from './violation.ts';

/** Carries an action out. */
export async function carryOut(client: Client, action: Action): Promise<Answer> {
  switch (action.kind) {
    case 'put': {
      const { revision } = await client.put(action.key, action.value);
      return { revision, hasWritten: true, seen: new Map() };
    }
    case 'delete': {
      const { revision, deleted, prevKvs } = await client.delete(action.key, { prevKv: true });
      must(deleted === prevKvs.length, 'a deletion tells what it deleted', () => action.key);
      return { revision, hasWritten: deleted > 0, seen: seenOf([action.key], prevKvs) };
    }
    case 'swap': {
      const { key, expected, value } = action;
      const how = expected === undefined ? ({ absent: true } as const) : { value: expected };
      const { revision, succeeded, current } = await client.compareAndSwap(key, how, value);
      if (succeeded) return { revision, hasWritten: true, seen: new Map() };
      const found = current === undefined ? [] : [current];
      return { revision, hasWritten: false, seen: seenOf([key], found) };
    }
    case 'txn':
      return transact(client, action.keys, action.expected, action.value);
    case 'look back': {
      const { key, revision: at } = action;
      const { revision, kvs } = await client.range(key, { revision: at });
      return { revision, hasWritten: false, seen: seenOf([key], kvs) };
    }
    case 'read':
      return read(client, action.keys, action.isSerializable);
  }
}

async function transact(
  client: Client,
  keys: readonly string[],
  expected: string | undefined,
  value: string,
): Promise<Answer> {
  const key = keys[0]!;
  const condition: Condition =
    expected === undefined ? { key, version: 0 } : { key, value: expected };
  const { revision, succeeded, results } = await client.txn({
    when: [condition],
    then: keys.map((put) => ({ put, value })),
    otherwise: keys.map((get) => ({ get })),
  });
  if (succeeded) return { revision, hasWritten: true, seen: new Map() };
  const found = results.flatMap((one) => (one.kind === OpKind.Range ? one.result.kvs : []));
  return { revision, hasWritten: false, seen: seenOf(keys, found) };
}

/** One key by itself, several in a transaction that only reads. */
async function read(
  client: Client,
  keys: readonly string[],
  serializable: boolean,
): Promise<Answer> {
  if (keys.length === 1) {
    const { revision, kvs } = await client.range(keys[0]!, { serializable });
    return { revision, hasWritten: false, seen: seenOf(keys, kvs) };
  }
  const { revision, results } = await client.txn({
    then: keys.map((get) => ({ get, serializable })),
  });
  const found = results.flatMap((one) => (one.kind === OpKind.Range ? one.result.kvs : []));
  return { revision, hasWritten: false, seen: seenOf(keys, found) };
}

function seenOf(
  keys: readonly string[],
  found: readonly KeyValue[],
): ReadonlyMap<string, Pair | undefined> {
  const seen = new Map<string, Pair | undefined>(keys.map((key) => [key, undefined]));
  for (const kv of found) seen.set(kv.key.toString('latin1'), pairOf(kv));
  return seen;
}

/** A key's pair as the history keeps it. */
export function pairOf({ value, modRevision, createRevision, version, lease }: KeyValue): Pair {
  return { value: value.toString('latin1'), modRevision, createRevision, version, lease };
}
