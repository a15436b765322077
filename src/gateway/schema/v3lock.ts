/**
 * Locks, kept by a member on behalf of its clients.
 * Made from proto/v3lock.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { ResponseHeader } from './header.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export type LockRequest = {
  name: Buffer;
  lease: bigint;
};

export const LockRequest: MessageType<LockRequest> = new MessageType(
  'v3lockpb.LockRequest',
  () => ({ name: NO_BYTES, lease: 0n }),
  () => [field(1, 'name', Kind.Bytes), field(2, 'lease', Kind.Int64)],
);

export type LockResponse = {
  header: ResponseHeader | undefined;
  key: Buffer;
};

export const LockResponse: MessageType<LockResponse> = new MessageType(
  'v3lockpb.LockResponse',
  () => ({ header: undefined, key: NO_BYTES }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'key', Kind.Bytes),
  ],
);

export type UnlockRequest = {
  key: Buffer;
};

export const UnlockRequest: MessageType<UnlockRequest> = new MessageType(
  'v3lockpb.UnlockRequest',
  () => ({ key: NO_BYTES }),
  () => [field(1, 'key', Kind.Bytes)],
);

export type UnlockResponse = {
  header: ResponseHeader | undefined;
};

export const UnlockResponse: MessageType<UnlockResponse> = new MessageType(
  'v3lockpb.UnlockResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export const LockService: {
  readonly Lock: Method<LockRequest, LockResponse>;
  readonly Unlock: Method<UnlockRequest, UnlockResponse>;
} = {
  Lock: {
    service: 'v3lockpb.Lock',
    name: 'Lock',
    request: LockRequest,
    response: LockResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/lock/lock'],
  },
  Unlock: {
    service: 'v3lockpb.Lock',
    name: 'Unlock',
    request: UnlockRequest,
    response: UnlockResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/lock/unlock'],
  },
};
