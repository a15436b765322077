/**
 * Who waits for an answer: the member's view of a client, whatever carries it.
 *
 * The server implements it on a connection, tests and the simulator on an array. Every request gets
 * exactly one of the three calls, with the id it came with.
 */

import type { ErrorCode, Redirect, Reply } from '../../include/rpc.ts';

/** The client of one request. */
export type Asker = {
  /** The request was carried out. */
  readonly answer: (id: number, reply: Reply) => void;
  /** It was not, or nobody knows: `code` says which. */
  readonly refuse: (id: number, code: ErrorCode, detail: string | undefined) => void;
  /** Another node must be asked. */
  readonly redirect: (id: number, to: Redirect) => void;
};
