/**
 * One member of a cluster: what a node is started with, what it tells about itself, what its log on
 * disk promises, and the limits of its loop. The Raft core's contract is in raft.ts.
 */

import { type Alarm, QUOTA_BYTES } from './alarms.ts';
import type { LogIndex, NodeId, Role, Term } from './raft.ts';

export * from './raft.ts';

/** One line of nodes.conf. */
export type NodeConfig = {
  readonly id: NodeId;
  /** For people; `node-` and the id if left out. */
  readonly name?: string;
  /** Host name or IP address that peers and clients reach the node at; it listens there too. */
  readonly address: string;
  /** TCP port of peers and native clients, 1 to 65535. */
  readonly port: number;
  readonly role: 'voter' | 'learner';
  /** Port of the etcd-compatible gateway, if it has one. */
  readonly clientPort: number | undefined;
  /** The line in the file, from 1, for messages. */
  readonly line: number;
};

/** What nodes.conf says: the members a cluster is born with, ascending by id. */
export type ClusterConfig = {
  readonly path: string;
  readonly nodes: readonly NodeConfig[];
  /**
   * First 8 bytes of a SHA-1 over the members: nodes of different files never talk to each other.
   */
  readonly clusterId: bigint;
};

/** A member as others see it: the reply to a Status request (etcd Maintenance.Status). */
export type NodeStatus = {
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  readonly version: string;
  /** The newest version of the protocol that it speaks. */
  readonly protocolVersion: number;
  /** The version that all members speak, as the log has it. */
  readonly clusterVersion: number;
  readonly role: Role;
  readonly isLearner: boolean;
  readonly leader: NodeId;
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly revision: number;
  /** The oldest revision that can be read; 0 before the first compaction. */
  readonly compactRevision: number;
  /** Bytes of the store's file, and of them in use. */
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  /** Bytes in use above which it raises an alarm. */
  readonly quotaBytes: number;
  /** The alarms that it knows of, of any member. */
  readonly alarms: readonly Alarm[];
  readonly peers: readonly PeerStatus[];
};

/** A peer as one member sees it. */
export type PeerStatus = {
  readonly id: NodeId;
  readonly address: string;
  readonly port: number;
  readonly isOnline: boolean;
  readonly isLearner: boolean;
  /** Round-trip time of the last PING in microseconds; 0 before the first. */
  readonly roundTripMicros: number;
  /** On a leader: the highest index known to be on the peer's disk; else 0. */
  readonly matchIndex: LogIndex;
  /** Bytes sent of the snapshot that the peer is being sent; 0 if none is. */
  readonly snapshotSentBytes: number;
  /** Bytes that it has, about: never less than sent; 0 if none is. */
  readonly snapshotSizeBytes: number;
};

// ---- what a member does on its own account ----

/** How revisions are compacted without anybody asking for it (etcd --auto-compaction-mode). */
export type AutoCompaction =
  /** Those older than so long, in milliseconds. */
  | { readonly mode: 'periodic'; readonly retentionMs: number }
  /** Those that are so many below the current one. */
  | { readonly mode: 'revision'; readonly retention: number };

/** What a member does on its own account now and then. */
export type Upkeep = {
  /** Bytes of the store in use above which it raises an alarm. */
  readonly quotaBytes: number;
  /** Undefined: revisions are compacted only when a client asks for it. */
  readonly autoCompaction: AutoCompaction | undefined;
  /** Milliseconds between two comparisons of the members' stores; 0 for none. */
  readonly corruptCheckMs: number;
};

/** That of a node that is told nothing else. */
export const UPKEEP: Upkeep = {
  quotaBytes: QUOTA_BYTES,
  autoCompaction: undefined,
  corruptCheckMs: 0,
};

// ---- the log on disk (src/node/wal, src/node/data-directory.ts; docs/STORAGE.md) ----

/** The layout of the log's files; a log of a newer version is refused, never guessed at. */
export const WAL_FORMAT_VERSION = 1;

/**
 * The newest layout of the data directory; its identity file has the one it is written in: 2 if it
 * was made from a snapshot, else 1.
 */
export const DATA_DIRECTORY_FORMAT_VERSION = 2;

/**
 * A segment is closed and the next one begun when the next group would make it longer than this.
 */
export const WAL_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Groups start on multiples of this: a write never touches a page that holds an acknowledged group,
 * so a torn write cannot hurt one. The page size of Linux file systems; part of the format.
 */
export const WAL_BLOCK_BYTES = 4096;

/**
 * A segment grows by zeros in steps of this: a sync that need not change the file's length takes
 * 0.7 of the time. Larger steps cost a longer pause each: half a millisecond at this size.
 */
export const WAL_EXTEND_BYTES = 512 * 1024;

/** A group that holds this much takes no more records; what follows goes into the next one. */
export const WAL_GROUP_BYTES_MAX = 4 * 1024 * 1024;

/** Most bytes of data of one entry: four times a client's largest request, half a peer's frame. */
export const ENTRY_DATA_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Most members a marker's configuration may name, over all three lists: bounds what a decoder
 * believes.
 */
export const WAL_CONFIGURATION_MEMBERS_MAX = 3 * 1024;

/**
 * Why a node cannot start or go on. For operators: the command prints the message and exits with 1.
 */
export const FaultKind = {
  /** nodes.conf or a flag cannot be understood. */
  Configuration: 'configuration',
  /**
   * A write, sync, rename or removal failed. Never retried: the kernel may have dropped the page.
   */
  DiskFailed: 'disk-failed',
  /** The log holds something that no crash can leave behind. */
  LogCorrupt: 'log-corrupt',
  /** The data directory belongs to a member that has run, and its log is gone. */
  LogMissing: 'log-missing',
  /** The log was written by another cluster or node. */
  LogForeign: 'log-foreign',
  /** The log was written by a newer kvorum. */
  LogNewer: 'log-newer',
  /** The store lacks entries that the log has dropped already: its file was lost or put back. */
  StoreBehind: 'store-behind',
  /** The data directory cannot be made, read or written. */
  DirectoryUnusable: 'directory-unusable',
  /** The identity file cannot be understood. */
  DirectoryDamaged: 'directory-damaged',
  /** The data directory belongs to another cluster or node. */
  DirectoryForeign: 'directory-foreign',
  /** The data directory was written by a newer kvorum. */
  DirectoryNewer: 'directory-newer',
  /** The member was removed from the cluster. */
  MemberRemoved: 'member-removed',
  /** Another process or thread uses the data directory. */
  DirectoryLocked: 'directory-locked',
} as const;
/** One of the values of FaultKind. */
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

/** A fault that an operator must see: what was wrong, where, and what to do about it. */
export class NodeFault extends Error {
  override readonly name = 'NodeFault';
  readonly kind: FaultKind;
  /** The file or directory. */
  readonly path: string;
  /** Where in the file, in bytes; undefined when the file as a whole is meant. */
  readonly offset: number | undefined;
  /** What the operator can do, one sentence without its full stop. */
  readonly remedy: string;

  constructor(
    kind: FaultKind,
    what: string,
    where: { path: string; offset?: number; remedy: string; cause?: unknown },
  ) {
    const at = where.offset === undefined ? where.path : `${where.path} at offset ${where.offset}`;
    super(
      `${at}: ${what}; ${where.remedy}`,
      where.cause === undefined ? {} : { cause: where.cause },
    );
    this.kind = kind;
    this.path = where.path;
    this.offset = where.offset;
    this.remedy = where.remedy;
  }
}

// ---- the member loop (src/node/member.ts) ----

/**
 * Milliseconds a node keeps a request whose fate is open before it answers that nobody knows. Below
 * a client's default deadline, so that the client hears from the node why (etcd: 5 s + 2
 * elections).
 */
export const MEMBER_TIMEOUT_MS = 4_000;

/**
 * Entries applied in one turn of the event loop: a few milliseconds, so that no heartbeat waits.
 */
export const APPLY_SLICE_ENTRIES = 1_000;

/** Milliseconds after which such a turn ends early: one entry may end hundreds of leases. */
export const APPLY_SLICE_MS = 4;

/** Committed entries waiting to be applied at which new writes are refused (etcd: 5,000). */
export const APPLY_BACKLOG_MAX = 20_000;

/**
 * Milliseconds from which on a request is logged with its parts, by default (etcd
 * --warning-unary-request-duration).
 */
export const SLOW_REQUEST_MS = 300;

/** Milliseconds from which on the applying of one entry counts as slow (etcd's 100 ms). */
export const SLOW_APPLY_MS = 100;

/** Most slow requests logged in one period; the others are counted in the next line. */
export const SLOW_REQUESTS_LOGGED_MAX = 10;

/** Milliseconds of such a period. */
export const SLOW_REQUESTS_LOG_MS = 1_000;

/**
 * Batches of the log whose times are remembered, to tell where a slow request spent its own: more
 * than a busy node makes within MEMBER_TIMEOUT_MS, 64 KiB.
 */
export const MILESTONES_MAX = 4_096;

/**
 * Every how many reads of a key that are answered at once one is timed, and counts for all of them:
 * two looks at the clock would be a tenth of its cost.
 */
export const LOCAL_READS_A_TIMING = 16;

/**
 * Most writes that wait for their entry; further ones are refused at once. As many as 25 a
 * millisecond for MEMBER_TIMEOUT_MS: what is beyond would wait, and then be given up.
 */
export const WRITES_WAITING_MAX = 100_000;

/**
 * Milliseconds that the oldest write has waited at which further ones are refused at once: half of
 * what it may wait, so that those that come now would hardly be in time.
 */
export const WRITE_WAIT_MAX_MS = 2_000;

/**
 * Most reads under way that take several turns; further ones are refused at once. Each holds what
 * it has gathered.
 */
export const READINGS_MAX = 1_024;

/** Milliseconds between checks of deadlines. */
export const DEADLINE_CHECK_MS = 100;

/** Milliseconds after which a write that found the disk full is tried again. */
export const DISK_ROOM_RETRY_MS = 250;

/** Milliseconds between looks at what the log may drop. */
export const TRIM_INTERVAL_MS = 1_000;

/**
 * Most bytes of keys and values in the answer to one range; larger ones are refused: set a limit.
 */
export const RANGE_BYTES_MAX = 512 * 1024 * 1024;

/** Milliseconds a stopping leader waits for its successor before it stops all the same. */
export const HANDOVER_TIMEOUT_MS = 2_000;

// ---- what a node gives its core (src/node/node.ts) ----

/** Ticks are this long, in milliseconds: the grain of every timeout of the core. */
export const TICK_MS = 10;

/** Default milliseconds between a leader's heartbeats (etcd --heartbeat-interval). */
export const HEARTBEAT_MS = 100;

/** Default least milliseconds without a leader before an election (etcd --election-timeout). */
export const ELECTION_MS = 1_000;

/** Default milliseconds by which the next-ranked follower waits longer after a lost leader. */
export const LOST_LEADER_STAGGER_MS = 30;

/**
 * Most bytes of entries in one Append: a few milliseconds of a slow link, far below a peer's frame
 * limit.
 */
export const APPEND_BYTES_MAX = 1024 * 1024;

/**
 * Most Appends on the way to one follower: enough to fill a 100 ms round trip with full batches.
 */
export const INFLIGHT_MESSAGES_MAX = 256;

/** Most bytes of entries on the way to one follower. */
export const INFLIGHT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Most bytes proposed and not yet committed: bounds a leader's memory while no majority answers.
 */
export const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Most bytes of committed entries in one Ready: bounds a batch of the store, a few milliseconds of
 * work.
 */
export const COMMITTED_BYTES_MAX = 4 * 1024 * 1024;

/** Most reads that wait for a read index on one member; beyond, they are refused at once. */
export const READS_WAITING_MAX = 65_536;

/**
 * Most campaigns in quick succession after a lost leader's connection; beyond, a member falls back
 * on its ordinary election timeout, so that haste can cost a second but never liveness.
 */
export const HASTY_CAMPAIGNS_MAX = 8;

/** Bytes of entries a node keeps in memory for followers that lag; beyond, they get a snapshot. */
export const LOG_KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** Entries a node keeps in memory for followers that lag, whatever their size. */
export const LOG_KEPT_ENTRIES_MAX = 50_000;

/**
 * Bytes of entries a leader keeps instead while a member receives a snapshot and catches up from
 * it, so that writes that go on meanwhile do not make it need another.
 */
export const LOG_CATCH_UP_BYTES_MAX = 256 * 1024 * 1024;
