/**
 * What every output format (-w) can print. One printer a format; each writes to an Output.
 *
 * Source: etcdctl's simple, fields, json and table formats.
 */

import type {
  ChangedMembersReply,
  HistoryEntry,
  MembersReply,
  WatchEvents,
} from '../../../include/client.ts';
import type { KeyValue } from '../../../include/kvstore.ts';
import type {
  AlarmsReply,
  DeleteRangeReply,
  HashKvReply,
  LeaseGrantReply,
  LeaseKeepAliveReply,
  LeaseListReply,
  LeaseRevokeReply,
  LeaseTimeToLiveReply,
  MoveLeaderReply,
  PutReply,
  RangeReply,
  StatusReply,
  TxnReply,
} from '../../../include/rpc.ts';

/** Where a printer writes to: bytes as they are, text as UTF-8. */
export type Output = (chunk: string | Buffer) => void;

/** How the simple format prints pairs. */
export type PairStyle = {
  /** Byte strings as `\x61`. */
  readonly hex: boolean;
  readonly keysOnly: boolean;
  readonly valuesOnly: boolean;
};

/** The status of one endpoint that answered. */
export type EndpointStatus = { readonly endpoint: string; readonly status: StatusReply };

/** The hash of one endpoint that answered. */
export type EndpointHash = { readonly endpoint: string; readonly reply: HashKvReply };

/** The health of one endpoint. */
export type EndpointHealth = {
  readonly endpoint: string;
  readonly isHealthy: boolean;
  /** Milliseconds until the answer or failure, with a fraction. */
  readonly tookMs: number;
  /** Why it is not healthy; empty when it is. */
  readonly error: string;
};

/** Prints answers about keys. */
export type KeyPrinter = {
  readonly put: (reply: PutReply, style: PairStyle) => void;
  readonly range: (reply: RangeReply, style: PairStyle) => void;
  readonly delete: (reply: DeleteRangeReply, style: PairStyle) => void;
};

/** Prints answers to transactions. */
export type TxnPrinter = {
  readonly txn: (reply: TxnReply, style: PairStyle) => void;
};

/** Prints what a watch tells. */
export type WatchPrinter = {
  readonly watch: (told: WatchEvents, style: PairStyle) => void;
  /** The watch was ended: what comes next in it is compacted. */
  readonly watchCancelled: (compactRevision: number) => void;
  /** A pair that is followed, as it is now: the leader of an election. */
  readonly observed: (pair: KeyValue, style: PairStyle) => void;
};

/** Prints the history of a key. */
export type HistoryPrinter = {
  readonly history: (entry: HistoryEntry, style: PairStyle) => void;
};

/** Whether keys were asked for: an answer without keys looks the same. */
export type KeysWanted = { readonly keys: boolean };

/** Prints answers about leases. */
export type LeasePrinter = {
  readonly leaseGrant: (reply: LeaseGrantReply) => void;
  readonly leaseRevoke: (reply: LeaseRevokeReply, id: bigint) => void;
  readonly leaseKeepAlive: (reply: LeaseKeepAliveReply) => void;
  /** A lease that was kept alive is gone. */
  readonly leaseGone: (id: bigint) => void;
  readonly leaseTimeToLive: (reply: LeaseTimeToLiveReply, wanted: KeysWanted) => void;
  readonly leaseList: (reply: LeaseListReply) => void;
};

/** Prints answers about the cluster. */
export type ClusterPrinter = {
  readonly moveLeader: (reply: MoveLeaderReply, target: number) => void;
  readonly endpointStatus: (statuses: readonly EndpointStatus[]) => void;
  readonly endpointHash: (hashes: readonly EndpointHash[]) => void;
  readonly endpointHealth: (healths: readonly EndpointHealth[]) => void;
};

/** Prints alarms. */
export type AlarmPrinter = {
  readonly alarms: (reply: AlarmsReply) => void;
};

/** What became of a member: etcdctl's words between its id and the cluster's. */
export type MemberChanged = {
  readonly id: number;
  readonly became: 'added to' | 'removed from' | 'updated in' | 'promoted in';
  /** Of one that is added: what it is to be called. */
  readonly name?: string;
};

/** Prints answers about members. */
export type MemberPrinter = {
  readonly memberList: (reply: MembersReply) => void;
  readonly memberChange: (reply: ChangedMembersReply, changes: readonly MemberChanged[]) => void;
};

/** What a snapshot file holds. */
export type SnapshotStatus = {
  readonly hash: number;
  readonly revision: number;
  readonly keyCount: number;
  readonly sizeBytes: number;
};

/** Prints what a snapshot file holds. */
export type SnapshotPrinter = { readonly snapshotStatus: (status: SnapshotStatus) => void };

/** Everything that can be printed. */
export type Answers = KeyPrinter &
  SnapshotPrinter &
  TxnPrinter &
  WatchPrinter &
  HistoryPrinter &
  LeasePrinter &
  AlarmPrinter &
  MemberPrinter &
  ClusterPrinter;

/** A kind of answer that can be printed. */
export type Answer = keyof Answers;

/** One output format. */
export type Printer = Answers & {
  /** Answers that it has no form for: to be known before a node is asked. */
  readonly refused: readonly Answer[];
};

/** A node id as etcdctl prints member ids: hex, unpadded. */
export function hexId(id: number | bigint): string {
  return id.toString(16);
}

/** A lease id as etcdctl prints it: 16 digits of hex. */
export function leaseName(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}
