/** What is answered about alarms. Source: etcdctl 3.4 alarm, whose ids are decimal here. */

import { type Alarm, AlarmKind } from '../../../include/kvstore.ts';
import { printField, printHeaderFields } from './field-lines.ts';
import { type Json, unlessEmpty } from './json.ts';
import { headerJson } from './json-parts.ts';
import type { AlarmPrinter, Output } from './printer.ts';

const KIND_NAMES: ReadonlyMap<AlarmKind, string> = new Map([
  [AlarmKind.NoSpace, 'NOSPACE'],
  [AlarmKind.Corrupt, 'CORRUPT'],
]);

/** Makes the one of the simple format. */
export function createSimpleAlarmPrinter(output: Output): AlarmPrinter {
  return {
    alarms: ({ alarms }) => {
      for (const alarm of alarms) output(`${alarmText(alarm)}\n`);
    },
  };
}

/** Makes the one of the JSON format. */
export function createJsonAlarmPrinter(print: (value: Json) => void): AlarmPrinter {
  return {
    alarms: (reply) => {
      const alarms = reply.alarms.map(({ nodeId, kind }) => ({
        memberID: unlessEmpty(nodeId),
        alarm: kind,
      }));
      print({ header: headerJson(reply), alarms: unlessEmpty(alarms) });
    },
  };
}

/** Makes the one of the fields format. */
export function createFieldsAlarmPrinter(output: Output): AlarmPrinter {
  return {
    alarms: (reply) => {
      printHeaderFields(output, reply);
      for (const { nodeId, kind } of reply.alarms) {
        printField(output, 'MemberID', nodeId);
        printField(output, 'AlarmType', KIND_NAMES.get(kind) ?? kind);
        output('\n');
      }
    },
  };
}

/** An alarm as etcd says it, the blank at its end included. */
export function alarmText({ nodeId, kind }: Alarm): string {
  return `memberID:${nodeId} alarm:${KIND_NAMES.get(kind) ?? kind} `;
}
