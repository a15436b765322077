/**
 * Whether a client that asks again and again on one stream also reads what it is answered. One that
 * does not is ended: its answers would gather without end, since requests cost it little.
 */

import {
  GrpcCode,
  type RpcStatus,
  STREAM_QUEUED_BYTES_MAX,
  UNREAD_REQUESTS_MAX,
} from '../../../include/gateway.ts';

/** What is said to a client that does not read. */
export const UNREAD: RpcStatus = {
  code: GrpcCode.ResourceExhausted,
  message: 'kvorum: too many requests whose answers are not read',
};

/** Counts the requests of one stream. */
export class Pace {
  #count = 0;

  /** Counts a request. @param queuedBytes bytes of earlier answers that wait for the client */
  isTooFast(queuedBytes: number): boolean {
    this.#count = queuedBytes <= STREAM_QUEUED_BYTES_MAX ? 0 : this.#count + 1;
    return this.#count > UNREAD_REQUESTS_MAX;
  }
}
