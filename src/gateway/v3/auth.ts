/** etcd's Auth, as of a server whose authentication is off and that has no users and roles. */

import { GrpcCode } from '../../../include/gateway.ts';
import { RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import type { NodeClient } from '../node-client.ts';
import type { Method } from '../protobuf/schema.ts';
import { AuthService } from '../schema/auth.ts';
import type { ResponseHeader } from '../schema/header.ts';

/** What etcd counts before anything was changed. */
const AUTH_REVISION = 1;

/** Adds the service. */
export function addAuth(methods: Methods, node: NodeClient): void {
  const header = async (): Promise<ResponseHeader> => node.header(await node.status());
  const refuse = <Q, S>(method: Method<Q, S>, message: string): void => {
    methods.answering(method, async () => {
      throw new RpcError(GrpcCode.FailedPrecondition, message);
    });
  };
  methods.answering(AuthService.AuthStatus, async () => ({
    header: await header(),
    enabled: false,
    authRevision: AUTH_REVISION,
  }));
  methods.answering(AuthService.AuthDisable, async () => ({ header: await header() }));
  methods.answering(AuthService.UserList, async () => ({ header: await header(), users: [] }));
  methods.answering(AuthService.RoleList, async () => ({ header: await header(), roles: [] }));
  refuse(AuthService.AuthEnable, 'etcdserver: root user does not exist');
  refuse(AuthService.Authenticate, 'etcdserver: authentication is not enabled');
  for (const method of [
    ...[AuthService.UserGet, AuthService.UserDelete, AuthService.UserChangePassword],
    ...[AuthService.UserGrantRole, AuthService.UserRevokeRole],
  ]) {
    refuse(method as Method, 'etcdserver: user name not found');
  }
  for (const method of [
    ...[AuthService.RoleGet, AuthService.RoleDelete, AuthService.RoleGrantPermission],
    ...[AuthService.RoleRevokePermission],
  ]) {
    refuse(method as Method, 'etcdserver: role name not found');
  }
  for (const method of [AuthService.UserAdd, AuthService.RoleAdd]) {
    methods.answering(method as Method, async () => {
      throw new RpcError(GrpcCode.Unimplemented, 'kvorum: there are no users and roles yet');
    });
  }
}
