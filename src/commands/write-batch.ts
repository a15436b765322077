/** Writes gathered into one transaction: as many as fit, no key twice. */

import type { Client, Operation } from '../../include/client.ts';

/** How much one transaction takes. */
export type BatchLimits = { readonly operationsMax: number; readonly bytesMax: number };

/** Bytes of keys and values of a batch, unless a single pair has more: requests have 1.5 MiB. */
export const BATCH_BYTES = 512 * 1024;

/** Writes for one transaction. */
export class WriteBatch {
  /** The keys, as latin1 text. */
  readonly keys: Set<string> = new Set();
  readonly #operations: Operation[] = [];
  readonly #limits: BatchLimits;
  #sizeBytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** How many writes it has. */
  get count(): number {
    return this.#operations.length;
  }

  /** Whether all of these can join. An empty batch takes any single write. */
  fits(writes: readonly { readonly key: Buffer; readonly sizeBytes: number }[]): boolean {
    if (this.count === 0 && writes.length === 1) return true;
    const sizeBytes = writes.reduce((sum, each) => sum + each.sizeBytes, this.#sizeBytes);
    return (
      this.count + writes.length <= this.#limits.operationsMax &&
      sizeBytes <= this.#limits.bytesMax &&
      writes.every(({ key }) => !this.keys.has(keyName(key)))
    );
  }

  /** Adds a write. The key's bytes are kept. */
  add(key: Buffer, sizeBytes: number, operation: Operation): void {
    this.keys.add(keyName(key));
    this.#operations.push(operation);
    this.#sizeBytes += sizeBytes;
  }

  /** Writes them all, in one revision. */
  async write(client: Client): Promise<void> {
    await client.txn({ then: this.#operations });
  }
}

/** A key as an element of `keys`. */
export function keyName(key: Buffer): string {
  return key.toString('latin1');
}
