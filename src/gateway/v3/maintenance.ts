/** etcd's Maintenance: what an operator asks of a member. */

import { ETCD_VERSION, GrpcCode } from '../../../include/gateway.ts';
import { NO_NODE } from '../../../include/node.ts';
import { ErrorCode, FrameType, type HashKvReply, KvorumError } from '../../../include/rpc.ts';
import { RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import { memberIdOf } from '../member-id.ts';
import type { NodeClient } from '../node-client.ts';
import type { Method } from '../protobuf/schema.ts';
import { MaintenanceService, type StatusResponse } from '../schema/maintenance.ts';
import { answerAlarm, errorsOf } from './alarms.ts';
import { nodeIdOf } from './cluster.ts';
import { answerSnapshot } from './snapshot.ts';

/** Milliseconds that a node has to hash its history: a minute or two for 30 GB. */
const HASH_TIMEOUT_MS = 600_000;

/** Adds the service. */
export function addMaintenance(methods: Methods, node: NodeClient): void {
  methods.answering(MaintenanceService.Status, () => statusResponse(node));
  methods.answering(MaintenanceService.Alarm, (request) => answerAlarm(node, request));
  // Space that is free is used again without any stop: there is nothing to do.
  methods.answering(MaintenanceService.Defragment, async () => ({ header: undefined }));
  // Of the history only: what lies beside it differs from member to member.
  methods.answering(MaintenanceService.Hash, async () => {
    const { hash, ...reply } = await hashKv(node, 0);
    return { header: node.header(reply), hash };
  });
  methods.answering(MaintenanceService.HashKV, async ({ revision }) => {
    const { hash, compactRevision, hashRevision, ...reply } = await hashKv(node, revision);
    const revisions = { compact_revision: compactRevision, hash_revision: hashRevision };
    return { header: node.header(reply), hash, ...revisions };
  });
  methods.answering(MaintenanceService.MoveLeader, async ({ targetID }) => {
    const status = await node.status();
    if (status.leader !== node.nodeId) throw new KvorumError(ErrorCode.NotLeader);
    const target = await nodeIdOf(node, targetID).catch(() => NO_NODE);
    if (target === NO_NODE) throw new KvorumError(ErrorCode.BadTransferee);
    await node.request({ type: FrameType.MoveLeader, body: { target } });
    return { header: undefined };
  });
  methods.unary(MaintenanceService.Snapshot, (_request, call) => answerSnapshot(node, call));
  methods.answering(MaintenanceService.Downgrade as Method, async () => {
    throw new RpcError(GrpcCode.Unimplemented, 'kvorum: there is no Downgrade yet');
  });
}

/** Asks the node itself, whose hash is meant. */
function hashKv(node: NodeClient, revision: number): Promise<HashKvReply> {
  return node.request({ type: FrameType.HashKv, body: { revision } }, HASH_TIMEOUT_MS);
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
