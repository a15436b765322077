/** How long to rest after a failure: twice as long each time, a random half of it taken off. */

import { BACKOFF_MAX_MS, BACKOFF_MIN_MS } from '../../include/client.ts';
import { RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../../include/rpc.ts';
import type { Random } from '../random.ts';

/** The bounds of a rest. */
export type Backoff = { readonly leastMs: number; readonly mostMs: number };

/** Between two attempts to connect. */
export const RECONNECT: Backoff = { leastMs: RECONNECT_MIN_MS, mostMs: RECONNECT_MAX_MS };

/** Between two attempts of a request. */
export const RETRY: Backoff = { leastMs: BACKOFF_MIN_MS, mostMs: BACKOFF_MAX_MS };

/** Doublings after which every rest has reached its bound. */
const DOUBLINGS_MAX = 16;

/** How long to rest after so many failures in a row. */
export function backoffMs(backoff: Backoff, failedCount: number, random: Random): number {
  const doubledMs = backoff.leastMs * 2 ** Math.min(failedCount, DOUBLINGS_MAX);
  const fullMs = Math.min(backoff.mostMs, doubledMs);
  return fullMs / 2 + random.below(Math.ceil(fullMs / 2));
}
