/**
 * What a sequence is made of: requests in the words of the client library, as plain data that can
 * be printed, pasted and run again.
 *
 * Keys and values are text, one character a byte. Revisions are those of a store that was empty
 * when the sequence began: the first write makes revision 2 (see side.ts).
 */

import { inspect } from 'node:util';
import type { Operation, WatchOptions } from '../../include/client.ts';

/** Starts a watch; what it is told is compared before a compaction and at the end. */
export type WatchStep = { readonly watch: string } & WatchOptions;

/** One request. */
export type Step =
  | Operation
  | { readonly compact: number; readonly physical?: boolean }
  /** Id 0n lets the server choose. A lease of less than a minute is revoked at once. */
  | { readonly grant: bigint; readonly ttlSeconds: number }
  | { readonly revoke: bigint }
  | { readonly timeToLive: bigint; readonly keys?: boolean }
  | { readonly keepAlive: bigint }
  | { readonly leases: true }
  /** kvorum is killed and started again; its etcd is not. */
  | { readonly restart: true };

/** Requests in order. */
export type Sequence = readonly (Step | WatchStep)[];

/** An answer as plain data: a field is left out where there is nothing. */
export type Answer = { readonly [field: string]: unknown };

/** A sequence as source text. */
export function showSequence(sequence: Sequence): string {
  const lines = sequence.map((step) => `  ${show(step).replaceAll('\n', '\n  ')},\n`);
  return `[\n${lines.join('')}]`;
}

/** A step or an answer as source text, on one line where it is short. */
export function show(data: Step | WatchStep | Answer): string {
  const most = { maxArrayLength: null, maxStringLength: 200 };
  return inspect(data, { depth: 40, compact: 40, breakLength: 96, ...most });
}

/**
 * The same data, its leaves mapped.
 * @param map gets each leaf, and the name of the nearest field it stands in
 */
export function mapFields<T>(data: T, map: (leaf: unknown, field: string) => unknown): T {
  const visit = (value: unknown, field: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => visit(each, field));
    if (typeof value !== 'object' || value === null) return map(value, field);
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, visit(of, name)]));
  };
  return visit(data, '') as T;
}
