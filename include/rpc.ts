/**
 * The wire: frames, limits, error codes and the shapes of requests and replies.
 * docs/PROTOCOL.md specifies the same to the byte.
 *
 * A frame is `length u32 | type u8 | flags u8 | id u32 | body`, big-endian; `length` counts what
 * follows it. A connection opens with HELLO on both sides. Requests are multiplexed and pipelined:
 * `id` is chosen by the asker, unique among its requests in flight, and comes back in the reply;
 * replies may come in any order. What a node tells its watches unasked carries the watch's id.
 */

import type { ErrorCode } from './errors.ts';
import type {
  CompactRequest,
  CompactResult,
  DeleteRangeRequest,
  DeleteRangeResult,
  ExpireRequest,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseGrantResult,
  LeaseRevokeRequest,
  LeaseRevokeResult,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  SessionMark,
  SessionOpenRequest,
  SessionOpenResult,
  TxnRequest,
  TxnResult,
  WatchRequest,
} from './kvstore.ts';
import type {
  MemberChangeReport,
  MemberChangeRequest,
  MemberListRequest,
  MembersReport,
} from './members.ts';
import type { NodeId, NodeStatus } from './node.ts';

export * from './errors.ts';
export * from './members.ts';

/** First bytes of a HELLO's body: 'KVRM'. */
export const HELLO_MAGIC = 0x4b56_524d;

/** The version of this protocol. Both sides must speak the same. */
export const PROTOCOL_VERSION = 1;

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

/** Most connections a node holds at once; further ones are refused with an ERROR frame. */
export const CONNECTIONS_MAX = 50_000;

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

/** What a frame is. Raft messages take 0x20 to 0x2b (MessageType in include/node.ts). */
export const FrameType = {
  Hello: 0x01,
  Error: 0x02,
  Ping: 0x03,
  Pong: 0x04,
  /** The answer to a request: its body is that of the request's type. */
  Reply: 0x05,
  /** Ask that node instead: leader id, address, port. */
  Redirect: 0x06,
  Put: 0x10,
  Range: 0x11,
  DeleteRange: 0x12,
  Compact: 0x13,
  Status: 0x14,
  MoveLeader: 0x15,
  Txn: 0x16,
  LeaseGrant: 0x17,
  LeaseRevoke: 0x18,
  LeaseKeepAlive: 0x19,
  LeaseTimeToLive: 0x1a,
  LeaseList: 0x1b,
  SessionOpen: 0x1c,
  WatchCreate: 0x1d,
  WatchCancel: 0x1e,
  /** Asks to be told once every watch of the connection is in sync. */
  WatchProgress: 0x1f,
  /** The first frame of a snapshot connection: what it stands for. */
  SnapshotBegin: 0x30,
  SnapshotChunk: 0x31,
  /** The last one: totals and checksum. */
  SnapshotEnd: 0x32,
  /** A write of a session: its mark, then the write's own type and body. */
  Once: 0x40,
  MemberList: 0x41,
  MemberChange: 0x42,
  // Told by a node unasked; the frame's id is the watch's.
  WatchEvents: 0x48,
  WatchNote: 0x49,
  WatchCancelled: 0x4a,
  // Never a frame, only in entries of the log: what a leader proposes on its own account.
  Expire: 0x50,
  LeaseCheckpoint: 0x51,
} as const;
/** One of the values of FrameType. */
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

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

/** What every reply to a request starts with (etcd ResponseHeader). */
export type ReplyHeader = {
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  /** The store's revision. */
  readonly revision: number;
  readonly term: number;
};

/** Asks the leader to hand over to a voter (etcd MoveLeaderRequest). */
export type MoveLeaderRequest = { readonly target: NodeId };

/** Renews a lease (etcd LeaseKeepAliveRequest). Not replicated: the leader counts the time. */
export type LeaseKeepAliveRequest = { readonly id: bigint };

/** Asks for what is left of a lease (etcd LeaseTimeToLiveRequest). */
export type LeaseTimeToLiveRequest = {
  readonly id: bigint;
  /** Answer with the keys that hang on it. */
  readonly keys: boolean;
};

/** Starts a watch; `watchId` is chosen by the client, from 1, unique on the connection. */
export type WatchCreateRequest = WatchRequest & { readonly watchId: number };

/** Ends a watch. */
export type WatchCancelRequest = { readonly watchId: number };

/** A request that changes the store. */
export type Command =
  | { readonly type: typeof FrameType.Put; readonly body: PutRequest }
  | { readonly type: typeof FrameType.DeleteRange; readonly body: DeleteRangeRequest }
  | { readonly type: typeof FrameType.Compact; readonly body: CompactRequest }
  | { readonly type: typeof FrameType.Txn; readonly body: TxnRequest }
  | { readonly type: typeof FrameType.LeaseGrant; readonly body: LeaseGrantRequest }
  | { readonly type: typeof FrameType.LeaseRevoke; readonly body: LeaseRevokeRequest }
  | { readonly type: typeof FrameType.SessionOpen; readonly body: SessionOpenRequest };

/** A write of a session. It is answered like the command in it. A SessionOpen has no session. */
export type OnceCommand = {
  readonly type: typeof FrameType.Once;
  readonly mark: SessionMark;
  readonly command: Command;
};

/** What a leader proposes on its own account. */
export type InternalCommand =
  | { readonly type: typeof FrameType.Expire; readonly body: ExpireRequest }
  | { readonly type: typeof FrameType.LeaseCheckpoint; readonly body: LeaseCheckpointRequest };

/** What an entry of the log may hold. */
export type LoggedCommand = Command | OnceCommand | InternalCommand;

/** A request as it leaves a client, by frame type. A Txn without writes is a read. */
export type Request =
  | Command
  | OnceCommand
  | { readonly type: typeof FrameType.Range; readonly body: RangeRequest }
  | { readonly type: typeof FrameType.Status }
  | { readonly type: typeof FrameType.MoveLeader; readonly body: MoveLeaderRequest }
  | { readonly type: typeof FrameType.LeaseKeepAlive; readonly body: LeaseKeepAliveRequest }
  | { readonly type: typeof FrameType.LeaseTimeToLive; readonly body: LeaseTimeToLiveRequest }
  | { readonly type: typeof FrameType.LeaseList }
  | { readonly type: typeof FrameType.MemberList; readonly body: MemberListRequest }
  | { readonly type: typeof FrameType.MemberChange; readonly body: MemberChangeRequest }
  | { readonly type: typeof FrameType.WatchCreate; readonly body: WatchCreateRequest }
  | { readonly type: typeof FrameType.WatchCancel; readonly body: WatchCancelRequest }
  | { readonly type: typeof FrameType.WatchProgress };

/** The answer to a put. */
export type PutReply = ReplyHeader & Omit<PutResult, 'revision'>;
/** The answer to a range. */
export type RangeReply = ReplyHeader & Omit<RangeResult, 'revision'>;
/** The answer to a deletion. */
export type DeleteRangeReply = ReplyHeader & Omit<DeleteRangeResult, 'revision'>;
/** The answer to a compaction. */
export type CompactReply = ReplyHeader & Omit<CompactResult, 'revision'>;
/** The answer to a transaction. */
export type TxnReply = ReplyHeader & Omit<TxnResult, 'revision'>;
/** The answer to a grant. */
export type LeaseGrantReply = ReplyHeader & Omit<LeaseGrantResult, 'revision'>;
/** The answer to a revocation. */
export type LeaseRevokeReply = ReplyHeader & Omit<LeaseRevokeResult, 'revision'>;
/** The answer to an opening of a session. */
export type SessionOpenReply = ReplyHeader & Omit<SessionOpenResult, 'revision'>;
/** The answer to a status request. */
export type StatusReply = NodeStatus;
/** The answer to a leader transfer. */
export type MoveLeaderReply = ReplyHeader;

/** The answer to a renewal: its new time in seconds; 0 when the lease is gone (etcd). */
export type LeaseKeepAliveReply = ReplyHeader & {
  readonly id: bigint;
  readonly ttlSeconds: number;
};

/** What is left of a lease. */
export type LeaseTimeToLiveReply = ReplyHeader & {
  readonly id: bigint;
  /** Whole seconds left; -1 when there is no such lease (etcd). */
  readonly ttlSeconds: number;
  /** As granted; 0 when there is no such lease. */
  readonly grantedTtlSeconds: number;
  /** Empty unless asked for. */
  readonly keys: readonly Buffer[];
};

/** All leases that the node asked knows of, ids ascending. */
export type LeaseListReply = ReplyHeader & { readonly ids: readonly bigint[] };

/** Who the members are. */
export type MemberListReply = ReplyHeader & MembersReport;

/** The change has taken place, but for what waits for learners to catch up. */
export type MemberChangeReply = ReplyHeader & MemberChangeReport;

/** The watch is there; its events follow. `revision` is the current one. */
export type WatchCreateReply = ReplyHeader;

/** The watch has ended: no frame of it comes after this one. Also for one that was not there. */
export type WatchCancelReply = ReplyHeader;

/** All events up to `revision`, of every watch of the connection, came before this. */
export type WatchProgressReply = ReplyHeader;

/** An answer, by the type of its request. */
export type Reply =
  | { readonly type: typeof FrameType.Put; readonly body: PutReply }
  | { readonly type: typeof FrameType.Range; readonly body: RangeReply }
  | { readonly type: typeof FrameType.DeleteRange; readonly body: DeleteRangeReply }
  | { readonly type: typeof FrameType.Compact; readonly body: CompactReply }
  | { readonly type: typeof FrameType.Status; readonly body: StatusReply }
  | { readonly type: typeof FrameType.MoveLeader; readonly body: MoveLeaderReply }
  | { readonly type: typeof FrameType.Txn; readonly body: TxnReply }
  | { readonly type: typeof FrameType.LeaseGrant; readonly body: LeaseGrantReply }
  | { readonly type: typeof FrameType.LeaseRevoke; readonly body: LeaseRevokeReply }
  | { readonly type: typeof FrameType.LeaseKeepAlive; readonly body: LeaseKeepAliveReply }
  | { readonly type: typeof FrameType.LeaseTimeToLive; readonly body: LeaseTimeToLiveReply }
  | { readonly type: typeof FrameType.LeaseList; readonly body: LeaseListReply }
  | { readonly type: typeof FrameType.SessionOpen; readonly body: SessionOpenReply }
  | { readonly type: typeof FrameType.MemberList; readonly body: MemberListReply }
  | { readonly type: typeof FrameType.MemberChange; readonly body: MemberChangeReply }
  | { readonly type: typeof FrameType.WatchCreate; readonly body: WatchCreateReply }
  | { readonly type: typeof FrameType.WatchCancel; readonly body: WatchCancelReply }
  | { readonly type: typeof FrameType.WatchProgress; readonly body: WatchProgressReply };

/** A watch was ended by the node. */
export type WatchCancellation = {
  readonly code: ErrorCode;
  /** The oldest revision that can be watched from; 0 unless the code is Compacted. */
  readonly compactRevision: number;
};
