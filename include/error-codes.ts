/**
 * The codes of all errors, their numbers on the wire, and what may be done about one. Part of
 * include/errors.ts, which exports it.
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
  MemberRemoved: 12,
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
  // Changing the members.
  MemberNotFound: 71,
  PeerUrlExists: 72,
  InvalidPeerUrl: 73,
  NotEnoughStarted: 74,
  UnhealthyCluster: 75,
  MemberNotLearner: 76,
  LearnerNotReady: 77,
  TooManyLearners: 78,
  TooManyMembers: 79,
  ChangeUnderWay: 80,
  ClusterTooOld: 81,
  // Alarms.
  CorruptCluster: 84,
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
