/** What members tell their leader about themselves, on their links. Docs/PROTOCOL.md 10. */

import { FrameType, type MemberReport } from '../../include/rpc.ts';
import { putAlarmRequest, readAlarmRequest } from './alarm-codec.ts';
import { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { putHashReport, readHashReport } from './hash-codec.ts';

const body = new BodyReader();

/** Whether a frame of this type is a report. */
export function isReportType(type: number): type is MemberReport['type'] {
  return type === FrameType.AlarmSet || type === FrameType.HashReport;
}

/** Writes a report as one frame. */
export function writeReport(writer: FrameWriter, report: MemberReport): void {
  writer.begin(report.type, 0);
  if (report.type === FrameType.AlarmSet) putAlarmRequest(writer, report.body);
  else putHashReport(writer, report.body);
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
  const report =
    type === FrameType.AlarmSet
      ? { type, body: readAlarmRequest(body) }
      : { type, body: readHashReport(body) };
  body.close();
  return report;
}
