/** etcd's Cluster: who the members are. */

import { GrpcCode } from '../../../include/gateway.ts';
import { RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import { memberIdOf } from '../member-id.ts';
import type { NodeClient } from '../node-client.ts';
import type { Method } from '../protobuf/schema.ts';
import { ClusterService, type Member } from '../schema/cluster.ts';

/** A member as its cluster knows it. */
export type MemberRecord = {
  readonly id: number;
  readonly name: string;
  /** `host:port` of its native port. */
  readonly endpoint: string;
  /** `host:port` of its gateway; undefined if it has none. */
  readonly clientEndpoint: string | undefined;
  readonly isLearner: boolean;
};

/** Adds the service. */
export function addCluster(
  methods: Methods,
  node: NodeClient,
  records: readonly MemberRecord[],
): void {
  methods.answering(ClusterService.MemberList, async () => {
    const header = { ...node.header(await node.status()), revision: 0 };
    return { header, members: membersOf(node.clusterId, records) };
  });
  methods.answering(ClusterService.MemberAdd, async () => {
    throw new RpcError(GrpcCode.Unimplemented, 'kvorum: the members do not change yet');
  });
  const { MemberRemove, MemberUpdate, MemberPromote } = ClusterService;
  for (const method of [MemberRemove, MemberUpdate, MemberPromote]) {
    methods.answering(method as Method<{ ID: bigint }>, async ({ ID: id }) => {
      if (!membersOf(node.clusterId, records).some((member) => member.ID === id)) {
        throw new RpcError(GrpcCode.NotFound, 'etcdserver: member not found');
      }
      throw new RpcError(GrpcCode.Unimplemented, 'kvorum: the members do not change yet');
    });
  }
}

/** Members as etcd says them, ascending by id. */
export function membersOf(clusterId: bigint, records: readonly MemberRecord[]): Member[] {
  return records
    .map(({ id, name, endpoint, clientEndpoint, isLearner }) => ({
      ID: memberIdOf(clusterId, id),
      name,
      peerURLs: [`http://${endpoint}`],
      clientURLs: clientEndpoint === undefined ? [] : [`http://${clientEndpoint}`],
      isLearner,
    }))
    .sort((a, b) => (a.ID < b.ID ? -1 : 1));
}
