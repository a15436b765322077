/**
 * Users, roles and permissions.
 * Made from proto/auth.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import {
  AuthRoleAddRequest,
  AuthRoleAddResponse,
  AuthRoleDeleteRequest,
  AuthRoleDeleteResponse,
  AuthRoleGetRequest,
  AuthRoleGetResponse,
  AuthRoleGrantPermissionRequest,
  AuthRoleGrantPermissionResponse,
  AuthRoleListRequest,
  AuthRoleListResponse,
  AuthRoleRevokePermissionRequest,
  AuthRoleRevokePermissionResponse,
} from './auth-roles.ts';
import {
  AuthUserAddRequest,
  AuthUserAddResponse,
  AuthUserChangePasswordRequest,
  AuthUserChangePasswordResponse,
  AuthUserDeleteRequest,
  AuthUserDeleteResponse,
  AuthUserGetRequest,
  AuthUserGetResponse,
  AuthUserGrantRoleRequest,
  AuthUserGrantRoleResponse,
  AuthUserListRequest,
  AuthUserListResponse,
  AuthUserRevokeRoleRequest,
  AuthUserRevokeRoleResponse,
} from './auth-users.ts';
import { ResponseHeader } from './header.ts';

export type AuthEnableRequest = Record<string, never>;

export const AuthEnableRequest: MessageType<AuthEnableRequest> = new MessageType(
  'etcdserverpb.AuthEnableRequest',
  () => ({}),
  () => [],
);

export type AuthEnableResponse = {
  header: ResponseHeader | undefined;
};

export const AuthEnableResponse: MessageType<AuthEnableResponse> = new MessageType(
  'etcdserverpb.AuthEnableResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthDisableRequest = Record<string, never>;

export const AuthDisableRequest: MessageType<AuthDisableRequest> = new MessageType(
  'etcdserverpb.AuthDisableRequest',
  () => ({}),
  () => [],
);

export type AuthDisableResponse = {
  header: ResponseHeader | undefined;
};

export const AuthDisableResponse: MessageType<AuthDisableResponse> = new MessageType(
  'etcdserverpb.AuthDisableResponse',
  () => ({ header: undefined }),
  () => [field(1, 'header', Kind.Message, { message: ResponseHeader })],
);

export type AuthStatusRequest = Record<string, never>;

export const AuthStatusRequest: MessageType<AuthStatusRequest> = new MessageType(
  'etcdserverpb.AuthStatusRequest',
  () => ({}),
  () => [],
);

export type AuthStatusResponse = {
  header: ResponseHeader | undefined;
  enabled: boolean;
  authRevision: number;
};

export const AuthStatusResponse: MessageType<AuthStatusResponse> = new MessageType(
  'etcdserverpb.AuthStatusResponse',
  () => ({ header: undefined, enabled: false, authRevision: 0 }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'enabled', Kind.Bool),
    field(3, 'authRevision', Kind.Uint64Number),
  ],
);

export type AuthenticateRequest = {
  name: string;
  password: string;
};

export const AuthenticateRequest: MessageType<AuthenticateRequest> = new MessageType(
  'etcdserverpb.AuthenticateRequest',
  () => ({ name: '', password: '' }),
  () => [field(1, 'name', Kind.String), field(2, 'password', Kind.String)],
);

export type AuthenticateResponse = {
  header: ResponseHeader | undefined;
  token: string;
};

export const AuthenticateResponse: MessageType<AuthenticateResponse> = new MessageType(
  'etcdserverpb.AuthenticateResponse',
  () => ({ header: undefined, token: '' }),
  () => [
    field(1, 'header', Kind.Message, { message: ResponseHeader }),
    field(2, 'token', Kind.String),
  ],
);

export const AuthService: {
  readonly AuthEnable: Method<AuthEnableRequest, AuthEnableResponse>;
  readonly AuthDisable: Method<AuthDisableRequest, AuthDisableResponse>;
  readonly AuthStatus: Method<AuthStatusRequest, AuthStatusResponse>;
  readonly Authenticate: Method<AuthenticateRequest, AuthenticateResponse>;
  readonly UserAdd: Method<AuthUserAddRequest, AuthUserAddResponse>;
  readonly UserGet: Method<AuthUserGetRequest, AuthUserGetResponse>;
  readonly UserList: Method<AuthUserListRequest, AuthUserListResponse>;
  readonly UserDelete: Method<AuthUserDeleteRequest, AuthUserDeleteResponse>;
  readonly UserChangePassword: Method<
    AuthUserChangePasswordRequest,
    AuthUserChangePasswordResponse
  >;
  readonly UserGrantRole: Method<AuthUserGrantRoleRequest, AuthUserGrantRoleResponse>;
  readonly UserRevokeRole: Method<AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse>;
  readonly RoleAdd: Method<AuthRoleAddRequest, AuthRoleAddResponse>;
  readonly RoleGet: Method<AuthRoleGetRequest, AuthRoleGetResponse>;
  readonly RoleList: Method<AuthRoleListRequest, AuthRoleListResponse>;
  readonly RoleDelete: Method<AuthRoleDeleteRequest, AuthRoleDeleteResponse>;
  readonly RoleGrantPermission: Method<
    AuthRoleGrantPermissionRequest,
    AuthRoleGrantPermissionResponse
  >;
  readonly RoleRevokePermission: Method<
    AuthRoleRevokePermissionRequest,
    AuthRoleRevokePermissionResponse
  >;
} = {
  AuthEnable: {
    service: 'etcdserverpb.Auth',
    name: 'AuthEnable',
    request: AuthEnableRequest,
    response: AuthEnableResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/enable'],
  },
  AuthDisable: {
    service: 'etcdserverpb.Auth',
    name: 'AuthDisable',
    request: AuthDisableRequest,
    response: AuthDisableResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/disable'],
  },
  AuthStatus: {
    service: 'etcdserverpb.Auth',
    name: 'AuthStatus',
    request: AuthStatusRequest,
    response: AuthStatusResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/status'],
  },
  Authenticate: {
    service: 'etcdserverpb.Auth',
    name: 'Authenticate',
    request: AuthenticateRequest,
    response: AuthenticateResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/authenticate'],
  },
  UserAdd: {
    service: 'etcdserverpb.Auth',
    name: 'UserAdd',
    request: AuthUserAddRequest,
    response: AuthUserAddResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/add'],
  },
  UserGet: {
    service: 'etcdserverpb.Auth',
    name: 'UserGet',
    request: AuthUserGetRequest,
    response: AuthUserGetResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/get'],
  },
  UserList: {
    service: 'etcdserverpb.Auth',
    name: 'UserList',
    request: AuthUserListRequest,
    response: AuthUserListResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/list'],
  },
  UserDelete: {
    service: 'etcdserverpb.Auth',
    name: 'UserDelete',
    request: AuthUserDeleteRequest,
    response: AuthUserDeleteResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/delete'],
  },
  UserChangePassword: {
    service: 'etcdserverpb.Auth',
    name: 'UserChangePassword',
    request: AuthUserChangePasswordRequest,
    response: AuthUserChangePasswordResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/changepw'],
  },
  UserGrantRole: {
    service: 'etcdserverpb.Auth',
    name: 'UserGrantRole',
    request: AuthUserGrantRoleRequest,
    response: AuthUserGrantRoleResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/grant'],
  },
  UserRevokeRole: {
    service: 'etcdserverpb.Auth',
    name: 'UserRevokeRole',
    request: AuthUserRevokeRoleRequest,
    response: AuthUserRevokeRoleResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/user/revoke'],
  },
  RoleAdd: {
    service: 'etcdserverpb.Auth',
    name: 'RoleAdd',
    request: AuthRoleAddRequest,
    response: AuthRoleAddResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/role/add'],
  },
  RoleGet: {
    service: 'etcdserverpb.Auth',
    name: 'RoleGet',
    request: AuthRoleGetRequest,
    response: AuthRoleGetResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/role/get'],
  },
  RoleList: {
    service: 'etcdserverpb.Auth',
    name: 'RoleList',
    request: AuthRoleListRequest,
    response: AuthRoleListResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/role/list'],
  },
  RoleDelete: {
    service: 'etcdserverpb.Auth',
    name: 'RoleDelete',
    request: AuthRoleDeleteRequest,
    response: AuthRoleDeleteResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/role/delete'],
  },
  RoleGrantPermission: {
    service: 'etcdserverpb.Auth',
    name: 'RoleGrantPermission',
    request: AuthRoleGrantPermissionRequest,
    response: AuthRoleGrantPermissionResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/role/grant'],
  },
  RoleRevokePermission: {
    service: 'etcdserverpb.Auth',
    name: 'RoleRevokePermission',
    request: AuthRoleRevokePermissionRequest,
    response: AuthRoleRevokePermissionResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: ['/v3/auth/role/revoke'],
  },
};
