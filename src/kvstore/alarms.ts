/** Alarms raised and disarmed (include/alarms.ts). */

import { AlarmAction, type AlarmRequest, type AlarmResult } from '../../include/kvstore.ts';
import type { Configuration, NodeId } from '../../include/raft.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { saveAlarms } from './alarm-record.ts';
import type { StoreState } from './store-state.ts';

/** Applies a request. Who is a member, the entry before it says. */
export function setAlarm(state: StoreState, request: AlarmRequest): AlarmResult | ErrorCode {
  state.hasOpenEffects = true;
  const { action, nodeId, kind } = request;
  const { revision, applied } = state;
  const others = state.alarms.filter((alarm) => alarm.nodeId !== nodeId || alarm.kind !== kind);
  const isRaised = others.length < state.alarms.length;
  if (action === AlarmAction.Disarm) {
    if (!isRaised) return { revision, alarms: [] };
    state.alarms = others;
  } else {
    if (!isMember(applied.configuration, nodeId)) return ErrorCode.MemberNotFound;
    state.alarms = [...others, { nodeId, kind }].sort(
      (a, b) => a.nodeId - b.nodeId || a.kind - b.kind,
    );
  }
  saveAlarms(state.map, state.alarms);
  return { revision, alarms: [{ nodeId, kind }] };
}

function isMember({ voters, outgoing, learners }: Configuration, nodeId: NodeId): boolean {
  return [voters, outgoing, learners].some((ids) => ids.includes(nodeId));
}
