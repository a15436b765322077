/**
 * What the load generator needs to know of a protocol: how a request is written and how a reply is
 * recognised. Each system has one; both are equally light, so that what is measured is the server.
 *
 * Every key is KEY_BYTES long, a prefix and a decimal number: a request is a prebuilt frame in
 * which the id, the digits and what else changes are patched.
 */

/** What is asked. */
export const Operation = {
  Put: 'put',
  /** A get that sees every write acknowledged before it. */
  GetLinearizable: 'get-linearizable',
  /** A get that one node answers from its own state. */
  GetSerializable: 'get-serializable',
  /** A transaction that puts a key if its version is the one expected. */
  CompareAndSwap: 'compare-and-swap',
  /** Grants the lease of a key's number (leaseOf). */
  LeaseGrant: 'lease-grant',
  /** Renews that lease. */
  KeepAlive: 'keep-alive',
} as const;
/** One of the values of Operation. */
export type Operation = (typeof Operation)[keyof typeof Operation];

export const KEY_PREFIX = 'bench/';
const KEY_DIGITS = 10;

/** Bytes of every key. */
export const KEY_BYTES: number = KEY_PREFIX.length + KEY_DIGITS;

/** Called for each reply: the slot its request was sent with, and whether it succeeded. */
export type Answered = (slot: number, isOk: boolean) => void;

/** One connection's side of a protocol. */
export type Wire = {
  /** What a new connection sends first. */
  readonly opening: Buffer;
  /** Most bytes that one request takes. */
  readonly requestBytesMax: number;
  /**
   * Writes the request for a key into `out` at `offset`; returns where it ends.
   *
   * @param slot comes back with the reply; not in use by a request in flight
   * @param version what a compare-and-swap expects the key's version to be
   */
  readonly request: (
    out: Buffer,
    offset: number,
    slot: number,
    keyNumber: number,
    version: number,
  ) => number;
  /**
   * Reads the whole frames at the start of `bytes` (borrowed); returns how many bytes they are.
   *
   * @throws Error when the server closes the connection or breaks the protocol
   */
  readonly read: (bytes: Buffer, answered: Answered) => number;
  /**
   * What the protocol itself owes the server (acknowledgements), taken once; undefined for nothing.
   */
  readonly takeOwed: () => Buffer | undefined;
  /** The last reply that was a failure, for messages. */
  readonly lastFailure: () => string;
};

/** Seconds of a lease: none runs out. */
export const LEASE_SECONDS = 86_400;

/** The lease of a key's number: ids start with 1. */
export function leaseOf(keyNumber: number): number {
  return keyNumber + 1;
}

/** The key of a number. */
export function keyOf(keyNumber: number): Buffer {
  return Buffer.from(KEY_PREFIX + String(keyNumber).padStart(KEY_DIGITS, '0'));
}

/** Where a key stands in bytes that are built once. */
export function keyOffsetsOf(bytes: Buffer, key: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(key); at >= 0; at = bytes.indexOf(key, at + 1)) offsets.push(at);
  return offsets;
}

/** Writes the digits of `keyNumber` over those of a key that starts at `offset`. */
export function patchKey(out: Buffer, offset: number, keyNumber: number): void {
  let rest = keyNumber;
  for (let at = offset + KEY_BYTES - 1; at >= offset + KEY_PREFIX.length; at -= 1) {
    const tenth = (rest / 10) | 0;
    out[at] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
}
