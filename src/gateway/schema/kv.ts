/**
 * Keys and values: reads, writes, transactions.
 * Made from proto/kv.proto by scripts/schema.ts.
 */

import { type EnumType, field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';
import { KeyValue } from './mvccpb.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export const SortOrder: EnumType = {
  name: 'etcdserverpb.RangeRequest.SortOrder',
  values: ['NONE', 'ASCEND', 'DESCEND'],
};

export const SortTarget: EnumType = {
  name: 'etcdserverpb.RangeRequest.SortTarget',
  values: ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'],
};

export type RangeRequest = {
  key: Buffer;
  range_end: Buffer;
  limit: number;
  revision: number;
  sort_order: number;
  sort_target: number;
  serializable: boolean;
  keys_only: boolean;
  count_only: boolean;
  min_mod_revision: number;
  max_mod_revision: number;
  min_create_revision: number;
  max_create_revision: number;
};

export const RangeRequest: MessageType<RangeRequest> = new MessageType(
  'etcdserverpb.RangeRequest',
  () => ({
    key: NO_BYTES,
    range_end: NO_BYTES,
    limit: 0,
    revision: 0,
    sort_order: 0,
    sort_target: 0,
    serializable: false,
    keys_only: false,
    count_only: false,
    min_mod_revision: 0,
    max_mod_revision: 0,
    min_create_revision: 0,
    max_create_revision: 0,
  }),
  () => [
    field(1, 'key', Kind.Bytes),
    field(2, 'range_end', Kind.Bytes),
    field(3, 'limit', Kind.Int64Number),
    field(4, 'revision', Kind.Int64Number),
    field(5, 'sort_order', Kind.Int32, { values: SortOrder }),
    field(6, 'sort_target', Kind.Int32, { values: SortTarget }),
    field(7, 'serializable', Kind.Bool),
    field(8, 'keys_only', Kind.Bool),
    field(9, 'count_only', Kind.Bool),
    field(10, 'min_mod_revision', Kind.Int64Number),
    field(11, 'max_mod_revision', Kind.Int64Number),
    field(12, 'min_create_revision', Kind.Int64Number),
    field(13, 'max_create_revision', Kind.Int64Number),
  ],
);

export type RangeResponse = {
  header: ResponseHeader | undefined;
  kvs: KeyValue[];
  more: boolean;
  count: number;
};

export const RangeResponse: MessageType<RangeResponse> = new MessageType(
  'etcdserverpb.RangeResponse',
  () => ({ header: undefined, kvs: [], more: false, count: 0 }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'kvs', Kind.Message, { message: KeyValue, isRepeated: true }),
    field(3, 'more', Kind.Bool),
    field(4, 'count', Kind.Int64Number),
  ],
);

export type RangeStreamResponse = {
  range_response: RangeResponse | undefined;
};

export const RangeStreamResponse: MessageType<RangeStreamResponse> = new MessageType(
  'etcdserverpb.RangeStreamResponse',
  () => ({ range_response: undefined }),
  () => [field(1, 'range_response', Kind.Message, { message: RangeResponse })],
);

export type PutRequest = {
  key: Buffer;
  value: Buffer;
  lease: bigint;
  prev_kv: boolean;
  ignore_value: boolean;
  ignore_lease: boolean;
};

export const PutRequest: MessageType<PutRequest> = new MessageType(
  'etcdserverpb.PutRequest',
  () => ({
    key: NO_BYTES,
    value: NO_BYTES,
    lease: 0n,
    prev_kv: false,
    ignore_value: false,
    ignore_lease: false,
  }),
  () => [
    field(1, 'key', Kind.Bytes),
    field(2, 'value', Kind.Bytes),
    field(3, 'lease', Kind.Int64),
    field(4, 'prev_kv', Kind.Bool),
    field(5, 'ignore_value', Kind.Bool),
    field(6, 'ignore_lease', Kind.Bool),
  ],
);

export type PutResponse = {
  header: ResponseHeader | undefined;
  prev_kv: KeyValue | undefined;
};

export const PutResponse: MessageType<PutResponse> = new MessageType(
  'etcdserverpb.PutResponse',
  () => ({ header: undefined, prev_kv: undefined }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'prev_kv', Kind.Message, { message: KeyValue }),
  ],
);

export type DeleteRangeRequest = {
  key: Buffer;
  range_end: Buffer;
  prev_kv: boolean;
};

export const DeleteRangeRequest: MessageType<DeleteRangeRequest> = new MessageType(
  'etcdserverpb.DeleteRangeRequest',
  () => ({ key: NO_BYTES, range_end: NO_BYTES, prev_kv: false }),
  () => [
    field(1, 'key', Kind.Bytes),
    field(2, 'range_end', Kind.Bytes),
    field(3, 'prev_kv', Kind.Bool),
  ],
);

export type DeleteRangeResponse = {
  header: ResponseHeader | undefined;
  deleted: number;
  prev_kvs: KeyValue[];
};

export const DeleteRangeResponse: MessageType<DeleteRangeResponse> = new MessageType(
  'etcdserverpb.DeleteRangeResponse',
  () => ({ header: undefined, deleted: 0, prev_kvs: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'deleted', Kind.Int64Number),
    field(3, 'prev_kvs', Kind.Message, { message: KeyValue, isRepeated: true }),
  ],
);

export type RequestOp = {
  request_range: RangeRequest | undefined;
  request_put: PutRequest | undefined;
  request_delete_range: DeleteRangeRequest | undefined;
  request_txn: TxnRequest | undefined;
};

export const RequestOp: MessageType<RequestOp> = new MessageType(
  'etcdserverpb.RequestOp',
  () => ({
    request_range: undefined,
    request_put: undefined,
    request_delete_range: undefined,
    request_txn: undefined,
  }),
  () => [
    field(1, 'request_range', Kind.Message, { message: RangeRequest, oneof: 'request' }),
    field(2, 'request_put', Kind.Message, { message: PutRequest, oneof: 'request' }),
    field(3, 'request_delete_range', Kind.Message, {
      message: DeleteRangeRequest,
      oneof: 'request',
    }),
    field(4, 'request_txn', Kind.Message, { message: TxnRequest, oneof: 'request' }),
  ],
);

export type ResponseOp = {
  response_range: RangeResponse | undefined;
  response_put: PutResponse | undefined;
  response_delete_range: DeleteRangeResponse | undefined;
  response_txn: TxnResponse | undefined;
};

export const ResponseOp: MessageType<ResponseOp> = new MessageType(
  'etcdserverpb.ResponseOp',
  () => ({
    response_range: undefined,
    response_put: undefined,
    response_delete_range: undefined,
    response_txn: undefined,
  }),
  () => [
    field(1, 'response_range', Kind.Message, { message: RangeResponse, oneof: 'response' }),
    field(2, 'response_put', Kind.Message, { message: PutResponse, oneof: 'response' }),
    field(3, 'response_delete_range', Kind.Message, {
      message: DeleteRangeResponse,
      oneof: 'response',
    }),
    field(4, 'response_txn', Kind.Message, { message: TxnResponse, oneof: 'response' }),
  ],
);

export const CompareResult: EnumType = {
  name: 'etcdserverpb.Compare.CompareResult',
  values: ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'],
};

export const CompareTarget: EnumType = {
  name: 'etcdserverpb.Compare.CompareTarget',
  values: ['VERSION', 'CREATE', 'MOD', 'VALUE', 'LEASE'],
};

export type Compare = {
  result: number;
  target: number;
  key: Buffer;
  version: number | undefined;
  create_revision: number | undefined;
  mod_revision: number | undefined;
  value: Buffer | undefined;
  lease: bigint | undefined;
  range_end: Buffer;
};

export const Compare: MessageType<Compare> = new MessageType(
  'etcdserverpb.Compare',
  () => ({
    result: 0,
    target: 0,
    key: NO_BYTES,
    version: undefined,
    create_revision: undefined,
    mod_revision: undefined,
    value: undefined,
    lease: undefined,
    range_end: NO_BYTES,
  }),
  () => [
    field(1, 'result', Kind.Int32, { values: CompareResult }),
    field(2, 'target', Kind.Int32, { values: CompareTarget }),
    field(3, 'key', Kind.Bytes),
    field(4, 'version', Kind.Int64Number, { oneof: 'target_union' }),
    field(5, 'create_revision', Kind.Int64Number, { oneof: 'target_union' }),
    field(6, 'mod_revision', Kind.Int64Number, { oneof: 'target_union' }),
    field(7, 'value', Kind.Bytes, { oneof: 'target_union' }),
    field(8, 'lease', Kind.Int64, { oneof: 'target_union' }),
    field(64, 'range_end', Kind.Bytes),
  ],
);

export type TxnRequest = {
  compare: Compare[];
  success: RequestOp[];
  failure: RequestOp[];
};

export const TxnRequest: MessageType<TxnRequest> = new MessageType(
  'etcdserverpb.TxnRequest',
  () => ({ compare: [], success: [], failure: [] }),
  () => [
    field(1, 'compare', Kind.Message, { message: Compare, isRepeated: true }),
    field(2, 'success', Kind.Message, { message: RequestOp, isRepeated: true }),
    field(3, 'failure', Kind.Message, { message: RequestOp, isRepeated: true }),
  ],
);

export type TxnResponse = {
  header: ResponseHeader | undefined;
  succeeded: boolean;
  responses: ResponseOp[];
};

export const TxnResponse: MessageType<TxnResponse> = new MessageType(
  'etcdserverpb.TxnResponse',
  () => ({ header: undefined, succeeded: false, responses: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'succeeded', Kind.Bool),
    field(3, 'responses', Kind.Message, { message: ResponseOp, isRepeated: true }),
  ],
);

export type CompactionRequest = {
  revision: number;
  physical: boolean;
};

export const CompactionRequest: MessageType<CompactionRequest> = new MessageType(
  'etcdserverpb.CompactionRequest',
  () => ({ revision: 0, physical: false }),
  () => [field(1, 'revision', Kind.Int64Number), field(2, 'physical', Kind.Bool)],
);

export type CompactionResponse = {
  header: ResponseHeader | undefined;
};

export const CompactionResponse: MessageType<CompactionResponse> = new MessageType(
  'etcdserverpb.CompactionResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export const KVService: {
  readonly Range: Method<RangeRequest, RangeResponse>;
  readonly Put: Method<PutRequest, PutResponse>;
  readonly DeleteRange: Method<DeleteRangeRequest, DeleteRangeResponse>;
  readonly Txn: Method<TxnRequest, TxnResponse>;
  readonly Compact: Method<CompactionRequest, CompactionResponse>;
  readonly RangeStream: Method<RangeRequest, RangeStreamResponse>;
} = {
  Range: {
    service: 'etcdserverpb.KV',
    name: 'Range',
    request: RangeRequest,
    response: RangeResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/kv/range'],
  },
  Put: {
    service: 'etcdserverpb.KV',
    name: 'Put',
    request: PutRequest,
    response: PutResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/kv/put'],
  },
  DeleteRange: {
    service: 'etcdserverpb.KV',
    name: 'DeleteRange',
    request: DeleteRangeRequest,
    response: DeleteRangeResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/kv/deleterange'],
  },
  Txn: {
    service: 'etcdserverpb.KV',
    name: 'Txn',
    request: TxnRequest,
    response: TxnResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/kv/txn'],
  },
  Compact: {
    service: 'etcdserverpb.KV',
    name: 'Compact',
    request: CompactionRequest,
    response: CompactionResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/kv/compaction'],
  },
  RangeStream: {
    service: 'etcdserverpb.KV',
    name: 'RangeStream',
    request: RangeRequest,
    response: RangeStreamResponse,
    streamsRequests: false,
    streamsResponses: true,
    httpPaths: [],
  },
};
