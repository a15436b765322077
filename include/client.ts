/**
 * The client library: what a program that uses a kvorum cluster sees.
 *
 *   import { connect } from 'kvorum';
 *   const client = connect({ endpoints: ['127.0.0.1:7001', '127.0.0.1:7002'] });
 *   await client.put('a', '10');
 *   const pair = await client.get('a');
 *   await client.close();
 *
 * A client keeps one multiplexed connection to each node it talks to. It follows redirects to the
 * leader and remembers it for writes; reads stick to one endpoint. It moves to another endpoint
 * when one cannot be reached, with a growing pause between rounds, until the request's deadline.
 *
 * What is sent again: a read always; a write after a failure that says it did not take effect
 * (Retry.Safe in include/rpc.ts), and also when its outcome is unknown, since the session it is
 * numbered in lets it take effect once. Without sessions a write of unknown outcome fails with an
 * error that says so.
 *
 * Keys and values in answers are the caller's, but share memory with what arrived together with
 * them: copy a small one that is kept for long.
 *
 * Every method fails with KvorumError. Besides the refusals of the nodes:
 * - DeadlineExceeded: no answer in time. The text names each endpoint asked and why it did not
 *   serve, and says whether a write may have taken effect.
 * - Unreachable: the same, but no endpoint could even be connected to: nothing took effect.
 * - SessionExpired: of a write whose outcome was unknown when its session ended, for instance since
 *   this process stood still for a minute; it may have taken effect.
 * - AnswerForgotten: of a write that took effect, but whose answer was too large to be remembered
 *   until it was sent again.
 * - ConnectionLost: the connection broke while a write was in flight, and it has no session, or the
 *   client was closed; it may have taken effect.
 * - TimedOut, LeaderChanged, Stopped: of a write without a session, sent by a node; it may have
 *   taken effect.
 * - BadEndpoint: an endpoint is not `host:port`.
 * - FrameMalformed: a number does not fit, or a transaction is not one; the text says where.
 * - Stopped: the client is closed.
 * - TooManyRequests: more than CLIENT_CALLS_MAX requests are under way.
 */

import type {
  Bytes,
  CallOptions,
  DeleteOptions,
  Expected,
  GetOptions,
  HeldLease,
  HistoryEntry,
  LeaseGrantOptions,
  LeaseTimeToLiveOptions,
  Page,
  PageOptions,
  PutOptions,
  RangeOptions,
  SwapReply,
  Transaction,
  Watcher,
  WatchOptions,
} from './client-data.ts';
import type { MemberRequests } from './client-members.ts';
import type { Alarm, KeyValue } from './kvstore.ts';
import type { LogLevel } from './log.ts';
import type { NodeId } from './node.ts';
import type {
  AlarmsReply,
  CompactReply,
  DeleteRangeReply,
  HashKvReply,
  LeaseGrantReply,
  LeaseKeepAliveReply,
  LeaseListReply,
  LeaseRevokeReply,
  LeaseTimeToLiveReply,
  LogLevelReply,
  MetricsReply,
  MoveLeaderReply,
  PutReply,
  RangeReply,
  StatusReply,
  TxnReply,
} from './rpc.ts';

export * from './client-data.ts';
export * from './client-members.ts';

/** The port of the first node of the development cluster. */
export const ENDPOINT_DEFAULT = '127.0.0.1:7001';

/**
 * Default milliseconds a connection may take until its HELLO is answered (etcdctl --dial-timeout).
 */
export const DIAL_TIMEOUT_MS = 2_000;

/**
 * Most requests of one client under way at once; further ones are refused with TooManyRequests.
 * What watches ask is not counted.
 */
export const CLIENT_CALLS_MAX = 65_536;

/** Most endpoints of one client. */
export const ENDPOINTS_MAX = 256;

/** Most nodes learned from redirects and kept besides the endpoints: the oldest is dropped. */
export const LEARNED_NODES_MAX = 32;

/** Redirects a request follows in a row; then it pauses like after any failure and starts over. */
export const REDIRECT_HOPS_MAX = 5;

/** Least milliseconds between two rounds of attempts; doubled each round, jittered. */
export const BACKOFF_MIN_MS = 10;

/**
 * Most milliseconds between two rounds of attempts: a new leader is found soon after its election.
 */
export const BACKOFF_MAX_MS = 250;

/** What a client is made from. */
export type ClientOptions = {
  /**
   * `host:port` each, IPv6 addresses in brackets; `http://` before it is tolerated. At least one.
   */
  readonly endpoints: readonly string[];
  /** Milliseconds until a request fails; REQUEST_TIMEOUT_MS when left out. */
  readonly requestTimeoutMs?: number;
  /** Milliseconds until an attempt to connect fails; DIAL_TIMEOUT_MS when left out. */
  readonly dialTimeoutMs?: number;
  /**
   * Whether writes are numbered in a session, so that one of unknown outcome is sent again until
   * its answer comes, and takes effect once (include/session.ts); true when left out. Opened with
   * the first write. Without it such a write fails and says that its outcome is unknown.
   */
  readonly sessions?: boolean;
  /** Told what the client does on its own account. Called in the middle of it: must not throw. */
  readonly onEvent?: (event: ClientEvent) => void;
};

/** Something a client did that its user did not ask for by name. Endpoints are `host:port`. */
export type ClientEvent =
  | { readonly kind: 'connected'; readonly endpoint: string; readonly nodeId: NodeId }
  | { readonly kind: 'disconnected'; readonly endpoint: string; readonly reason: string }
  | {
      readonly kind: 'redirect';
      /** Who sent the redirect. */
      readonly endpoint: string;
      readonly leaderId: NodeId;
      /** Where it points. */
      readonly leader: string;
    }
  | { readonly kind: 'retry'; readonly endpoint: string; readonly reason: string };

/** How to compact (etcd CompactionRequest). */
export type CompactOptions = CallOptions & {
  /** Answer only once the data is gone from the node that answers. */
  readonly physical?: boolean;
};

/** How to ask for a status. */
export type StatusOptions = CallOptions & {
  /** The node to ask, any address; the endpoint in use when left out. */
  readonly endpoint?: string;
};

/** How to ask for a snapshot. */
export type SnapshotOptions = StatusOptions & {
  /** Gives it up when it aborts; what is thrown is its reason. */
  readonly signal?: AbortSignal;
};

/** A snapshot that was read to its end. */
export type SavedSnapshot = {
  readonly clusterId: bigint;
  /** The node it came from. */
  readonly nodeId: NodeId;
  /** What it holds is the state as of this revision. */
  readonly revision: number;
  /** Bytes of the file. */
  readonly sizeBytes: number;
};

/** How to ask for a hash. */
export type HashKvOptions = StatusOptions & {
  /** The newest revision in it; the current one when left out. */
  readonly revision?: number;
};

/** A client of one cluster. Connects on first use. */
export type Client = MemberRequests & {
  /** The endpoints as understood, `host:port` each. */
  readonly endpoints: readonly string[];
  /** Writes one pair. */
  readonly put: (key: Bytes, value: Bytes, options?: PutOptions) => Promise<PutReply>;
  /** Reads one key; undefined when it is absent. */
  readonly get: (key: Bytes, options?: GetOptions) => Promise<KeyValue | undefined>;
  /** Reads a key, a range or a prefix. */
  readonly range: (key: Bytes, options?: RangeOptions) => Promise<RangeReply>;
  /** Deletes a key, a range or a prefix, in one revision. */
  readonly delete: (key: Bytes, options?: DeleteOptions) => Promise<DeleteRangeReply>;
  /**
   * Reads a range page by page, in key order, all of one revision: memory stays bounded on both
   * sides. Fails with Compacted when that revision is compacted meanwhile.
   */
  readonly pages: (key: Bytes, options?: PageOptions) => AsyncIterable<Page>;
  /**
   * Runs a transaction. One without writes is a read: linearizable, unless it has nothing but
   * serializable ranges.
   */
  readonly txn: (transaction: Transaction, options?: CallOptions) => Promise<TxnReply>;
  /** Puts a key if it is what is expected. */
  readonly compareAndSwap: (
    key: Bytes,
    expected: Expected,
    value: Bytes,
    options?: PutOptions,
  ) => Promise<SwapReply>;
  /** Deletes a key if it is what is expected. */
  readonly compareAndDelete: (
    key: Bytes,
    expected: Expected,
    options?: CallOptions,
  ) => Promise<SwapReply>;
  /**
   * Watches a key, a range or a prefix, from the moment it is called.
   * @throws KvorumError BadEndpoint, FrameMalformed
   */
  readonly watch: (key: Bytes, options?: WatchOptions) => Watcher;
  /** Every revision of a key that is not compacted, oldest first, up to now. */
  readonly history: (key: Bytes, options?: CallOptions) => AsyncIterable<HistoryEntry>;
  /** Asks for a lease. */
  readonly grantLease: (
    ttlSeconds: number,
    options?: LeaseGrantOptions,
  ) => Promise<LeaseGrantReply>;
  /** Ends a lease and deletes its keys. */
  readonly revokeLease: (id: bigint, options?: CallOptions) => Promise<LeaseRevokeReply>;
  /** Renews a lease once; ttlSeconds 0 says that it is gone. */
  readonly keepAliveLease: (id: bigint, options?: CallOptions) => Promise<LeaseKeepAliveReply>;
  /** What is left of a lease; ttlSeconds -1 says that it is gone. */
  readonly leaseTimeToLive: (
    id: bigint,
    options?: LeaseTimeToLiveOptions,
  ) => Promise<LeaseTimeToLiveReply>;
  /** All leases that the node asked knows of, ids ascending: maybe stale. */
  readonly leases: (options?: CallOptions) => Promise<LeaseListReply>;
  /** Asks for a lease and renews it from then on. */
  readonly holdLease: (ttlSeconds: number, options?: LeaseGrantOptions) => Promise<HeldLease>;
  /** Renews a lease that is there from now on. */
  readonly keepLease: (id: bigint, options?: CallOptions) => Promise<HeldLease>;
  /** Makes all revisions below `revision` unreadable. */
  readonly compact: (revision: number, options?: CompactOptions) => Promise<CompactReply>;
  /** Asks one node how it is. With `endpoint`, fails as soon as that one cannot be reached. */
  readonly status: (options?: StatusOptions) => Promise<StatusReply>;
  /** What one node measures about itself. With `endpoint`, likewise. */
  readonly metrics: (options?: StatusOptions) => Promise<MetricsReply>;
  /** Sets how much one node logs, until it is set again or the node ends. Likewise. */
  readonly setLogLevel: (level: LogLevel, options?: StatusOptions) => Promise<LogLevelReply>;
  /** Asks one node for a hash of the history of keys that it has. */
  readonly hashKv: (options?: HashKvOptions) => Promise<HashKvReply>;
  /** The alarms that are raised. */
  readonly alarms: (options?: CallOptions) => Promise<AlarmsReply>;
  /** Disarms an alarm; the reply has none when it was not raised. */
  readonly disarmAlarm: (alarm: Alarm, options?: CallOptions) => Promise<AlarmsReply>;
  /**
   * Reads the whole state of one node, as of one revision, on a connection of its own: the bytes of
   * a snapshot file (docs/STORAGE.md). The node serves on meanwhile. Without `timeoutMs` it may
   * take as long as it likes, as long as something comes.
   *
   * @param take is given the file piece by piece, each its own from then on; the next one waits for
   *   its promise. A rejection gives the snapshot up
   */
  readonly snapshot: (
    take: (piece: Buffer) => Promise<void> | void,
    options?: SnapshotOptions,
  ) => Promise<SavedSnapshot>;
  /** Hands leadership to a voter. The reply comes from the old leader. */
  readonly moveLeader: (target: NodeId, options?: CallOptions) => Promise<MoveLeaderReply>;
  /**
   * Closes every connection. Requests under way fail as if their connection was lost, watches end
   * with Stopped, leases that are held count as lost.
   */
  readonly close: () => Promise<void>;
};
