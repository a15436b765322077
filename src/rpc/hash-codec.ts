/** Hashes of the history of keys. Byte tables: docs/PROTOCOL.md 5, 6 and 10. */

import type { HashResult } from '../../include/kvstore.ts';
import type { HashKvReply, HashKvRequest, HashReport, ReplyHeader } from '../../include/rpc.ts';
import type { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Puts the body of a HASH_KV. */
export function putHashKvRequest(writer: FrameWriter, request: HashKvRequest): void {
  writer.i64(request.revision);
}

/** Reads the body of a HASH_KV. @throws KvorumError FrameMalformed */
export function readHashKvRequest(body: BodyReader): HashKvRequest {
  return { revision: body.i64('revision') };
}

/** Puts a reply to a HASH_KV after its header. */
export function putHashKvReply(writer: FrameWriter, reply: HashKvReply): void {
  putHash(writer, { ...reply, revision: reply.hashRevision });
}

/** Reads a reply to a HASH_KV after its header. @throws KvorumError FrameMalformed */
export function readHashKvReply(body: BodyReader, header: ReplyHeader): HashKvReply {
  const { revision: hashRevision, compactRevision, hash } = readHash(body);
  return { ...header, hashRevision, compactRevision, hash };
}

/** Puts the body of a HASH_REPORT. */
export function putHashReport(writer: FrameWriter, report: HashReport): void {
  writer.u64(report.index);
  putHash(writer, report);
}

/** Reads the body of a HASH_REPORT. @throws KvorumError FrameMalformed */
export function readHashReport(body: BodyReader): HashReport {
  const index = body.u64('index');
  return { index, ...readHash(body) };
}

function putHash(writer: FrameWriter, { revision, compactRevision, hash }: HashResult): void {
  writer.u64(revision);
  writer.i64(compactRevision);
  writer.u32(hash);
}

function readHash(body: BodyReader): HashResult {
  const revision = body.u64('hash revision');
  const compactRevision = body.i64('compact revision');
  const hash = body.u32('hash');
  return { revision, compactRevision, hash };
}
