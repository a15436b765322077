/**
 * What clients ask and what nodes answer: the shapes of requests and replies. Part of
 * include/rpc.ts, which exports it.
 */

import type { ErrorCode } from './errors.ts';
import type { FrameType } from './frame-types.ts';
import type {
  AlarmRequest,
  AlarmResult,
  CompactRequest,
  CompactResult,
  DeleteRangeRequest,
  DeleteRangeResult,
  ExpireRequest,
  HashResult,
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
import type { LogLevel } from './log.ts';
import type {
  MemberChangeReport,
  MemberChangeRequest,
  MemberListRequest,
  MembersReport,
} from './members.ts';
import type { MetricFamily } from './metrics.ts';
import type { LogIndex, NodeId, NodeStatus } from './node.ts';

/** What every reply to a request starts with (etcd ResponseHeader). */
export type ReplyHeader = {
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  /** The store's revision. */
  readonly revision: number;
  readonly term: number;
};

/** Totals of a snapshot stream, over the bytes of its chunks. */
export type SnapshotTotals = {
  readonly bytes: number;
  /** CRC-32 as in zlib. */
  readonly crc32: number;
};

/** Asks the leader to hand over to a voter (etcd MoveLeaderRequest). */
export type MoveLeaderRequest = { readonly target: NodeId };

/** Asks a node for a hash of its history (etcd HashKVRequest); 0 for the current revision. */
export type HashKvRequest = { readonly revision: number };

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

/** Sets how much the node logs, until it is set again or the node ends. */
export type LogLevelRequest = { readonly level: LogLevel };

/** A request that changes the store. */
export type Command =
  | { readonly type: typeof FrameType.Put; readonly body: PutRequest }
  | { readonly type: typeof FrameType.DeleteRange; readonly body: DeleteRangeRequest }
  | { readonly type: typeof FrameType.Compact; readonly body: CompactRequest }
  | { readonly type: typeof FrameType.Txn; readonly body: TxnRequest }
  | { readonly type: typeof FrameType.LeaseGrant; readonly body: LeaseGrantRequest }
  | { readonly type: typeof FrameType.LeaseRevoke; readonly body: LeaseRevokeRequest }
  | { readonly type: typeof FrameType.SessionOpen; readonly body: SessionOpenRequest }
  | { readonly type: typeof FrameType.AlarmSet; readonly body: AlarmRequest };

/**
 * A write of a session. It is answered like the command in it. A SessionOpen has no session, nor
 * has an AlarmSet, which may be repeated.
 */
export type OnceCommand = {
  readonly type: typeof FrameType.Once;
  readonly mark: SessionMark;
  readonly command: Command;
};

/** What a member tells the leader about itself: an alarm to be put into the log, or its hash. */
export type MemberReport =
  | { readonly type: typeof FrameType.AlarmSet; readonly body: AlarmRequest }
  | { readonly type: typeof FrameType.HashReport; readonly body: HashReport };

/** What a member's store came to as of the entry at `index`, a HashCheck. */
export type HashReport = HashResult & { readonly index: LogIndex };

/** All members speak this version. One that is not above the cluster's does nothing. */
export type ClusterVersionRequest = { readonly version: number };

/** What a leader proposes on its own account. */
export type InternalCommand =
  | { readonly type: typeof FrameType.Expire; readonly body: ExpireRequest }
  | { readonly type: typeof FrameType.LeaseCheckpoint; readonly body: LeaseCheckpointRequest }
  | { readonly type: typeof FrameType.ClusterVersion; readonly body: ClusterVersionRequest }
  /** Every member hashes its store as of this entry. */
  | { readonly type: typeof FrameType.HashCheck };

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
  | { readonly type: typeof FrameType.AlarmList }
  | { readonly type: typeof FrameType.SnapshotSave }
  | { readonly type: typeof FrameType.HashKv; readonly body: HashKvRequest }
  | { readonly type: typeof FrameType.MemberList; readonly body: MemberListRequest }
  | { readonly type: typeof FrameType.MemberChange; readonly body: MemberChangeRequest }
  | { readonly type: typeof FrameType.Metrics }
  | { readonly type: typeof FrameType.LogLevel; readonly body: LogLevelRequest }
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

/** All alarms that are raised, or the one that was raised or disarmed. */
export type AlarmsReply = ReplyHeader & Omit<AlarmResult, 'revision'>;
/**
 * A snapshot was sent whole: `revision` is the one it is as of. It follows the chunks, which bear
 * the request's id.
 */
export type SnapshotSaveReply = ReplyHeader & SnapshotTotals;

/** What the history of keys of the node that answers comes to; `revision` is the current one. */
export type HashKvReply = ReplyHeader &
  Omit<HashResult, 'revision'> & {
    /** All revisions up to this one are in it. */
    readonly hashRevision: number;
  };

/** Who the members are. */
export type MemberListReply = ReplyHeader & MembersReport;

/** The change has taken place, but for what waits for learners to catch up. */
export type MemberChangeReply = ReplyHeader & MemberChangeReport;

/** What the node measures about itself. */
export type MetricsReply = ReplyHeader & { readonly families: readonly MetricFamily[] };

/** The level is set. */
export type LogLevelReply = ReplyHeader;

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
  | { readonly type: typeof FrameType.AlarmList; readonly body: AlarmsReply }
  | { readonly type: typeof FrameType.AlarmSet; readonly body: AlarmsReply }
  | { readonly type: typeof FrameType.SnapshotSave; readonly body: SnapshotSaveReply }
  | { readonly type: typeof FrameType.HashKv; readonly body: HashKvReply }
  | { readonly type: typeof FrameType.MemberList; readonly body: MemberListReply }
  | { readonly type: typeof FrameType.MemberChange; readonly body: MemberChangeReply }
  | { readonly type: typeof FrameType.Metrics; readonly body: MetricsReply }
  | { readonly type: typeof FrameType.LogLevel; readonly body: LogLevelReply }
  | { readonly type: typeof FrameType.WatchCreate; readonly body: WatchCreateReply }
  | { readonly type: typeof FrameType.WatchCancel; readonly body: WatchCancelReply }
  | { readonly type: typeof FrameType.WatchProgress; readonly body: WatchProgressReply };

/** A watch was ended by the node. */
export type WatchCancellation = {
  readonly code: ErrorCode;
  /** The oldest revision that can be watched from; 0 unless the code is Compacted. */
  readonly compactRevision: number;
};
