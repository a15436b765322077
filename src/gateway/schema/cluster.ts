/**
 * The members of a cluster.
 * Made from proto/cluster.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';

export type Member = {
  ID: bigint;
  name: string;
  peerURLs: string[];
  clientURLs: string[];
  isLearner: boolean;
};

export const Member: MessageType<Member> = new MessageType(
  'etcdserverpb.Member',
  () => ({ ID: 0n, name: '', peerURLs: [], clientURLs: [], isLearner: false }),
  () => [
    field(1, 'ID', Kind.Uint64),
    field(2, 'name', Kind.String),
    field(3, 'peerURLs', Kind.String, { isRepeated: true }),
    field(4, 'clientURLs', Kind.String, { isRepeated: true }),
    field(5, 'isLearner', Kind.Bool),
  ],
);

export type MemberAddRequest = {
  peerURLs: string[];
  isLearner: boolean;
};

export const MemberAddRequest: MessageType<MemberAddRequest> = new MessageType(
  'etcdserverpb.MemberAddRequest',
  () => ({ peerURLs: [], isLearner: false }),
  () => [field(1, 'peerURLs', Kind.String, { isRepeated: true }), field(2, 'isLearner', Kind.Bool)],
);

export type MemberAddResponse = {
  header: ResponseHeader | undefined;
  member: Member | undefined;
  members: Member[];
};

export const MemberAddResponse: MessageType<MemberAddResponse> = new MessageType(
  'etcdserverpb.MemberAddResponse',
  () => ({ header: undefined, member: undefined, members: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'member', Kind.Message, { message: Member }),
    field(3, 'members', Kind.Message, { message: Member, isRepeated: true }),
  ],
);

export type MemberRemoveRequest = {
  ID: bigint;
};

export const MemberRemoveRequest: MessageType<MemberRemoveRequest> = new MessageType(
  'etcdserverpb.MemberRemoveRequest',
  () => ({ ID: 0n }),
  () => [field(1, 'ID', Kind.Uint64)],
);

export type MemberRemoveResponse = {
  header: ResponseHeader | undefined;
  members: Member[];
};

export const MemberRemoveResponse: MessageType<MemberRemoveResponse> = new MessageType(
  'etcdserverpb.MemberRemoveResponse',
  () => ({ header: undefined, members: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'members', Kind.Message, { message: Member, isRepeated: true }),
  ],
);

export type MemberUpdateRequest = {
  ID: bigint;
  peerURLs: string[];
};

export const MemberUpdateRequest: MessageType<MemberUpdateRequest> = new MessageType(
  'etcdserverpb.MemberUpdateRequest',
  () => ({ ID: 0n, peerURLs: [] }),
  () => [field(1, 'ID', Kind.Uint64), field(2, 'peerURLs', Kind.String, { isRepeated: true })],
);

export type MemberUpdateResponse = {
  header: ResponseHeader | undefined;
  members: Member[];
};

export const MemberUpdateResponse: MessageType<MemberUpdateResponse> = new MessageType(
  'etcdserverpb.MemberUpdateResponse',
  () => ({ header: undefined, members: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'members', Kind.Message, { message: Member, isRepeated: true }),
  ],
);

export type MemberListRequest = {
  linearizable: boolean;
};

export const MemberListRequest: MessageType<MemberListRequest> = new MessageType(
  'etcdserverpb.MemberListRequest',
  () => ({ linearizable: false }),
  () => [field(1, 'linearizable', Kind.Bool)],
);

export type MemberListResponse = {
  header: ResponseHeader | undefined;
  members: Member[];
};

export const MemberListResponse: MessageType<MemberListResponse> = new MessageType(
  'etcdserverpb.MemberListResponse',
  () => ({ header: undefined, members: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'members', Kind.Message, { message: Member, isRepeated: true }),
  ],
);

export type MemberPromoteRequest = {
  ID: bigint;
};

export const MemberPromoteRequest: MessageType<MemberPromoteRequest> = new MessageType(
  'etcdserverpb.MemberPromoteRequest',
  () => ({ ID: 0n }),
  () => [field(1, 'ID', Kind.Uint64)],
);

export type MemberPromoteResponse = {
  header: ResponseHeader | undefined;
  members: Member[];
};

export const MemberPromoteResponse: MessageType<MemberPromoteResponse> = new MessageType(
  'etcdserverpb.MemberPromoteResponse',
  () => ({ header: undefined, members: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'members', Kind.Message, { message: Member, isRepeated: true }),
  ],
);

export const ClusterService: {
  readonly MemberAdd: Method<MemberAddRequest, MemberAddResponse>;
  readonly MemberRemove: Method<MemberRemoveRequest, MemberRemoveResponse>;
  readonly MemberUpdate: Method<MemberUpdateRequest, MemberUpdateResponse>;
  readonly MemberList: Method<MemberListRequest, MemberListResponse>;
  readonly MemberPromote: Method<MemberPromoteRequest, MemberPromoteResponse>;
} = {
  MemberAdd: {
    service: 'etcdserverpb.Cluster',
    name: 'MemberAdd',
    request: MemberAddRequest,
    response: MemberAddResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/cluster/member/add'],
  },
  MemberRemove: {
    service: 'etcdserverpb.Cluster',
    name: 'MemberRemove',
    request: MemberRemoveRequest,
    response: MemberRemoveResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/cluster/member/remove'],
  },
  MemberUpdate: {
    service: 'etcdserverpb.Cluster',
    name: 'MemberUpdate',
    request: MemberUpdateRequest,
    response: MemberUpdateResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/cluster/member/update'],
  },
  MemberList: {
    service: 'etcdserverpb.Cluster',
    name: 'MemberList',
    request: MemberListRequest,
    response: MemberListResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/cluster/member/list'],
  },
  MemberPromote: {
    service: 'etcdserverpb.Cluster',
    name: 'MemberPromote',
    request: MemberPromoteRequest,
    response: MemberPromoteResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/cluster/member/promote'],
  },
};
