/** What a connection may cost, by what is on its other side. The numbers are in include/rpc.ts. */

import {
  CLIENT_FRAME_LENGTH_MAX,
  CLIENT_INFLIGHT_MAX,
  CLIENT_QUEUED_BYTES_MAX,
  CLIENT_QUEUED_BYTES_PAUSE,
  CLIENT_STALL_MAX_MS,
  ErrorCode,
  HELLO_LENGTH_MAX,
  PEER_FRAME_LENGTH_MAX,
  PEER_QUEUED_BYTES_MAX,
  PEER_SILENCE_MAX_MS,
  PING_INTERVAL_MS,
  REPLY_FRAME_LENGTH_MAX,
  SNAPSHOT_SILENCE_MAX_MS,
  WATCHER_STALL_MAX_MS,
} from '../../include/rpc.ts';

/** What a connection may cost, and when it is given up. Ticks are those of Connection.tick. */
export type ConnectionLimits = {
  /** Largest length the other side's frames may announce. */
  readonly readLengthMax: number;
  /** Largest length of this side's frames. */
  readonly writeLengthMax: number;
  /** Thrown when a frame of this side is larger. */
  readonly tooLong: ErrorCode;
  /** Bytes waiting to be sent above which nothing more is read. */
  readonly queuedBytesPause: number;
  /** Bytes waiting to be sent above which the connection is cut. */
  readonly queuedBytesMax: number;
  /** Requests handed over and not answered from which on nothing more is read. */
  readonly inflightMax: number;
  /**
   * Ticks without a batch written, while one is with the socket, at which the connection is cut.
   */
  readonly stallTicksMax: number;
  /** Ticks without a byte read at which the connection is cut. */
  readonly silenceTicksMax: number;
};

/** Milliseconds between two calls of Connection.tick. */
export const CONNECTION_TICK_MS = PING_INTERVAL_MS;

const NEVER = Number.POSITIVE_INFINITY;

/** A node's limits on a client. */
export const CLIENT_LIMITS: ConnectionLimits = {
  readLengthMax: CLIENT_FRAME_LENGTH_MAX,
  writeLengthMax: REPLY_FRAME_LENGTH_MAX,
  tooLong: ErrorCode.ReplyTooLarge,
  queuedBytesPause: CLIENT_QUEUED_BYTES_PAUSE,
  queuedBytesMax: CLIENT_QUEUED_BYTES_MAX,
  inflightMax: CLIENT_INFLIGHT_MAX,
  stallTicksMax: CLIENT_STALL_MAX_MS / CONNECTION_TICK_MS,
  silenceTicksMax: NEVER,
};

/** A node's limits on a client that watches. */
export const WATCHER_LIMITS: ConnectionLimits = {
  ...CLIENT_LIMITS,
  stallTicksMax: WATCHER_STALL_MAX_MS / CONNECTION_TICK_MS,
};

/** A node's limits on whoever has not said HELLO: nothing but a HELLO fits. */
export const STRANGER_LIMITS: ConnectionLimits = {
  ...CLIENT_LIMITS,
  readLengthMax: HELLO_LENGTH_MAX,
};

/** A node's limits on a peer, on both links between them. */
export const PEER_LIMITS: ConnectionLimits = {
  readLengthMax: PEER_FRAME_LENGTH_MAX,
  writeLengthMax: PEER_FRAME_LENGTH_MAX,
  tooLong: ErrorCode.FrameTooLong,
  queuedBytesPause: PEER_QUEUED_BYTES_MAX,
  queuedBytesMax: PEER_QUEUED_BYTES_MAX,
  inflightMax: NEVER,
  stallTicksMax: NEVER,
  silenceTicksMax: PEER_SILENCE_MAX_MS / CONNECTION_TICK_MS,
};

const SNAPSHOT_TICKS_MAX = SNAPSHOT_SILENCE_MAX_MS / CONNECTION_TICK_MS;

/** The limits of whoever streams a snapshot: the receiver says nothing until the end. */
export const SNAPSHOT_SENDER_LIMITS: ConnectionLimits = {
  ...PEER_LIMITS,
  stallTicksMax: SNAPSHOT_TICKS_MAX,
  silenceTicksMax: NEVER,
};

/** The limits of whoever receives a snapshot. */
export const SNAPSHOT_RECEIVER_LIMITS: ConnectionLimits = {
  ...PEER_LIMITS,
  silenceTicksMax: SNAPSHOT_TICKS_MAX,
};

/** A client's limits on a node: what it asks is bounded by whoever asks. */
export const NODE_LIMITS: ConnectionLimits = {
  readLengthMax: REPLY_FRAME_LENGTH_MAX,
  writeLengthMax: CLIENT_FRAME_LENGTH_MAX,
  tooLong: ErrorCode.RequestTooLarge,
  queuedBytesPause: NEVER,
  queuedBytesMax: NEVER,
  inflightMax: NEVER,
  stallTicksMax: NEVER,
  silenceTicksMax: NEVER,
};
