/**
 * What can go wrong between a client and a node, or two nodes: each code's text, and whether the
 * same request may be sent again. Part of include/rpc.ts, which exports it.
 */

import { ErrorCode, type ErrorFacts, Retry } from './error-codes.ts';

export * from './error-codes.ts';

/** Every error code with its retry rule and text. */
export const ERRORS: ReadonlyMap<ErrorCode, ErrorFacts> = new Map<ErrorCode, ErrorFacts>([
  [ErrorCode.FrameTooShort, { name: 'FrameTooShort', retry: Retry.Never, text: 'frame too short' }],
  [ErrorCode.FrameTooLong, { name: 'FrameTooLong', retry: Retry.Never, text: 'frame too long' }],
  [
    ErrorCode.FrameUnknown,
    { name: 'FrameUnknown', retry: Retry.Never, text: 'unknown frame type' },
  ],
  [
    ErrorCode.FrameMalformed,
    { name: 'FrameMalformed', retry: Retry.Never, text: 'malformed frame' },
  ],
  [
    ErrorCode.HelloExpected,
    { name: 'HelloExpected', retry: Retry.Never, text: 'a connection starts with HELLO' },
  ],
  [
    ErrorCode.VersionMismatch,
    { name: 'VersionMismatch', retry: Retry.Never, text: 'protocol version mismatch' },
  ],
  [
    ErrorCode.ClusterMismatch,
    { name: 'ClusterMismatch', retry: Retry.Never, text: 'cluster ID mismatch' },
  ],
  [ErrorCode.NodeMismatch, { name: 'NodeMismatch', retry: Retry.Never, text: 'node ID mismatch' }],
  [
    ErrorCode.RoleRefused,
    { name: 'RoleRefused', retry: Retry.Never, text: 'connection role refused' },
  ],
  [
    ErrorCode.TooManyConnections,
    { name: 'TooManyConnections', retry: Retry.Safe, text: 'too many connections' },
  ],
  [
    ErrorCode.SlowReader,
    { name: 'SlowReader', retry: Retry.Unknown, text: 'replies were not read' },
  ],
  [
    ErrorCode.MemberRemoved,
    {
      name: 'MemberRemoved',
      retry: Retry.Never,
      text: 'etcdserver: the member has been permanently removed from the cluster',
    },
  ],
  [
    ErrorCode.KeyEmpty,
    { name: 'KeyEmpty', retry: Retry.Never, text: 'etcdserver: key is not provided' },
  ],
  [
    ErrorCode.KeyTooLong,
    { name: 'KeyTooLong', retry: Retry.Never, text: 'kvorum: key is too long' },
  ],
  [
    ErrorCode.RequestTooLarge,
    { name: 'RequestTooLarge', retry: Retry.Never, text: 'etcdserver: request is too large' },
  ],
  [
    ErrorCode.Compacted,
    {
      name: 'Compacted',
      retry: Retry.Never,
      text: 'etcdserver: mvcc: required revision has been compacted',
    },
  ],
  [
    ErrorCode.FutureRevision,
    {
      name: 'FutureRevision',
      retry: Retry.Never,
      text: 'etcdserver: mvcc: required revision is a future revision',
    },
  ],
  [
    ErrorCode.KeyNotFound,
    { name: 'KeyNotFound', retry: Retry.Never, text: 'etcdserver: key not found' },
  ],
  [
    ErrorCode.ValueProvided,
    { name: 'ValueProvided', retry: Retry.Never, text: 'etcdserver: value is provided' },
  ],
  [
    ErrorCode.LeaseProvided,
    { name: 'LeaseProvided', retry: Retry.Never, text: 'etcdserver: lease is provided' },
  ],
  [
    ErrorCode.LeaseNotFound,
    { name: 'LeaseNotFound', retry: Retry.Never, text: 'etcdserver: requested lease not found' },
  ],
  [
    ErrorCode.InvalidSort,
    { name: 'InvalidSort', retry: Retry.Never, text: 'etcdserver: invalid sort option' },
  ],
  [
    ErrorCode.BadTransferee,
    { name: 'BadTransferee', retry: Retry.Never, text: 'etcdserver: bad leader transferee' },
  ],
  [ErrorCode.NotLeader, { name: 'NotLeader', retry: Retry.Safe, text: 'etcdserver: not leader' }],
  [
    ErrorCode.LearnerRefused,
    {
      name: 'LearnerRefused',
      retry: Retry.Safe,
      text: 'etcdserver: rpc not supported for learner',
    },
  ],
  [
    ErrorCode.ReplyTooLarge,
    {
      name: 'ReplyTooLarge',
      retry: Retry.Never,
      text: 'kvorum: the answer is too large: set a limit',
    },
  ],
  [
    ErrorCode.TooManyOperations,
    {
      name: 'TooManyOperations',
      retry: Retry.Never,
      text: 'etcdserver: too many operations in txn request',
    },
  ],
  [
    ErrorCode.DuplicateKey,
    {
      name: 'DuplicateKey',
      retry: Retry.Never,
      text: 'etcdserver: duplicate key given in txn request',
    },
  ],
  [
    ErrorCode.InvalidCompare,
    {
      name: 'InvalidCompare',
      retry: Retry.Never,
      text: 'kvorum: unknown compare target or result',
    },
  ],
  [
    ErrorCode.LeaseExists,
    { name: 'LeaseExists', retry: Retry.Never, text: 'etcdserver: lease already exists' },
  ],
  [
    ErrorCode.LeaseTtlTooLarge,
    { name: 'LeaseTtlTooLarge', retry: Retry.Never, text: 'etcdserver: too large lease TTL' },
  ],
  [
    ErrorCode.NoSpace,
    { name: 'NoSpace', retry: Retry.Never, text: 'etcdserver: mvcc: database space exceeded' },
  ],
  [
    ErrorCode.WatchExists,
    {
      name: 'WatchExists',
      retry: Retry.Never,
      text: 'mvcc: duplicate watch ID provided on the WatchStream',
    },
  ],
  [
    ErrorCode.WatchRangeEmpty,
    { name: 'WatchRangeEmpty', retry: Retry.Never, text: 'mvcc: watcher range is empty' },
  ],
  [
    ErrorCode.TooManyWatches,
    {
      name: 'TooManyWatches',
      retry: Retry.Never,
      text: 'kvorum: too many watches on this connection',
    },
  ],
  [
    ErrorCode.SessionExpired,
    {
      name: 'SessionExpired',
      retry: Retry.Never,
      text: 'kvorum: the session of this write has expired',
    },
  ],
  [
    ErrorCode.SessionFull,
    {
      name: 'SessionFull',
      retry: Retry.Never,
      text: 'kvorum: the session remembers too many answers: acknowledge some',
    },
  ],
  [
    ErrorCode.TooManySessions,
    { name: 'TooManySessions', retry: Retry.Safe, text: 'kvorum: too many sessions' },
  ],
  [
    ErrorCode.AnswerGiven,
    { name: 'AnswerGiven', retry: Retry.Never, text: 'kvorum: this write was answered before' },
  ],
  [
    ErrorCode.AnswerForgotten,
    {
      name: 'AnswerForgotten',
      retry: Retry.Never,
      text: 'kvorum: this write took effect, its answer was too large to keep',
    },
  ],
  [ErrorCode.NoLeader, { name: 'NoLeader', retry: Retry.Safe, text: 'etcdserver: no leader' }],
  [
    ErrorCode.LeaderChanged,
    { name: 'LeaderChanged', retry: Retry.Unknown, text: 'etcdserver: leader changed' },
  ],
  [
    ErrorCode.TimedOut,
    { name: 'TimedOut', retry: Retry.Unknown, text: 'etcdserver: request timed out' },
  ],
  [
    ErrorCode.TooManyRequests,
    { name: 'TooManyRequests', retry: Retry.Safe, text: 'etcdserver: too many requests' },
  ],
  [
    ErrorCode.Stopped,
    { name: 'Stopped', retry: Retry.Unknown, text: 'etcdserver: server stopped' },
  ],
  [
    ErrorCode.TransferFailed,
    {
      name: 'TransferFailed',
      retry: Retry.Safe,
      text: 'kvorum: the leader transfer did not finish',
    },
  ],
  [
    ErrorCode.SnapshotFailed,
    { name: 'SnapshotFailed', retry: Retry.Safe, text: 'kvorum: the snapshot was not taken over' },
  ],
  [
    ErrorCode.MemberNotFound,
    { name: 'MemberNotFound', retry: Retry.Never, text: 'etcdserver: member not found' },
  ],
  [
    ErrorCode.PeerUrlExists,
    { name: 'PeerUrlExists', retry: Retry.Never, text: 'etcdserver: Peer URLs already exists' },
  ],
  [
    ErrorCode.InvalidPeerUrl,
    {
      name: 'InvalidPeerUrl',
      retry: Retry.Never,
      text: 'etcdserver: given member URLs are invalid',
    },
  ],
  [
    ErrorCode.NotEnoughStarted,
    {
      name: 'NotEnoughStarted',
      retry: Retry.Never,
      text: 'etcdserver: re-configuration failed due to not enough started members',
    },
  ],
  [
    ErrorCode.UnhealthyCluster,
    { name: 'UnhealthyCluster', retry: Retry.Never, text: 'etcdserver: unhealthy cluster' },
  ],
  [
    ErrorCode.MemberNotLearner,
    {
      name: 'MemberNotLearner',
      retry: Retry.Never,
      text: 'etcdserver: can only promote a learner member',
    },
  ],
  [
    ErrorCode.LearnerNotReady,
    {
      name: 'LearnerNotReady',
      retry: Retry.Never,
      text: 'etcdserver: can only promote a learner member which is in sync with leader',
    },
  ],
  [
    ErrorCode.TooManyLearners,
    {
      name: 'TooManyLearners',
      retry: Retry.Never,
      text: 'etcdserver: too many learner members in cluster',
    },
  ],
  [
    ErrorCode.TooManyMembers,
    { name: 'TooManyMembers', retry: Retry.Never, text: 'kvorum: too many members' },
  ],
  [
    ErrorCode.ChangeUnderWay,
    {
      name: 'ChangeUnderWay',
      retry: Retry.Safe,
      text: 'kvorum: another change of the members is under way',
    },
  ],
  [
    ErrorCode.ClusterTooOld,
    {
      name: 'ClusterTooOld',
      retry: Retry.Never,
      text: 'kvorum: some members do not know this yet: upgrade all of them first',
    },
  ],
  [
    ErrorCode.CorruptCluster,
    { name: 'CorruptCluster', retry: Retry.Safe, text: 'etcdserver: corrupt cluster' },
  ],
  [
    ErrorCode.Unreachable,
    { name: 'Unreachable', retry: Retry.Safe, text: 'no endpoint could be reached' },
  ],
  [
    ErrorCode.ConnectionLost,
    { name: 'ConnectionLost', retry: Retry.Unknown, text: 'connection lost' },
  ],
  [
    ErrorCode.DeadlineExceeded,
    { name: 'DeadlineExceeded', retry: Retry.Unknown, text: 'context deadline exceeded' },
  ],
  [ErrorCode.BadEndpoint, { name: 'BadEndpoint', retry: Retry.Never, text: 'bad endpoint' }],
  [
    ErrorCode.NotHeld,
    { name: 'NotHeld', retry: Retry.Never, text: 'kvorum: it is not held any more' },
  ],
]);

/**
 * A refusal or failure with a code that travels on the wire. Told apart by `code`, never by text.
 */
export class KvorumError extends Error {
  override readonly name = 'KvorumError';
  readonly code: ErrorCode;

  /**
   * @param code what went wrong
   * @param detail the text; the code's own text when left out
   */
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ?? ERRORS.get(code)?.text ?? `error ${code}`, options);
    this.code = code;
  }

  /** Whether the request that failed may be sent again. */
  get retry(): Retry {
    return ERRORS.get(this.code)?.retry ?? Retry.Unknown;
  }
}
