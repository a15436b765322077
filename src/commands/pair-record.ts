/**
 * A pair as a line of JSON: what `kvorum export` writes and `kvorum import` reads.
 *
 *   {"key":"app/a","value":"10"}
 *   {"key":"bin","value":{"base64":"/wA="},"lease":"00000000000004d2","ttl":60}
 *
 * Bytes that are UTF-8 are a string, others an object with their base64. A pair that hangs on a
 * lease has its id in hex and the seconds it was granted for.
 */

import { isUtf8 } from 'node:buffer';
import type { KeyValue } from '../../include/kvstore.ts';
import { printJson } from '../client/terminal/json.ts';
import { leaseName } from '../client/terminal/printer.ts';

/** The lease a pair hangs on. */
export type RecordLease = { readonly id: bigint; readonly ttlSeconds: number };

/** A pair, as it is exported. */
export type PairRecord = {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly lease: RecordLease | undefined;
};

const LEASE_ID_MAX = 2n ** 63n - 1n;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const NAMES: readonly string[] = ['key', 'value', 'lease', 'ttl'];

/** Writes a pair, with its line feed. */
export function writeRecord({ key, value }: KeyValue, lease: RecordLease | undefined): string {
  const held = lease && { lease: leaseName(lease.id), ttl: lease.ttlSeconds };
  return `${printJson({ key: bytesJson(key), value: bytesJson(value), ...held })}\n`;
}

/**
 * Reads a line.
 *
 * @throws Error that says what was expected
 */
export function readRecord(line: string): PairRecord {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch (error) {
    throw new Error(`expected a JSON object: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw new Error('expected a JSON object with key and value');
  }
  const members: ReadonlyMap<string, unknown> = new Map(Object.entries(found));
  for (const name of members.keys()) {
    if (!NAMES.includes(name)) {
      throw new Error(`expected ${NAMES.join(', ')} only, not ${JSON.stringify(name)}`);
    }
  }
  return {
    key: readBytes('key', members.get('key')),
    value: readBytes('value', members.get('value')),
    lease: readLease(members.get('lease'), members.get('ttl')),
  };
}

function bytesJson(bytes: Buffer) {
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes };
}

function readBytes(name: string, found: unknown): Buffer {
  if (typeof found === 'string' && found.isWellFormed()) return Buffer.from(found);
  if (typeof found === 'object' && found !== null && 'base64' in found) {
    const { base64 } = found;
    if (typeof base64 === 'string' && BASE64.test(base64)) return Buffer.from(base64, 'base64');
  }
  throw new Error(`expected ${name} to be a string or {"base64":"..."}`);
}

function readLease(lease: unknown, ttl: unknown): RecordLease | undefined {
  if (lease === undefined && ttl === undefined) return undefined;
  if (typeof lease !== 'string' || !/^[0-9a-fA-F]{1,16}$/.test(lease)) {
    throw new Error('expected lease to be an id in hex');
  }
  const id = BigInt(`0x${lease}`);
  if (id === 0n || id > LEASE_ID_MAX) throw new Error('expected lease to be 1 to 7fffffffffffffff');
  if (typeof ttl !== 'number' || !Number.isSafeInteger(ttl) || ttl <= 0) {
    throw new Error('expected ttl, the seconds of the lease, to be a positive integer');
  }
  return { id, ttlSeconds: ttl };
}
