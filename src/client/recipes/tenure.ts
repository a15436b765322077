/** The lease that something is held on: the caller's, or one of its own that ends with it. */

import type { Client, HeldLease } from '../../../include/client.ts';
import { type HoldOptions, RECIPE_TTL_SECONDS } from '../../../include/recipes.ts';
import { ErrorCode, KvorumError } from '../../../include/rpc.ts';

/** The lease that something is held on. */
export type Tenure = { readonly lease: HeldLease; readonly isOwn: boolean };

/** Takes the lease given, or asks for one. */
export async function takeLease(client: Client, options: HoldOptions): Promise<Tenure> {
  if (options.lease !== undefined) return { lease: options.lease, isOwn: false };
  const lease = await client.holdLease(options.ttlSeconds ?? RECIPE_TTL_SECONDS);
  return { lease, isOwn: true };
}

/** Aborts when the lease is lost, or the caller gives up waiting. */
export function waitingSignal({ lease }: Tenure, signal: AbortSignal | undefined): AbortSignal {
  return signal === undefined ? lease.lost : AbortSignal.any([lease.lost, signal]);
}

/** What a failure while a lease is needed means: if the lease is gone, that it is. */
export function explainLoss({ lease }: Tenure, error: unknown): unknown {
  return lease.lost.aborted ? notHeld('its lease is lost', lease.lost.reason) : error;
}

/** What is held is gone. */
export function notHeld(why: string, cause?: unknown): KvorumError {
  const options = cause === undefined ? {} : { cause };
  return new KvorumError(ErrorCode.NotHeld, `kvorum: it is not held any more: ${why}`, options);
}
