/**
 * What the load generator needs to know of a protocol: how a request is written and how a reply is
 * recognised. Each system has one; both are equally light, so that what is measured is the server.
 *
 * Every key is KEY_BYTES long, a prefix and a decimal number: a request is a prebuilt frame in
 * which the id and the digits are patched.
 */

/** What is asked. */
export const Operation = {
  Put: 'put',
  /** A get that sees every write acknowledged before it. */
  GetLinearizable: 'get-linearizable',
  /** A get that one node answers from its own state. */
  GetSerializable: 'get-serializable',
} as const;
/** One of the values of Operation. */
export type Operation = (typeof Operation)[keyof typeof Operation];

const KEY_PREFIX = 'bench/';
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
   */
  readonly request: (out: Buffer, offset: number, slot: number, keyNumber: number) => number;
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

/** The key of a number. */
export function keyOf(keyNumber: number): Buffer {
  return Buffer.from(KEY_PREFIX + String(keyNumber).padStart(KEY_DIGITS, '0'));
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
