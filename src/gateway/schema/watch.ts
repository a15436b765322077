/**
 * Watches: one stream carries many.
 * Made from proto/watch.proto by scripts/schema.ts.
 */

import { type EnumType, field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';
import { Event } from './mvccpb.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export type WatchRequest = {
  create_request: WatchCreateRequest | undefined;
  cancel_request: WatchCancelRequest | undefined;
  progress_request: WatchProgressRequest | undefined;
};

export const WatchRequest: MessageType<WatchRequest> = new MessageType(
  'etcdserverpb.WatchRequest',
  () => ({ create_request: undefined, cancel_request: undefined, progress_request: undefined }),
  () => [
    field(1, 'create_request', Kind.Message, {
      message: WatchCreateRequest,
      oneof: 'request_union',
    }),
    field(2, 'cancel_request', Kind.Message, {
      message: WatchCancelRequest,
      oneof: 'request_union',
    }),
    field(3, 'progress_request', Kind.Message, {
      message: WatchProgressRequest,
      oneof: 'request_union',
    }),
  ],
);

export const FilterType: EnumType = {
  name: 'etcdserverpb.WatchCreateRequest.FilterType',
  values: ['NOPUT', 'NODELETE'],
};

export type WatchCreateRequest = {
  key: Buffer;
  range_end: Buffer;
  start_revision: number;
  progress_notify: boolean;
  filters: number[];
  prev_kv: boolean;
  watch_id: bigint;
  fragment: boolean;
};

export const WatchCreateRequest: MessageType<WatchCreateRequest> = new MessageType(
  'etcdserverpb.WatchCreateRequest',
  () => ({
    key: NO_BYTES,
    range_end: NO_BYTES,
    start_revision: 0,
    progress_notify: false,
    filters: [],
    prev_kv: false,
    watch_id: 0n,
    fragment: false,
  }),
  () => [
    field(1, 'key', Kind.Bytes),
    field(2, 'range_end', Kind.Bytes),
    field(3, 'start_revision', Kind.Int64Number),
    field(4, 'progress_notify', Kind.Bool),
    field(5, 'filters', Kind.Int32, { values: FilterType, isRepeated: true }),
    field(6, 'prev_kv', Kind.Bool),
    field(7, 'watch_id', Kind.Int64),
    field(8, 'fragment', Kind.Bool),
  ],
);

export type WatchCancelRequest = {
  watch_id: bigint;
};

export const WatchCancelRequest: MessageType<WatchCancelRequest> = new MessageType(
  'etcdserverpb.WatchCancelRequest',
  () => ({ watch_id: 0n }),
  () => [field(1, 'watch_id', Kind.Int64)],
);

export type WatchProgressRequest = Record<string, never>;

export const WatchProgressRequest: MessageType<WatchProgressRequest> = new MessageType(
  'etcdserverpb.WatchProgressRequest',
  () => ({}),
  () => [],
);

export type WatchResponse = {
  header: ResponseHeader | undefined;
  watch_id: bigint;
  created: boolean;
  canceled: boolean;
  compact_revision: number;
  cancel_reason: string;
  fragment: boolean;
  events: Event[];
};

export const WatchResponse: MessageType<WatchResponse> = new MessageType(
  'etcdserverpb.WatchResponse',
  () => ({
    header: undefined,
    watch_id: 0n,
    created: false,
    canceled: false,
    compact_revision: 0,
    cancel_reason: '',
    fragment: false,
    events: [],
  }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'watch_id', Kind.Int64),
    field(3, 'created', Kind.Bool),
    field(4, 'canceled', Kind.Bool),
    field(5, 'compact_revision', Kind.Int64Number),
    field(6, 'cancel_reason', Kind.String),
    field(7, 'fragment', Kind.Bool),
    field(11, 'events', Kind.Message, { message: Event, isRepeated: true }),
  ],
);

export const WatchService: {
  readonly Watch: Method<WatchRequest, WatchResponse>;
} = {
  Watch: {
    service: 'etcdserverpb.Watch',
    name: 'Watch',
    request: WatchRequest,
    response: WatchResponse,
    streamsRequests: true,
    streamsResponses: true,
    httpPaths: ['/v3/watch'],
  },
};
