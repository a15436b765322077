/** etcd's alarms: what is wrong with members. */

import { type Alarm, AlarmAction, AlarmKind } from '../../../include/kvstore.ts';
import { NO_NODE, type NodeStatus } from '../../../include/node.ts';
import { type AlarmsReply, ErrorCode, FrameType, KvorumError } from '../../../include/rpc.ts';
import { memberIdOf } from '../member-id.ts';
import type { NodeClient } from '../node-client.ts';
import type { AlarmRequest, AlarmResponse } from '../schema/maintenance.ts';
import { nodeIdOf } from './cluster.ts';

/** Stands for any kind of alarm. */
const ANY_KIND = 0;

/** The alarms as etcd names them. */
export const ALARM_NAMES: ReadonlyMap<AlarmKind, string> = new Map([
  [AlarmKind.NoSpace, 'NOSPACE'],
  [AlarmKind.Corrupt, 'CORRUPT'],
]);

/** Lists alarms, or raises or disarms one. What etcd does not know is answered with none. */
export async function answerAlarm(
  node: NodeClient,
  { action, memberID, alarm }: AlarmRequest,
): Promise<AlarmResponse> {
  const kind = [...ALARM_NAMES.keys()].find((each) => each === alarm);
  const isChange = action === AlarmAction.Raise || action === AlarmAction.Disarm;
  if (!isChange) {
    const reply = await node.request({ type: FrameType.AlarmList });
    const isMeant = (each: Alarm): boolean => alarm === ANY_KIND || each.kind === alarm;
    return alarmResponse(node, { ...reply, alarms: reply.alarms.filter(isMeant) });
  }
  const nodeId = await nodeIdOf(node, memberID).catch(() => NO_NODE);
  if (kind === undefined || (nodeId === NO_NODE && action === AlarmAction.Disarm)) {
    return alarmResponse(node, { ...(await node.status()), alarms: [] });
  }
  if (nodeId === NO_NODE) throw new KvorumError(ErrorCode.MemberNotFound);
  const body = { action, nodeId, kind };
  return alarmResponse(node, await node.request({ type: FrameType.AlarmSet, body }));
}

function alarmResponse(
  node: NodeClient,
  reply: Pick<AlarmsReply, 'revision' | 'term' | 'alarms'>,
): AlarmResponse {
  const alarms = reply.alarms.map(({ nodeId, kind }) => ({
    memberID: memberIdOf(node.clusterId, nodeId),
    alarm: kind,
  }));
  return { header: node.header(reply), alarms };
}

/** What is wrong, in etcd's words. */
export function errorsOf(node: NodeClient, { leader, alarms }: NodeStatus): string[] {
  const noLeader = leader === NO_NODE ? [new KvorumError(ErrorCode.NoLeader).message] : [];
  const raised = alarms.map(
    ({ nodeId, kind }) =>
      `memberID:${memberIdOf(node.clusterId, nodeId)} alarm:${ALARM_NAMES.get(kind)} `,
  );
  return [...noLeader, ...raised];
}
