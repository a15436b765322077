/** etcd's Maintenance: what an operator asks of a member. */

import { ETCD_VERSION, GrpcCode } from '../../../include/gateway.ts';
import { NO_NODE } from '../../../include/node.ts';
import { ErrorCode, FrameType, KvorumError } from '../../../include/rpc.ts';
import { RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import { memberIdOf } from '../member-id.ts';
import type { NodeClient } from '../node-client.ts';
import type { Method } from '../protobuf/schema.ts';
import { MaintenanceService, type StatusResponse } from '../schema/maintenance.ts';
import { answerAlarm, errorsOf } from './alarms.ts';
import { nodeIdOf } from './cluster.ts';
import { answerSnapshot } from './snapshot.ts';

/** Adds the service. */
export function addMaintenance(methods: Methods, node: NodeClient): void {
  methods.answering(MaintenanceService.Status, () => statusResponse(node));
  methods.answering(MaintenanceService.Alarm, (request) => answerAlarm(node, request));
  // Space that is free is used again without any stop: there is nothing to do.
  methods.answering(MaintenanceService.Defragment, async () => ({ header: undefined }));
  methods.answering(MaintenanceService.MoveLeader, async ({ targetID }) => {
    const status = await node.status();
    if (status.leader !== node.nodeId) throw new KvorumError(ErrorCode.NotLeader);
    const target = await nodeIdOf(node, targetID).catch(() => NO_NODE);
    if (target === NO_NODE) throw new KvorumError(ErrorCode.BadTransferee);
    await node.request({ type: FrameType.MoveLeader, body: { target } });
    return { header: undefined };
  });
  methods.unary(MaintenanceService.Snapshot, (_request, call) => answerSnapshot(node, call));
  for (const method of [
    ...[MaintenanceService.Hash, MaintenanceService.HashKV],
    MaintenanceService.Downgrade,
  ]) {
    methods.answering(method as Method, async () => {
      throw new RpcError(GrpcCode.Unimplemented, `kvorum: there is no ${method.name} yet`);
    });
  }
}

async function statusResponse(node: NodeClient): Promise<StatusResponse> {
  const status = await node.status();
  return {
    header: node.header(status),
    version: ETCD_VERSION,
    dbSize: status.dbSizeBytes,
    leader: memberIdOf(node.clusterId, status.leader),
    raftIndex: status.commitIndex,
    raftTerm: status.term,
    raftAppliedIndex: status.appliedIndex,
    errors: errorsOf(node, status),
    dbSizeInUse: status.dbSizeInUseBytes,
    isLearner: status.isLearner,
    storageVersion: ETCD_VERSION,
    dbSizeQuota: status.quotaBytes,
    downgradeInfo: { enabled: false, targetVersion: '' },
  };
}
