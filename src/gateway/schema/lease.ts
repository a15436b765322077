/**
 * Leases: a time to live that keys hang on.
 * Made from proto/lease.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';

export type LeaseGrantRequest = {
  TTL: number;
  ID: bigint;
};

export const LeaseGrantRequest: MessageType<LeaseGrantRequest> = new MessageType(
  'etcdserverpb.LeaseGrantRequest',
  () => ({ TTL: 0, ID: 0n }),
  () => [field(1, 'TTL', Kind.Int64Number), field(2, 'ID', Kind.Int64)],
);

export type LeaseGrantResponse = {
  header: ResponseHeader | undefined;
  ID: bigint;
  TTL: number;
  error: string;
};

export const LeaseGrantResponse: MessageType<LeaseGrantResponse> = new MessageType(
  'etcdserverpb.LeaseGrantResponse',
  () => ({ header: undefined, ID: 0n, TTL: 0, error: '' }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'ID', Kind.Int64),
    field(3, 'TTL', Kind.Int64Number),
    field(4, 'error', Kind.String),
  ],
);

export type LeaseRevokeRequest = {
  ID: bigint;
};

export const LeaseRevokeRequest: MessageType<LeaseRevokeRequest> = new MessageType(
  'etcdserverpb.LeaseRevokeRequest',
  () => ({ ID: 0n }),
  () => [field(1, 'ID', Kind.Int64)],
);

export type LeaseRevokeResponse = {
  header: ResponseHeader | undefined;
};

export const LeaseRevokeResponse: MessageType<LeaseRevokeResponse> = new MessageType(
  'etcdserverpb.LeaseRevokeResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type LeaseKeepAliveRequest = {
  ID: bigint;
};

export const LeaseKeepAliveRequest: MessageType<LeaseKeepAliveRequest> = new MessageType(
  'etcdserverpb.LeaseKeepAliveRequest',
  () => ({ ID: 0n }),
  () => [field(1, 'ID', Kind.Int64)],
);

export type LeaseKeepAliveResponse = {
  header: ResponseHeader | undefined;
  ID: bigint;
  TTL: number;
};

export const LeaseKeepAliveResponse: MessageType<LeaseKeepAliveResponse> = new MessageType(
  'etcdserverpb.LeaseKeepAliveResponse',
  () => ({ header: undefined, ID: 0n, TTL: 0 }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'ID', Kind.Int64),
    field(3, 'TTL', Kind.Int64Number),
  ],
);

export type LeaseTimeToLiveRequest = {
  ID: bigint;
  keys: boolean;
};

export const LeaseTimeToLiveRequest: MessageType<LeaseTimeToLiveRequest> = new MessageType(
  'etcdserverpb.LeaseTimeToLiveRequest',
  () => ({ ID: 0n, keys: false }),
  () => [field(1, 'ID', Kind.Int64), field(2, 'keys', Kind.Bool)],
);

export type LeaseTimeToLiveResponse = {
  header: ResponseHeader | undefined;
  ID: bigint;
  TTL: number;
  grantedTTL: number;
  keys: Buffer[];
};

export const LeaseTimeToLiveResponse: MessageType<LeaseTimeToLiveResponse> = new MessageType(
  'etcdserverpb.LeaseTimeToLiveResponse',
  () => ({ header: undefined, ID: 0n, TTL: 0, grantedTTL: 0, keys: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'ID', Kind.Int64),
    field(3, 'TTL', Kind.Int64Number),
    field(4, 'grantedTTL', Kind.Int64Number),
    field(5, 'keys', Kind.Bytes, { isRepeated: true }),
  ],
);

export type LeaseLeasesRequest = Record<string, never>;

export const LeaseLeasesRequest: MessageType<LeaseLeasesRequest> = new MessageType(
  'etcdserverpb.LeaseLeasesRequest',
  () => ({}),
  () => [],
);

export type LeaseStatus = {
  ID: bigint;
};

export const LeaseStatus: MessageType<LeaseStatus> = new MessageType(
  'etcdserverpb.LeaseStatus',
  () => ({ ID: 0n }),
  () => [field(1, 'ID', Kind.Int64)],
);

export type LeaseLeasesResponse = {
  header: ResponseHeader | undefined;
  leases: LeaseStatus[];
};

export const LeaseLeasesResponse: MessageType<LeaseLeasesResponse> = new MessageType(
  'etcdserverpb.LeaseLeasesResponse',
  () => ({ header: undefined, leases: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'leases', Kind.Message, { message: LeaseStatus, isRepeated: true }),
  ],
);

export const LeaseService: {
  readonly LeaseGrant: Method<LeaseGrantRequest, LeaseGrantResponse>;
  readonly LeaseRevoke: Method<LeaseRevokeRequest, LeaseRevokeResponse>;
  readonly LeaseKeepAlive: Method<LeaseKeepAliveRequest, LeaseKeepAliveResponse>;
  readonly LeaseTimeToLive: Method<LeaseTimeToLiveRequest, LeaseTimeToLiveResponse>;
  readonly LeaseLeases: Method<LeaseLeasesRequest, LeaseLeasesResponse>;
} = {
  LeaseGrant: {
    service: 'etcdserverpb.Lease',
    name: 'LeaseGrant',
    request: LeaseGrantRequest,
    response: LeaseGrantResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/lease/grant'],
  },
  LeaseRevoke: {
    service: 'etcdserverpb.Lease',
    name: 'LeaseRevoke',
    request: LeaseRevokeRequest,
    response: LeaseRevokeResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/lease/revoke', '/v3/kv/lease/revoke'],
  },
  LeaseKeepAlive: {
    service: 'etcdserverpb.Lease',
    name: 'LeaseKeepAlive',
    request: LeaseKeepAliveRequest,
    response: LeaseKeepAliveResponse,
    streamsRequests: true,
    streamsResponses: true,
    httpPaths: ['/v3/lease/keepalive'],
  },
  LeaseTimeToLive: {
    service: 'etcdserverpb.Lease',
    name: 'LeaseTimeToLive',
    request: LeaseTimeToLiveRequest,
    response: LeaseTimeToLiveResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/lease/timetolive', '/v3/kv/lease/timetolive'],
  },
  LeaseLeases: {
    service: 'etcdserverpb.Lease',
    name: 'LeaseLeases',
    request: LeaseLeasesRequest,
    response: LeaseLeasesResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/lease/leases', '/v3/kv/lease/leases'],
  },
};
