/**
 * What can go wrong between a client and a node, or two nodes: codes, their numbers on the wire,
 * and whether the same request may be sent again. Part of include/rpc.ts, which exports it.
 */

/** Whether the same request may be sent again without harm. */
export const Retry = {
  /** It did not and will not take effect: send it again. */
  Safe: 0,
  /** Nobody knows whether it took effect. */
  Unknown: 1,
  /** It would fail again. */
  Never: 2,
} as const;
/** One of the values of Retry. */
export type Retry = (typeof Retry)[keyof typeof Retry];

/** Error codes, as they travel in an ERROR frame. Numbers are never reused. */
export const ErrorCode = {
  // Frames and connections.
  FrameTooShort: 1,
  FrameTooLong: 2,
  FrameUnknown: 3,
  FrameMalformed: 4,
  HelloExpected: 5,
  VersionMismatch: 6,
  ClusterMismatch: 7,
  NodeMismatch: 8,
  RoleRefused: 9,
  TooManyConnections: 10,
  SlowReader: 11,
  // Requests: refusals, with etcd's wording.
  KeyEmpty: 32,
  KeyTooLong: 33,
  RequestTooLarge: 34,
  Compacted: 35,
  FutureRevision: 36,
  KeyNotFound: 37,
  ValueProvided: 38,
  LeaseProvided: 39,
  LeaseNotFound: 40,
  InvalidSort: 41,
  BadTransferee: 42,
  NotLeader: 43,
  LearnerRefused: 44,
  ReplyTooLarge: 45,
  TooManyOperations: 46,
  DuplicateKey: 47,
  InvalidCompare: 48,
  LeaseExists: 49,
  LeaseTtlTooLarge: 50,
  NoSpace: 51,
  WatchExists: 52,
  WatchRangeEmpty: 53,
  TooManyWatches: 54,
  SessionExpired: 55,
  SessionFull: 56,
  TooManySessions: 57,
  AnswerGiven: 58,
  AnswerForgotten: 59,
  // Weather.
  NoLeader: 64,
  LeaderChanged: 65,
  TimedOut: 66,
  TooManyRequests: 67,
  Stopped: 68,
  TransferFailed: 69,
  SnapshotFailed: 70,
  // Seen by a client only, never sent.
  Unreachable: 96,
  ConnectionLost: 97,
  DeadlineExceeded: 98,
  BadEndpoint: 99,
  NotHeld: 100,
} as const;
/** One of the values of ErrorCode. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What is known of an error code. */
export type ErrorFacts = {
  readonly name: keyof typeof ErrorCode;
  readonly retry: Retry;
  /** The text sent, where it is constant: etcd's, for errors that etcd has. */
  readonly text: string;
};

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
