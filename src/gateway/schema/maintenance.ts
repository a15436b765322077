/**
 * What an operator asks of a member.
 * Made from proto/maintenance.proto by scripts/schema.ts.
 */

import { type EnumType, field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export const AlarmType: EnumType = {
  name: 'etcdserverpb.AlarmType',
  values: ['NONE', 'NOSPACE', 'CORRUPT'],
};

export const AlarmAction: EnumType = {
  name: 'etcdserverpb.AlarmRequest.AlarmAction',
  values: ['GET', 'ACTIVATE', 'DEACTIVATE'],
};

export type AlarmRequest = {
  action: number;
  memberID: bigint;
  alarm: number;
};

export const AlarmRequest: MessageType<AlarmRequest> = new MessageType(
  'etcdserverpb.AlarmRequest',
  () => ({ action: 0, memberID: 0n, alarm: 0 }),
  () => [
    field(1, 'action', Kind.Int32, { values: AlarmAction }),
    field(2, 'memberID', Kind.Uint64),
    field(3, 'alarm', Kind.Int32, { values: AlarmType }),
  ],
);

export type AlarmMember = {
  memberID: bigint;
  alarm: number;
};

export const AlarmMember: MessageType<AlarmMember> = new MessageType(
  'etcdserverpb.AlarmMember',
  () => ({ memberID: 0n, alarm: 0 }),
  () => [field(1, 'memberID', Kind.Uint64), field(2, 'alarm', Kind.Int32, { values: AlarmType })],
);

export type AlarmResponse = {
  header: ResponseHeader | undefined;
  alarms: AlarmMember[];
};

export const AlarmResponse: MessageType<AlarmResponse> = new MessageType(
  'etcdserverpb.AlarmResponse',
  () => ({ header: undefined, alarms: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'alarms', Kind.Message, { message: AlarmMember, isRepeated: true }),
  ],
);

export type StatusRequest = Record<string, never>;

export const StatusRequest: MessageType<StatusRequest> = new MessageType(
  'etcdserverpb.StatusRequest',
  () => ({}),
  () => [],
);

export type DowngradeInfo = {
  enabled: boolean;
  targetVersion: string;
};

export const DowngradeInfo: MessageType<DowngradeInfo> = new MessageType(
  'etcdserverpb.DowngradeInfo',
  () => ({ enabled: false, targetVersion: '' }),
  () => [field(1, 'enabled', Kind.Bool), field(2, 'targetVersion', Kind.String)],
);

export type StatusResponse = {
  header: ResponseHeader | undefined;
  version: string;
  dbSize: number;
  leader: bigint;
  raftIndex: number;
  raftTerm: number;
  raftAppliedIndex: number;
  errors: string[];
  dbSizeInUse: number;
  isLearner: boolean;
  storageVersion: string;
  dbSizeQuota: number;
  downgradeInfo: DowngradeInfo | undefined;
};

export const StatusResponse: MessageType<StatusResponse> = new MessageType(
  'etcdserverpb.StatusResponse',
  () => ({
    header: undefined,
    version: '',
    dbSize: 0,
    leader: 0n,
    raftIndex: 0,
    raftTerm: 0,
    raftAppliedIndex: 0,
    errors: [],
    dbSizeInUse: 0,
    isLearner: false,
    storageVersion: '',
    dbSizeQuota: 0,
    downgradeInfo: undefined,
  }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'version', Kind.String),
    field(3, 'dbSize', Kind.Int64Number),
    field(4, 'leader', Kind.Uint64),
    field(5, 'raftIndex', Kind.Uint64Number),
    field(6, 'raftTerm', Kind.Uint64Number),
    field(7, 'raftAppliedIndex', Kind.Uint64Number),
    field(8, 'errors', Kind.String, { isRepeated: true }),
    field(9, 'dbSizeInUse', Kind.Int64Number),
    field(10, 'isLearner', Kind.Bool),
    field(11, 'storageVersion', Kind.String),
    field(12, 'dbSizeQuota', Kind.Int64Number),
    field(13, 'downgradeInfo', Kind.Message, { message: DowngradeInfo }),
  ],
);

export type DefragmentRequest = Record<string, never>;

export const DefragmentRequest: MessageType<DefragmentRequest> = new MessageType(
  'etcdserverpb.DefragmentRequest',
  () => ({}),
  () => [],
);

export type DefragmentResponse = {
  header: ResponseHeader | undefined;
};

export const DefragmentResponse: MessageType<DefragmentResponse> = new MessageType(
  'etcdserverpb.DefragmentResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type HashRequest = Record<string, never>;

export const HashRequest: MessageType<HashRequest> = new MessageType(
  'etcdserverpb.HashRequest',
  () => ({}),
  () => [],
);

export type HashResponse = {
  header: ResponseHeader | undefined;
  hash: number;
};

export const HashResponse: MessageType<HashResponse> = new MessageType(
  'etcdserverpb.HashResponse',
  () => ({ header: undefined, hash: 0 }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'hash', Kind.Uint32),
  ],
);

export type HashKVRequest = {
  revision: number;
};

export const HashKVRequest: MessageType<HashKVRequest> = new MessageType(
  'etcdserverpb.HashKVRequest',
  () => ({ revision: 0 }),
  () => [field(1, 'revision', Kind.Int64Number)],
);

export type HashKVResponse = {
  header: ResponseHeader | undefined;
  hash: number;
  compact_revision: number;
  hash_revision: number;
};

export const HashKVResponse: MessageType<HashKVResponse> = new MessageType(
  'etcdserverpb.HashKVResponse',
  () => ({ header: undefined, hash: 0, compact_revision: 0, hash_revision: 0 }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'hash', Kind.Uint32),
    field(3, 'compact_revision', Kind.Int64Number),
    field(4, 'hash_revision', Kind.Int64Number),
  ],
);

export type SnapshotRequest = Record<string, never>;

export const SnapshotRequest: MessageType<SnapshotRequest> = new MessageType(
  'etcdserverpb.SnapshotRequest',
  () => ({}),
  () => [],
);

export type SnapshotResponse = {
  header: ResponseHeader | undefined;
  remaining_bytes: number;
  blob: Buffer;
  version: string;
};

export const SnapshotResponse: MessageType<SnapshotResponse> = new MessageType(
  'etcdserverpb.SnapshotResponse',
  () => ({ header: undefined, remaining_bytes: 0, blob: NO_BYTES, version: '' }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'remaining_bytes', Kind.Uint64Number),
    field(3, 'blob', Kind.Bytes),
    field(4, 'version', Kind.String),
  ],
);

export type MoveLeaderRequest = {
  targetID: bigint;
};

export const MoveLeaderRequest: MessageType<MoveLeaderRequest> = new MessageType(
  'etcdserverpb.MoveLeaderRequest',
  () => ({ targetID: 0n }),
  () => [field(1, 'targetID', Kind.Uint64)],
);

export type MoveLeaderResponse = {
  header: ResponseHeader | undefined;
};

export const MoveLeaderResponse: MessageType<MoveLeaderResponse> = new MessageType(
  'etcdserverpb.MoveLeaderResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export const DowngradeAction: EnumType = {
  name: 'etcdserverpb.DowngradeRequest.DowngradeAction',
  values: ['VALIDATE', 'ENABLE', 'CANCEL'],
};

export type DowngradeRequest = {
  action: number;
  version: string;
};

export const DowngradeRequest: MessageType<DowngradeRequest> = new MessageType(
  'etcdserverpb.DowngradeRequest',
  () => ({ action: 0, version: '' }),
  () => [
    field(1, 'action', Kind.Int32, { values: DowngradeAction }),
    field(2, 'version', Kind.String),
  ],
);

export type DowngradeResponse = {
  header: ResponseHeader | undefined;
  version: string;
};

export const DowngradeResponse: MessageType<DowngradeResponse> = new MessageType(
  'etcdserverpb.DowngradeResponse',
  () => ({ header: undefined, version: '' }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'version', Kind.String),
  ],
);

export const MaintenanceService: {
  readonly Alarm: Method<AlarmRequest, AlarmResponse>;
  readonly Status: Method<StatusRequest, StatusResponse>;
  readonly Defragment: Method<DefragmentRequest, DefragmentResponse>;
  readonly Hash: Method<HashRequest, HashResponse>;
  readonly HashKV: Method<HashKVRequest, HashKVResponse>;
  readonly Snapshot: Method<SnapshotRequest, SnapshotResponse>;
  readonly MoveLeader: Method<MoveLeaderRequest, MoveLeaderResponse>;
  readonly Downgrade: Method<DowngradeRequest, DowngradeResponse>;
} = {
  Alarm: {
    service: 'etcdserverpb.Maintenance',
    name: 'Alarm',
    request: AlarmRequest,
    response: AlarmResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/alarm'],
  },
  Status: {
    service: 'etcdserverpb.Maintenance',
    name: 'Status',
    request: StatusRequest,
    response: StatusResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/status'],
  },
  Defragment: {
    service: 'etcdserverpb.Maintenance',
    name: 'Defragment',
    request: DefragmentRequest,
    response: DefragmentResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/defragment'],
  },
  Hash: {
    service: 'etcdserverpb.Maintenance',
    name: 'Hash',
    request: HashRequest,
    response: HashResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/hash'],
  },
  HashKV: {
    service: 'etcdserverpb.Maintenance',
    name: 'HashKV',
    request: HashKVRequest,
    response: HashKVResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/hashkv'],
  },
  Snapshot: {
    service: 'etcdserverpb.Maintenance',
    name: 'Snapshot',
    request: SnapshotRequest,
    response: SnapshotResponse,
    streamsRequests: false,
    streamsResponses: true,
    httpPaths: ['/v3/maintenance/snapshot'],
  },
  MoveLeader: {
    service: 'etcdserverpb.Maintenance',
    name: 'MoveLeader',
    request: MoveLeaderRequest,
    response: MoveLeaderResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/transfer-leadership'],
  },
  Downgrade: {
    service: 'etcdserverpb.Maintenance',
    name: 'Downgrade',
    request: DowngradeRequest,
    response: DowngradeResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/maintenance/downgrade'],
  },
};
