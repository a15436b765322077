/** Alarms, and what is done to one. Byte tables: docs/PROTOCOL.md 5 and 6. */

import { type Alarm, AlarmAction, AlarmKind, type AlarmRequest } from '../../include/kvstore.ts';
import type { AlarmsReply, ReplyHeader } from '../../include/rpc.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Bytes of an alarm: node, kind. */
const ALARM_BYTES = 5;

/** Puts the body of an ALARM_SET. */
export function putAlarmRequest(writer: FrameWriter, request: AlarmRequest): void {
  writer.u8(request.action);
  putAlarm(writer, request);
}

/** Reads the body of an ALARM_SET. @throws KvorumError FrameMalformed */
export function readAlarmRequest(body: BodyReader): AlarmRequest {
  const action = body.u8('action');
  if (action !== AlarmAction.Raise && action !== AlarmAction.Disarm) {
    throw malformed('action', `${action} is unknown`);
  }
  return { action, ...readAlarm(body) };
}

/** Puts alarms: the reply to an ALARM_LIST or ALARM_SET after its header. */
export function putAlarms(writer: FrameWriter, alarms: readonly Alarm[]): void {
  writer.u32(alarms.length);
  for (const alarm of alarms) putAlarm(writer, alarm);
}

/** Reads alarms. @throws KvorumError FrameMalformed */
export function readAlarms(body: BodyReader): Alarm[] {
  const count = body.count('alarms', ALARM_BYTES);
  const alarms: Alarm[] = [];
  for (let slot = 0; slot < count; slot += 1) alarms.push(readAlarm(body));
  return alarms;
}

/** Reads a reply to an ALARM_LIST or ALARM_SET after its header. @throws KvorumError */
export function readAlarmsReply(body: BodyReader, header: ReplyHeader): AlarmsReply {
  return { ...header, alarms: readAlarms(body) };
}

function putAlarm(writer: FrameWriter, { nodeId, kind }: Alarm): void {
  writer.node(nodeId);
  writer.u8(kind);
}

function readAlarm(body: BodyReader): Alarm {
  const nodeId = body.node('node id');
  const kind = body.u8('kind');
  if (kind !== AlarmKind.NoSpace && kind !== AlarmKind.Corrupt) {
    throw malformed('kind', `${kind} is unknown`);
  }
  return { nodeId, kind };
}
