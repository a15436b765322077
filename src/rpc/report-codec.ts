/** What members tell their leader about themselves, on their links. Docs/PROTOCOL.md 10. */

import { FrameType, type MemberReport } from '../../include/rpc.ts';
import { putAlarmRequest, readAlarmRequest } from './alarm-codec.ts';
import { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const body = new BodyReader();

/** Whether a frame of this type is a report. */
export function isReportType(type: number): type is MemberReport['type'] {
  return type === FrameType.AlarmSet;
}

/** Writes a report as one frame. */
export function writeReport(writer: FrameWriter, report: MemberReport): void {
  writer.begin(report.type, 0);
  putAlarmRequest(writer, report.body);
  writer.end();
}

/** Reads a report. @throws KvorumError FrameMalformed */
export function decodeReport(
  type: MemberReport['type'],
  buffer: Buffer,
  start: number,
  end: number,
): MemberReport {
  body.open(buffer, start, end);
  const report = { type, body: readAlarmRequest(body) };
  body.close();
  return report;
}
