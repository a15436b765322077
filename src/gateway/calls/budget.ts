/**
 * Bytes of requests that are not whole yet, of all calls of a gateway together: what many clients
 * begin and never end must not take all memory.
 */

import { GrpcCode, UNFINISHED_BYTES_MAX } from '../../../include/gateway.ts';
import { RpcError } from './call.ts';

/** What all calls hold. */
export type Budget = { heldBytes: number };

/** What one call holds of it. */
export class Share {
  readonly #budget: Budget;
  #heldBytes = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Holds so many bytes from now on. @throws RpcError when all together are too many */
  hold(bytes: number): void {
    const more = bytes - this.#heldBytes;
    this.#heldBytes = bytes;
    this.#budget.heldBytes += more;
    if (more <= 0 || this.#budget.heldBytes <= UNFINISHED_BYTES_MAX) return;
    throw new RpcError(GrpcCode.ResourceExhausted, 'kvorum: too many unfinished requests');
  }
}
