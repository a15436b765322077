/**
 * The wire: frames, limits, error codes; the shapes of requests and replies are in messages.ts.
 * docs/PROTOCOL.md specifies the same to the byte.
 *
 * A frame is `length u32 | type u8 | flags u8 | id u32 | body`, big-endian; `length` counts what
 * follows it. A connection opens with HELLO on both sides. Requests are multiplexed and pipelined:
 * `id` is chosen by the asker, unique among its requests in flight, and comes back in the reply;
 * replies may come in any order. What a node tells its watches unasked carries the watch's id.
 */

import type { NodeId } from './node.ts';

export * from './errors.ts';
export * from './frame-types.ts';
export * from './members.ts';
export * from './messages.ts';

/** First bytes of a HELLO's body: 'KVRM'. */
export const HELLO_MAGIC = 0x4b56_524d;

/**
 * The version of this protocol. Two sides speak the lower of theirs, so that members of adjacent
 * releases work together; frame-types.ts says since when a frame is there.
 */
export const PROTOCOL_VERSION = 2;

/** The lowest version that is still spoken. */
export const PROTOCOL_VERSION_MIN = 1;

/** Bytes of the length field. */
export const FRAME_LENGTH_BYTES = 4;

/** Bytes of a frame before its body: length, type, flags, id. */
export const FRAME_HEADER_BYTES = 10;

/** Least value of a length field: type, flags and id. */
export const FRAME_LENGTH_MIN = 6;

/** Largest length a client's frame may announce: a request of 1.5 MiB and its envelope. */
export const CLIENT_FRAME_LENGTH_MAX = 2 * 1024 * 1024;

/** Largest length a peer's frame may announce: an Append of many entries. */
export const PEER_FRAME_LENGTH_MAX = 16 * 1024 * 1024;

/** Largest length a frame of a node to a client may announce: a range's answer. */
export const REPLY_FRAME_LENGTH_MAX = 1024 * 1024 * 1024;

/** Largest length of a connection's first frame: a HELLO, or an ERROR with its text. */
export const HELLO_LENGTH_MAX = 2_048;

/** Most bytes of an ERROR frame's text; longer texts are cut. */
export const ERROR_TEXT_BYTES_MAX = 1_024;

/** Milliseconds a new connection has to say HELLO before it is closed. */
export const HELLO_TIMEOUT_MS = 5_000;

/** Milliseconds between PINGs on a link. */
export const PING_INTERVAL_MS = 500;

/**
 * Milliseconds without any byte from a peer after which its link is cut and it counts as offline.
 */
export const PEER_SILENCE_MAX_MS = 2_000;

/** Milliseconds a closing connection waits for the other side to have read why. */
export const CLOSE_LINGER_MS = 1_000;

/** Least milliseconds between attempts to connect to a peer; doubled each time, jittered. */
export const RECONNECT_MIN_MS = 20;

/** Most milliseconds between attempts to connect to a peer. */
export const RECONNECT_MAX_MS = 1_000;

/**
 * Milliseconds without progress of a snapshot stream, or without its answer, after which it is
 * given up.
 */
export const SNAPSHOT_SILENCE_MAX_MS = 60_000;

/** Bytes of a snapshot waiting to be sent at which no further chunk is asked for. */
export const SNAPSHOT_QUEUED_BYTES = 1024 * 1024;

/** Most snapshots that a node streams to clients at once; each pins space in its store's file. */
export const SNAPSHOT_STREAMS_MAX = 4;

/** Bytes that may wait for a peer that does not read before its link is cut. */
export const PEER_QUEUED_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of replies waiting for a client at which its connection is no longer read from. */
export const CLIENT_QUEUED_BYTES_PAUSE = 4 * 1024 * 1024;

/**
 * Bytes of replies waiting for a client that does not read at which it is cut. Covers one largest
 * reply.
 */
export const CLIENT_QUEUED_BYTES_MAX = REPLY_FRAME_LENGTH_MAX + CLIENT_QUEUED_BYTES_PAUSE;

/** Milliseconds a client may leave replies unread before it is cut. */
export const CLIENT_STALL_MAX_MS = 30_000;

/**
 * The same of a client that watches: it may read slowly for as long as it likes, since what waits
 * for it is bounded (WATCH_QUEUED_BYTES_MAX). A kernel takes more only once a good part of its
 * buffer was read, a MiB maybe.
 */
export const WATCHER_STALL_MAX_MS = 600_000;

/**
 * Bytes given to a socket at once; the next ones follow when these are written, which shows
 * progress.
 */
export const WRITE_BATCH_BYTES = 256 * 1024;

/** Requests of one connection in flight beyond which it is no longer read from. */
export const CLIENT_INFLIGHT_MAX = 4_096;

/**
 * Most clients a node holds at once unless it is told otherwise; further ones are refused with an
 * ERROR frame. With the reserve and the gateway's own (GATEWAY_CONNECTIONS_MAX) below the open
 * files of its unit, 65,536.
 */
export const CONNECTIONS_MAX = 50_000;

/** Most clients from one address: what runs away there must leave room for the others. */
export const CONNECTIONS_PER_ADDRESS_MAX = 20_000;

/** Places beyond, for members and for those that have not said HELLO yet. */
export const CONNECTIONS_RESERVED = 1_000;

/** Default milliseconds a client waits for an answer (etcdctl --command-timeout). */
export const REQUEST_TIMEOUT_MS = 5_000;

/** Who opens a connection, in its HELLO. */
export const ConnectionRole = {
  Client: 0,
  /** A member's link: liveness, Raft messages. */
  Peer: 1,
  /** A member that streams a snapshot. */
  Snapshot: 2,
} as const;
/** One of the values of ConnectionRole. */
export type ConnectionRole = (typeof ConnectionRole)[keyof typeof ConnectionRole];

/** Why a connection ended. */
export const CloseReason = {
  /** This side closed it. */
  Local: 0,
  /** The other side closed it in order. */
  Remote: 1,
  /** It broke: reset, unreachable, the other process died. */
  Lost: 2,
  /** It was never made: nobody listens, no such host, no answer in time. */
  Unreachable: 3,
  /** The other side refused this one with an ERROR frame. */
  Refused: 4,
  /** This side refused the other one: its HELLO or a frame was wrong. */
  Protocol: 5,
  /** The other side did not read what it was sent. */
  SlowReader: 6,
  /** Nothing came for too long. */
  Silence: 7,
  /** A newer connection of the same peer took its place. */
  Replaced: 8,
} as const;
/** One of the values of CloseReason. */
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/** What each side says first. */
export type Hello = {
  readonly version: number;
  readonly role: ConnectionRole;
  /** 0n from a client that will talk to any cluster. */
  readonly clusterId: bigint;
  /** The sender; NO_NODE for a client. */
  readonly nodeId: NodeId;
  /** The node meant; NO_NODE for any. */
  readonly targetId: NodeId;
};

/** Where a REDIRECT points. */
export type Redirect = {
  readonly leaderId: NodeId;
  readonly address: string;
  readonly port: number;
};
