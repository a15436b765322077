/**
 * Requests and answers about roles.
 * Made from proto/auth-roles.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType } from '../protobuf/schema.ts';
import { Permission } from './authpb.ts';
import { ResponseHeader } from './header.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export type AuthRoleAddRequest = {
  name: string;
};

export const AuthRoleAddRequest: MessageType<AuthRoleAddRequest> = new MessageType(
  'etcdserverpb.AuthRoleAddRequest',
  () => ({ name: '' }),
  () => [field(1, 'name', Kind.String)],
);

export type AuthRoleAddResponse = {
  header: ResponseHeader | undefined;
};

export const AuthRoleAddResponse: MessageType<AuthRoleAddResponse> = new MessageType(
  'etcdserverpb.AuthRoleAddResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthRoleGetRequest = {
  role: string;
};

export const AuthRoleGetRequest: MessageType<AuthRoleGetRequest> = new MessageType(
  'etcdserverpb.AuthRoleGetRequest',
  () => ({ role: '' }),
  () => [field(1, 'role', Kind.String)],
);

export type AuthRoleGetResponse = {
  header: ResponseHeader | undefined;
  perm: Permission[];
};

export const AuthRoleGetResponse: MessageType<AuthRoleGetResponse> = new MessageType(
  'etcdserverpb.AuthRoleGetResponse',
  () => ({ header: undefined, perm: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'perm', Kind.Message, { message: Permission, isRepeated: true }),
  ],
);

export type AuthRoleListRequest = Record<string, never>;

export const AuthRoleListRequest: MessageType<AuthRoleListRequest> = new MessageType(
  'etcdserverpb.AuthRoleListRequest',
  () => ({}),
  () => [],
);

export type AuthRoleListResponse = {
  header: ResponseHeader | undefined;
  roles: string[];
};

export const AuthRoleListResponse: MessageType<AuthRoleListResponse> = new MessageType(
  'etcdserverpb.AuthRoleListResponse',
  () => ({ header: undefined, roles: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'roles', Kind.String, { isRepeated: true }),
  ],
);

export type AuthRoleDeleteRequest = {
  role: string;
};

export const AuthRoleDeleteRequest: MessageType<AuthRoleDeleteRequest> = new MessageType(
  'etcdserverpb.AuthRoleDeleteRequest',
  () => ({ role: '' }),
  () => [field(1, 'role', Kind.String)],
);

export type AuthRoleDeleteResponse = {
  header: ResponseHeader | undefined;
};

export const AuthRoleDeleteResponse: MessageType<AuthRoleDeleteResponse> = new MessageType(
  'etcdserverpb.AuthRoleDeleteResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthRoleGrantPermissionRequest = {
  name: string;
  perm: Permission | undefined;
};

export const AuthRoleGrantPermissionRequest: MessageType<AuthRoleGrantPermissionRequest> =
  new MessageType(
    'etcdserverpb.AuthRoleGrantPermissionRequest',
    () => ({ name: '', perm: undefined }),
    () => [field(1, 'name', Kind.String), field(2, 'perm', Kind.Message, { message: Permission })],
  );

export type AuthRoleGrantPermissionResponse = {
  header: ResponseHeader | undefined;
};

export const AuthRoleGrantPermissionResponse: MessageType<AuthRoleGrantPermissionResponse> =
  new MessageType(
    'etcdserverpb.AuthRoleGrantPermissionResponse',
    () => ({ header: undefined }),
    () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
  );

export type AuthRoleRevokePermissionRequest = {
  role: string;
  key: Buffer;
  range_end: Buffer;
};

export const AuthRoleRevokePermissionRequest: MessageType<AuthRoleRevokePermissionRequest> =
  new MessageType(
    'etcdserverpb.AuthRoleRevokePermissionRequest',
    () => ({ role: '', key: NO_BYTES, range_end: NO_BYTES }),
    () => [
      field(1, 'role', Kind.String),
      field(2, 'key', Kind.Bytes),
      field(3, 'range_end', Kind.Bytes),
    ],
  );

export type AuthRoleRevokePermissionResponse = {
  header: ResponseHeader | undefined;
};

export const AuthRoleRevokePermissionResponse: MessageType<AuthRoleRevokePermissionResponse> =
  new MessageType(
    'etcdserverpb.AuthRoleRevokePermissionResponse',
    () => ({ header: undefined }),
    () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
  );
