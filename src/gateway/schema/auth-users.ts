/**
 * Requests and answers about users.
 * Made from proto/auth-users.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType } from '../protobuf/schema.ts';
import { UserAddOptions } from './authpb.ts';
import { ResponseHeader } from './header.ts';

export type AuthUserAddRequest = {
  name: string;
  password: string;
  options: UserAddOptions | undefined;
  hashedPassword: string;
};

export const AuthUserAddRequest: MessageType<AuthUserAddRequest> = new MessageType(
  'etcdserverpb.AuthUserAddRequest',
  () => ({ name: '', password: '', options: undefined, hashedPassword: '' }),
  () => [
    field(1, 'name', Kind.String),
    field(2, 'password', Kind.String),
    field(3, 'options', Kind.Message, { message: UserAddOptions }),
    field(4, 'hashedPassword', Kind.String),
  ],
);

export type AuthUserAddResponse = {
  header: ResponseHeader | undefined;
};

export const AuthUserAddResponse: MessageType<AuthUserAddResponse> = new MessageType(
  'etcdserverpb.AuthUserAddResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthUserGetRequest = {
  name: string;
};

export const AuthUserGetRequest: MessageType<AuthUserGetRequest> = new MessageType(
  'etcdserverpb.AuthUserGetRequest',
  () => ({ name: '' }),
  () => [field(1, 'name', Kind.String)],
);

export type AuthUserGetResponse = {
  header: ResponseHeader | undefined;
  roles: string[];
};

export const AuthUserGetResponse: MessageType<AuthUserGetResponse> = new MessageType(
  'etcdserverpb.AuthUserGetResponse',
  () => ({ header: undefined, roles: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'roles', Kind.String, { isRepeated: true }),
  ],
);

export type AuthUserListRequest = Record<string, never>;

export const AuthUserListRequest: MessageType<AuthUserListRequest> = new MessageType(
  'etcdserverpb.AuthUserListRequest',
  () => ({}),
  () => [],
);

export type AuthUserListResponse = {
  header: ResponseHeader | undefined;
  users: string[];
};

export const AuthUserListResponse: MessageType<AuthUserListResponse> = new MessageType(
  'etcdserverpb.AuthUserListResponse',
  () => ({ header: undefined, users: [] }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'users', Kind.String, { isRepeated: true }),
  ],
);

export type AuthUserDeleteRequest = {
  name: string;
};

export const AuthUserDeleteRequest: MessageType<AuthUserDeleteRequest> = new MessageType(
  'etcdserverpb.AuthUserDeleteRequest',
  () => ({ name: '' }),
  () => [field(1, 'name', Kind.String)],
);

export type AuthUserDeleteResponse = {
  header: ResponseHeader | undefined;
};

export const AuthUserDeleteResponse: MessageType<AuthUserDeleteResponse> = new MessageType(
  'etcdserverpb.AuthUserDeleteResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthUserChangePasswordRequest = {
  name: string;
  password: string;
  hashedPassword: string;
};

export const AuthUserChangePasswordRequest: MessageType<AuthUserChangePasswordRequest> =
  new MessageType(
    'etcdserverpb.AuthUserChangePasswordRequest',
    () => ({ name: '', password: '', hashedPassword: '' }),
    () => [
      field(1, 'name', Kind.String),
      field(2, 'password', Kind.String),
      field(3, 'hashedPassword', Kind.String),
    ],
  );

export type AuthUserChangePasswordResponse = {
  header: ResponseHeader | undefined;
};

export const AuthUserChangePasswordResponse: MessageType<AuthUserChangePasswordResponse> =
  new MessageType(
    'etcdserverpb.AuthUserChangePasswordResponse',
    () => ({ header: undefined }),
    () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
  );

export type AuthUserGrantRoleRequest = {
  user: string;
  role: string;
};

export const AuthUserGrantRoleRequest: MessageType<AuthUserGrantRoleRequest> = new MessageType(
  'etcdserverpb.AuthUserGrantRoleRequest',
  () => ({ user: '', role: '' }),
  () => [field(1, 'user', Kind.String), field(2, 'role', Kind.String)],
);

export type AuthUserGrantRoleResponse = {
  header: ResponseHeader | undefined;
};

export const AuthUserGrantRoleResponse: MessageType<AuthUserGrantRoleResponse> = new MessageType(
  'etcdserverpb.AuthUserGrantRoleResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthUserRevokeRoleRequest = {
  name: string;
  role: string;
};

export const AuthUserRevokeRoleRequest: MessageType<AuthUserRevokeRoleRequest> = new MessageType(
  'etcdserverpb.AuthUserRevokeRoleRequest',
  () => ({ name: '', role: '' }),
  () => [field(1, 'name', Kind.String), field(2, 'role', Kind.String)],
);

export type AuthUserRevokeRoleResponse = {
  header: ResponseHeader | undefined;
};

export const AuthUserRevokeRoleResponse: MessageType<AuthUserRevokeRoleResponse> = new MessageType(
  'etcdserverpb.AuthUserRevokeRoleResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);
