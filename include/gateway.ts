/**
 * The gateway: etcd v3's API, gRPC and JSON, on a port of its own. A gateway is a client of its
 * node: it runs in a thread of its own and reaches the node by the native protocol.
 *
 * What a client sees is etcd's: messages, texts, codes. How errors are told stands here, in one
 * table.
 */

import { ERRORS, ErrorCode } from './errors.ts';

/**
 * The version of etcd that this stands for, told to clients: from 3.5.13 on kube-apiserver and
 * others use requests for progress.
 */
export const ETCD_VERSION = '3.6.0';

/** The cluster version that goes with it. */
export const ETCD_CLUSTER_VERSION = '3.6.0';

/** Most bytes of a request's message (etcd --max-request-bytes and 512 KiB). */
export const MESSAGE_BYTES_MAX = 2_097_152;

/** Most bytes of requests that are not whole, of all connections. */
export const UNFINISHED_BYTES_MAX = 256 * 1024 * 1024;

/** Milliseconds until a request fails that its node does not answer (etcd: 5 s + 2 elections). */
export const GATEWAY_TIMEOUT_MS = 7_000;

/**
 * Milliseconds until a compaction fails that waits for the removal of what is compacted: a day.
 * etcd waits for it without a limit; who asked has a deadline of its own.
 */
export const PHYSICAL_COMPACTION_TIMEOUT_MS = 24 * 3_600_000;

/**
 * Milliseconds a node has to answer from its own state before it counts as hung: twice what its
 * slowest turn of the event loop may take, ten times over.
 */
export const LIVE_TIMEOUT_MS = 2_000;

/** Milliseconds its cluster has to confirm a read before the node counts as not ready (etcd's). */
export const READY_TIMEOUT_MS = GATEWAY_TIMEOUT_MS;

/** Milliseconds a node has to say its metrics: scrapes give up after 10 s. */
export const METRICS_TIMEOUT_MS = 5_000;

/**
 * Most connections of clients of the gateway unless it is told otherwise; further ones are closed
 * at once.
 */
export const GATEWAY_CONNECTIONS_MAX = 10_000;

/** Most of them from one address. */
export const GATEWAY_CONNECTIONS_PER_ADDRESS_MAX = 5_000;

/**
 * Most unary calls under way; further ones are refused with `too many requests`. The node reads on
 * while CLIENT_INFLIGHT_MAX requests of its gateway are unanswered: four times as many is a queue
 * that it works off in a second or two.
 */
export const UNARY_CALLS_MAX = 16_384;

/** Bytes waiting for a client at which its watches wait as well. */
export const STREAM_QUEUED_BYTES_MAX = 4 * 1024 * 1024;

/** Most requests of a stream while so many bytes wait for its client; beyond, it is ended. */
export const UNREAD_REQUESTS_MAX = 1_000;

/** Most renewals of a stream that its node has not answered; beyond, it is ended. */
export const RENEWALS_WAITING_MAX = 10_000;

/** Status codes of gRPC. */
export const GrpcCode = {
  Ok: 0,
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
/** One of the values of GrpcCode. */
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

/** The HTTP status that stands for each code of gRPC, by the code. */
export const HTTP_STATUS: readonly number[] = [
  ...[200, 408, 500, 400, 504, 404, 409, 403, 429],
  ...[400, 409, 400, 501, 500, 503, 500, 401],
];

/** How a call ended. */
export type RpcStatus = { readonly code: GrpcCode; readonly message: string };

/** The code of gRPC for each error, as etcd has it. */
export const GRPC_CODES: ReadonlyMap<ErrorCode, GrpcCode> = new Map<ErrorCode, GrpcCode>([
  [ErrorCode.FrameTooShort, GrpcCode.Internal],
  [ErrorCode.FrameTooLong, GrpcCode.InvalidArgument],
  [ErrorCode.FrameUnknown, GrpcCode.Internal],
  [ErrorCode.FrameMalformed, GrpcCode.InvalidArgument],
  [ErrorCode.HelloExpected, GrpcCode.Internal],
  [ErrorCode.VersionMismatch, GrpcCode.Unavailable],
  [ErrorCode.ClusterMismatch, GrpcCode.FailedPrecondition],
  [ErrorCode.NodeMismatch, GrpcCode.Unavailable],
  [ErrorCode.RoleRefused, GrpcCode.Internal],
  [ErrorCode.TooManyConnections, GrpcCode.Unavailable],
  [ErrorCode.SlowReader, GrpcCode.Unavailable],
  [ErrorCode.KeyEmpty, GrpcCode.InvalidArgument],
  [ErrorCode.KeyTooLong, GrpcCode.InvalidArgument],
  [ErrorCode.RequestTooLarge, GrpcCode.InvalidArgument],
  [ErrorCode.Compacted, GrpcCode.OutOfRange],
  [ErrorCode.FutureRevision, GrpcCode.OutOfRange],
  [ErrorCode.KeyNotFound, GrpcCode.InvalidArgument],
  [ErrorCode.ValueProvided, GrpcCode.InvalidArgument],
  [ErrorCode.LeaseProvided, GrpcCode.InvalidArgument],
  [ErrorCode.LeaseNotFound, GrpcCode.NotFound],
  [ErrorCode.InvalidSort, GrpcCode.InvalidArgument],
  [ErrorCode.BadTransferee, GrpcCode.FailedPrecondition],
  [ErrorCode.NotLeader, GrpcCode.FailedPrecondition],
  [ErrorCode.LearnerRefused, GrpcCode.FailedPrecondition],
  [ErrorCode.ReplyTooLarge, GrpcCode.ResourceExhausted],
  [ErrorCode.TooManyOperations, GrpcCode.InvalidArgument],
  [ErrorCode.DuplicateKey, GrpcCode.InvalidArgument],
  [ErrorCode.InvalidCompare, GrpcCode.InvalidArgument],
  [ErrorCode.LeaseExists, GrpcCode.FailedPrecondition],
  [ErrorCode.LeaseTtlTooLarge, GrpcCode.OutOfRange],
  [ErrorCode.NoSpace, GrpcCode.ResourceExhausted],
  [ErrorCode.WatchExists, GrpcCode.InvalidArgument],
  [ErrorCode.WatchRangeEmpty, GrpcCode.InvalidArgument],
  [ErrorCode.TooManyWatches, GrpcCode.ResourceExhausted],
  [ErrorCode.SessionExpired, GrpcCode.Unavailable],
  [ErrorCode.SessionFull, GrpcCode.Unavailable],
  [ErrorCode.TooManySessions, GrpcCode.Unavailable],
  [ErrorCode.AnswerGiven, GrpcCode.Unavailable],
  [ErrorCode.AnswerForgotten, GrpcCode.Unavailable],
  [ErrorCode.NoLeader, GrpcCode.Unavailable],
  [ErrorCode.LeaderChanged, GrpcCode.Unavailable],
  [ErrorCode.TimedOut, GrpcCode.Unavailable],
  // etcd 3.4 declares it and sends Unknown.
  [ErrorCode.TooManyRequests, GrpcCode.ResourceExhausted],
  [ErrorCode.Stopped, GrpcCode.Unavailable],
  [ErrorCode.TransferFailed, GrpcCode.Unavailable],
  [ErrorCode.SnapshotFailed, GrpcCode.Unavailable],
  [ErrorCode.MemberNotFound, GrpcCode.NotFound],
  [ErrorCode.PeerUrlExists, GrpcCode.FailedPrecondition],
  [ErrorCode.InvalidPeerUrl, GrpcCode.InvalidArgument],
  // etcd declares FailedPrecondition and sends Unknown.
  [ErrorCode.NotEnoughStarted, GrpcCode.Unknown],
  [ErrorCode.UnhealthyCluster, GrpcCode.Unavailable],
  [ErrorCode.MemberNotLearner, GrpcCode.FailedPrecondition],
  [ErrorCode.LearnerNotReady, GrpcCode.FailedPrecondition],
  [ErrorCode.TooManyLearners, GrpcCode.FailedPrecondition],
  [ErrorCode.TooManyMembers, GrpcCode.FailedPrecondition],
  [ErrorCode.MemberRemoved, GrpcCode.NotFound],
  [ErrorCode.ChangeUnderWay, GrpcCode.Unavailable],
  [ErrorCode.ClusterTooOld, GrpcCode.FailedPrecondition],
  [ErrorCode.CorruptCluster, GrpcCode.DataLoss],
  [ErrorCode.Unreachable, GrpcCode.Unavailable],
  [ErrorCode.ConnectionLost, GrpcCode.Unavailable],
  [ErrorCode.DeadlineExceeded, GrpcCode.Unavailable],
  [ErrorCode.BadEndpoint, GrpcCode.InvalidArgument],
  [ErrorCode.NotHeld, GrpcCode.FailedPrecondition],
]);

/** What etcd says when its own time for a request is over. */
const TIMED_OUT = 'etcdserver: request timed out';

/** Errors of the client library that mean that the node did not answer in time. */
const OVERDUE: readonly ErrorCode[] = [
  ErrorCode.DeadlineExceeded,
  ErrorCode.Unreachable,
  ErrorCode.ConnectionLost,
];

/**
 * How an error is told to a client of etcd.
 *
 * @param message the text of an error that etcd does not have
 */
export function statusOf(code: ErrorCode, message: string): RpcStatus {
  const grpcCode = GRPC_CODES.get(code) ?? GrpcCode.Unknown;
  if (OVERDUE.includes(code)) return { code: grpcCode, message: TIMED_OUT };
  const text = ERRORS.get(code)?.text;
  const isEtcds = text?.startsWith('etcdserver: ') === true || text?.startsWith('mvcc: ') === true;
  return { code: grpcCode, message: isEtcds && text !== undefined ? text : message };
}
