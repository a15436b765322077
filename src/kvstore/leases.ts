/**
 * Grants, ends and checkpoints of leases, as entries of the log bring them.
 *
 * The end of a lease deletes its keys in key order, in one revision, many of them step by step; a
 * lease without keys makes none. Nothing here knows the time: whoever counts it proposes what has
 * run out.
 */

import type {
  ExpireRequest,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseGrantResult,
  LeaseRevokeRequest,
  LeaseRevokeResult,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { deleteLeaseKeys } from './deletions.ts';
import { deleteLease, findLease, hasLease, putLease } from './lease-table.ts';
import { endSession } from './sessions.ts';
import type { StoreState } from './store-state.ts';

/** Applies a grant. */
export function grantLease(
  state: StoreState,
  request: LeaseGrantRequest,
): LeaseGrantResult | ErrorCode {
  const { id, ttlSeconds } = request;
  assert(id !== 0n, 'the id of a lease is chosen before its grant is applied');
  assert(ttlSeconds > 0, 'a lease has at least a second when its grant is applied', ttlSeconds);
  state.hasOpenEffects = true;
  if (hasLease(state, id)) return ErrorCode.LeaseExists;
  putLease(state, { id, ttlSeconds, remainingSeconds: 0, grantIndex: state.applied.index + 1 });
  return { revision: state.revision, id, ttlSeconds };
}

/** Applies a revocation. */
export function revokeLease(
  state: StoreState,
  request: LeaseRevokeRequest,
): LeaseRevokeResult | ErrorCode {
  state.hasOpenEffects = true;
  if (!hasLease(state, request.id)) return ErrorCode.LeaseNotFound;
  return { revision: endLease(state, request.id) };
}

/** Applies a checkpoint. */
export function checkpointLeases(state: StoreState, request: LeaseCheckpointRequest): void {
  state.hasOpenEffects = true;
  for (const { id, remainingSeconds } of request.checkpoints) {
    const lease = findLease(state, id);
    if (lease !== undefined) putLease(state, { ...lease, remainingSeconds });
  }
}

/** Applies an expiry. */
export function expire(state: StoreState, request: ExpireRequest): void {
  state.hasOpenEffects = true;
  for (const { id, grantIndex } of request.leases) {
    if (findLease(state, id)?.grantIndex === grantIndex) endLease(state, id);
  }
  for (const { session, lastIndex } of request.sessions) {
    if (state.sessions.open.get(session)?.lastIndex === lastIndex) {
      endSession(state.sessions, session);
    }
  }
}

/** Deletes a lease and its keys; returns the revision made, or the current one. */
function endLease(state: StoreState, id: bigint): number {
  deleteLease(state, id);
  return deleteLeaseKeys(state, id);
}
