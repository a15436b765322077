/**
 * Leases and sessions: requests, what they come to, and what a leader proposes about them on its
 * own account. Byte tables: docs/PROTOCOL.md 5, 6 and 11.
 */

import type {
  ExpireRequest,
  LeaseCheckpoint,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseRevokeRequest,
  SessionMark,
  SessionOpenRequest,
} from '../../include/kvstore.ts';
import type {
  LeaseGrantReply,
  LeaseKeepAliveReply,
  LeaseKeepAliveRequest,
  LeaseListReply,
  LeaseTimeToLiveReply,
  LeaseTimeToLiveRequest,
  ReplyHeader,
  SessionOpenReply,
} from '../../include/rpc.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const LEASE_ID_BYTES = 8;
const SIZED_BYTES_MIN = 4;

/** Bytes of what ends: a lease or session, and the entry that it hangs on. */
const EXPIRED_BYTES = 16;

const CHECKPOINT_BYTES = 16;

// ---- requests ----

/** Puts the body of a LEASE_GRANT. Negative seconds travel as 0: both are raised to the least. */
export function putLeaseGrantRequest(writer: FrameWriter, grant: LeaseGrantRequest): void {
  writer.lease(grant.id);
  writer.u64(Math.max(grant.ttlSeconds, 0));
}

/** Reads the body of a LEASE_GRANT. @throws KvorumError FrameMalformed */
export function readLeaseGrantRequest(body: BodyReader): LeaseGrantRequest {
  const id = body.lease('lease');
  const ttlSeconds = body.u64('seconds');
  return { id, ttlSeconds };
}

/** Puts the body of a LEASE_REVOKE or LEASE_KEEP_ALIVE: the lease meant. */
export function putLeaseId(
  writer: FrameWriter,
  request: LeaseRevokeRequest | LeaseKeepAliveRequest,
): void {
  writer.lease(request.id);
}

/** Reads the body of a LEASE_REVOKE or LEASE_KEEP_ALIVE. @throws KvorumError FrameMalformed */
export function readLeaseId(body: BodyReader): LeaseRevokeRequest & LeaseKeepAliveRequest {
  return { id: body.lease('lease') };
}

/** Puts the body of a LEASE_TIME_TO_LIVE. */
export function putTimeToLiveRequest(writer: FrameWriter, request: LeaseTimeToLiveRequest): void {
  writer.lease(request.id);
  writer.flag(request.keys);
}

/** Reads the body of a LEASE_TIME_TO_LIVE. @throws KvorumError FrameMalformed */
export function readTimeToLiveRequest(body: BodyReader): LeaseTimeToLiveRequest {
  const id = body.lease('lease');
  const keys = body.flag('keys');
  return { id, keys };
}

/** Puts the body of a SESSION_OPEN. */
export function putSessionOpenRequest(writer: FrameWriter, open: SessionOpenRequest): void {
  writer.u64(Math.max(open.ttlSeconds, 0));
}

/** Reads the body of a SESSION_OPEN. @throws KvorumError FrameMalformed */
export function readSessionOpenRequest(body: BodyReader): SessionOpenRequest {
  return { ttlSeconds: body.u64('seconds') };
}

/** Puts what comes first in the body of a ONCE. */
export function putSessionMark(writer: FrameWriter, mark: SessionMark): void {
  writer.u64(mark.session);
  writer.u64(mark.sequence);
  writer.u64(mark.acknowledged);
}

/** Reads what comes first in the body of a ONCE. @throws KvorumError FrameMalformed */
export function readSessionMark(body: BodyReader): SessionMark {
  const session = body.u64('session');
  const sequence = body.u64('sequence');
  const acknowledged = body.u64('acknowledged');
  if (sequence === 0) throw malformed('sequence', 'writes are numbered from 1');
  return { session, sequence, acknowledged };
}

// ---- what a leader proposes ----

/** Puts the data of an Expire entry, behind its type. */
export function putExpireRequest(writer: FrameWriter, expire: ExpireRequest): void {
  writer.u32(expire.leases.length);
  for (const { id, grantIndex } of expire.leases) {
    writer.lease(id);
    writer.u64(grantIndex);
  }
  writer.u32(expire.sessions.length);
  for (const { session, lastIndex } of expire.sessions) {
    writer.u64(session);
    writer.u64(lastIndex);
  }
}

/** Reads the data of an Expire entry, behind its type. @throws KvorumError FrameMalformed */
export function readExpireRequest(body: BodyReader): ExpireRequest {
  const leases = readMany(body, 'leases', EXPIRED_BYTES, () => {
    const id = body.lease('lease');
    const grantIndex = body.u64('grant index');
    return { id, grantIndex };
  });
  const sessions = readMany(body, 'sessions', EXPIRED_BYTES, () => {
    const session = body.u64('session');
    const lastIndex = body.u64('last index');
    return { session, lastIndex };
  });
  return { leases, sessions };
}

/** Puts the data of a LeaseCheckpoint entry, behind its type. */
export function putCheckpointRequest(writer: FrameWriter, request: LeaseCheckpointRequest): void {
  writer.u32(request.checkpoints.length);
  for (const { id, remainingSeconds } of request.checkpoints) {
    writer.lease(id);
    writer.u64(remainingSeconds);
  }
}

/**
 * Reads the data of a LeaseCheckpoint entry, behind its type.
 *
 * @throws KvorumError FrameMalformed
 */
export function readCheckpointRequest(body: BodyReader): LeaseCheckpointRequest {
  const checkpoints = readMany(body, 'checkpoints', CHECKPOINT_BYTES, (): LeaseCheckpoint => {
    const id = body.lease('lease');
    const remainingSeconds = body.u64('seconds left');
    return { id, remainingSeconds };
  });
  return { checkpoints };
}

// ---- replies, behind their header ----

/** Puts the answer to a grant. */
export function putLeaseGrantReply(writer: FrameWriter, reply: LeaseGrantReply): void {
  writer.lease(reply.id);
  writer.u64(reply.ttlSeconds);
}

/** Reads the answer to a grant. @throws KvorumError FrameMalformed */
export function readLeaseGrantReply(body: BodyReader, header: ReplyHeader): LeaseGrantReply {
  const id = body.lease('lease');
  const ttlSeconds = body.u64('seconds');
  return { ...header, id, ttlSeconds };
}

/** Puts the answer to a renewal. */
export function putKeepAliveReply(writer: FrameWriter, reply: LeaseKeepAliveReply): void {
  writer.lease(reply.id);
  writer.u64(reply.ttlSeconds);
}

/** Reads the answer to a renewal. @throws KvorumError FrameMalformed */
export function readKeepAliveReply(body: BodyReader, header: ReplyHeader): LeaseKeepAliveReply {
  return readLeaseGrantReply(body, header);
}

/** Puts what is left of a lease. */
export function putTimeToLiveReply(writer: FrameWriter, reply: LeaseTimeToLiveReply): void {
  writer.lease(reply.id);
  writer.i64(reply.ttlSeconds);
  writer.u64(reply.grantedTtlSeconds);
  writer.u32(reply.keys.length);
  for (let slot = 0; slot < reply.keys.length; slot += 1) writer.sized(reply.keys[slot]!);
}

/** Reads what is left of a lease; its keys are views. @throws KvorumError FrameMalformed */
export function readTimeToLiveReply(body: BodyReader, header: ReplyHeader): LeaseTimeToLiveReply {
  const id = body.lease('lease');
  const ttlSeconds = body.i64('seconds left');
  const grantedTtlSeconds = body.u64('seconds granted');
  const keys = readMany(body, 'keys', SIZED_BYTES_MIN, () => body.sized('key'));
  return { ...header, id, ttlSeconds, grantedTtlSeconds, keys };
}

/** Puts the leases that there are. */
export function putLeaseListReply(writer: FrameWriter, reply: LeaseListReply): void {
  writer.u32(reply.ids.length);
  for (let slot = 0; slot < reply.ids.length; slot += 1) writer.lease(reply.ids[slot]!);
}

/** Reads the leases that there are. @throws KvorumError FrameMalformed */
export function readLeaseListReply(body: BodyReader, header: ReplyHeader): LeaseListReply {
  const ids = readMany(body, 'leases', LEASE_ID_BYTES, () => body.lease('lease'));
  return { ...header, ids };
}

/** Puts the answer to the opening of a session. */
export function putSessionOpenReply(writer: FrameWriter, reply: SessionOpenReply): void {
  writer.u64(reply.session);
  writer.u64(reply.ttlSeconds);
}

/** Reads the answer to the opening of a session. @throws KvorumError FrameMalformed */
export function readSessionOpenReply(body: BodyReader, header: ReplyHeader): SessionOpenReply {
  const session = body.u64('session');
  const ttlSeconds = body.u64('seconds');
  return { ...header, session, ttlSeconds };
}

function readMany<T>(body: BodyReader, field: string, leastBytes: number, read: () => T): T[] {
  const count = body.count(field, leastBytes);
  const elements: T[] = [];
  for (let slot = 0; slot < count; slot += 1) elements.push(read());
  return elements;
}
