/**
 * Elections, kept by a member on behalf of its clients.
 * Made from proto/v3election.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';
import { KeyValue } from './mvccpb.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export type LeaderKey = {
  name: Buffer;
  key: Buffer;
  rev: number;
  lease: bigint;
};

export const LeaderKey: MessageType<LeaderKey> = new MessageType(
  'v3electionpb.LeaderKey',
  () => ({ name: NO_BYTES, key: NO_BYTES, rev: 0, lease: 0n }),
  () => [
    field(1, 'name', Kind.Bytes),
    field(2, 'key', Kind.Bytes),
    field(3, 'rev', Kind.Int64Number),
    field(4, 'lease', Kind.Int64),
  ],
);

export type CampaignRequest = {
  name: Buffer;
  lease: bigint;
  value: Buffer;
};

export const CampaignRequest: MessageType<CampaignRequest> = new MessageType(
  'v3electionpb.CampaignRequest',
  () => ({ name: NO_BYTES, lease: 0n, value: NO_BYTES }),
  () => [
    field(1, 'name', Kind.Bytes),
    field(2, 'lease', Kind.Int64),
    field(3, 'value', Kind.Bytes),
  ],
);

export type CampaignResponse = {
  header: ResponseHeader | undefined;
  leader: LeaderKey | undefined;
};

export const CampaignResponse: MessageType<CampaignResponse> = new MessageType(
  'v3electionpb.CampaignResponse',
  () => ({ header: undefined, leader: undefined }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'leader', Kind.Message, { message: LeaderKey }),
  ],
);

export type ProclaimRequest = {
  leader: LeaderKey | undefined;
  value: Buffer;
};

export const ProclaimRequest: MessageType<ProclaimRequest> = new MessageType(
  'v3electionpb.ProclaimRequest',
  () => ({ leader: undefined, value: NO_BYTES }),
  () => [field(1, 'leader', Kind.Message, { message: LeaderKey }), field(2, 'value', Kind.Bytes)],
);

export type ProclaimResponse = {
  header: ResponseHeader | undefined;
};

export const ProclaimResponse: MessageType<ProclaimResponse> = new MessageType(
  'v3electionpb.ProclaimResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type LeaderRequest = {
  name: Buffer;
};

export const LeaderRequest: MessageType<LeaderRequest> = new MessageType(
  'v3electionpb.LeaderRequest',
  () => ({ name: NO_BYTES }),
  () => [field(1, 'name', Kind.Bytes)],
);

export type LeaderResponse = {
  header: ResponseHeader | undefined;
  kv: KeyValue | undefined;
};

export const LeaderResponse: MessageType<LeaderResponse> = new MessageType(
  'v3electionpb.LeaderResponse',
  () => ({ header: undefined, kv: undefined }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'kv', Kind.Message, { message: KeyValue }),
  ],
);

export type ResignRequest = {
  leader: LeaderKey | undefined;
};

export const ResignRequest: MessageType<ResignRequest> = new MessageType(
  'v3electionpb.ResignRequest',
  () => ({ leader: undefined }),
  () => [field(1, 'leader', Kind.Message, { message: LeaderKey })],
);

export type ResignResponse = {
  header: ResponseHeader | undefined;
};

export const ResignResponse: MessageType<ResignResponse> = new MessageType(
  'v3electionpb.ResignResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export const ElectionService: {
  readonly Campaign: Method<CampaignRequest, CampaignResponse>;
  readonly Proclaim: Method<ProclaimRequest, ProclaimResponse>;
  readonly Leader: Method<LeaderRequest, LeaderResponse>;
  readonly Observe: Method<LeaderRequest, LeaderResponse>;
  readonly Resign: Method<ResignRequest, ResignResponse>;
} = {
  Campaign: {
    service: 'v3electionpb.Election',
    name: 'Campaign',
    request: CampaignRequest,
    response: CampaignResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/election/campaign'],
  },
  Proclaim: {
    service: 'v3electionpb.Election',
    name: 'Proclaim',
    request: ProclaimRequest,
    response: ProclaimResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/election/proclaim'],
  },
  Leader: {
    service: 'v3electionpb.Election',
    name: 'Leader',
    request: LeaderRequest,
    response: LeaderResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/election/leader'],
  },
  Observe: {
    service: 'v3electionpb.Election',
    name: 'Observe',
    request: LeaderRequest,
    response: LeaderResponse,
    streamsRequests: false,
    streamsResponses: true,
    httpPaths: ['/v3/election/observe'],
  },
  Resign: {
    service: 'v3electionpb.Election',
    name: 'Resign',
    request: ResignRequest,
    response: ResignResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/election/resign'],
  },
};
