/**
 * How many connections there may be, in all and from one address: one client that opens connections
 * without end must not keep out the others.
 */

import { ErrorCode, KvorumError } from '../../include/rpc.ts';

/** What is allowed. */
export type ConnectionsMax = {
  readonly inAll: number;
  readonly perAddress: number;
};

/** Counts connections by the address they come from. */
export class ConnectionQuota {
  readonly #max: ConnectionsMax;
  readonly #byAddress: Map<string, number> = new Map();
  #count = 0;

  constructor(max: ConnectionsMax) {
    this.#max = max;
  }

  /** Takes a place, which `give` gives back. @returns why there is none */
  take(address: string): KvorumError | undefined {
    const { inAll, perAddress } = this.#max;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#count >= inAll) {
      const why = `this node holds ${inAll} connections: ask another one`;
      return new KvorumError(ErrorCode.TooManyConnections, why);
    }
    if (ofAddress >= perAddress) {
      const why = `this node holds ${perAddress} connections from ${address}: share them`;
      return new KvorumError(ErrorCode.TooManyConnections, why);
    }
    this.#count += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return undefined;
  }

  /** Gives back a place that was taken. */
  give(address: string): void {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress === 0) return;
    this.#count -= 1;
    if (ofAddress === 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, ofAddress - 1);
  }
}
