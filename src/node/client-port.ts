/**
 * Native clients at a node: their frames become requests, the member's answers become frames.
 *
 * What a client sends can end its own connection at most: the connection turns a KvorumError thrown
 * here into an answer or a refusal.
 */

import { ErrorCode, FrameType, KvorumError } from '../../include/rpc.ts';
import type { Connection } from '../rpc/connection.ts';
import { writeError, writeRedirect } from '../rpc/connection-codec.ts';
import { writeReply } from '../rpc/reply-codec.ts';
import {
  commandFromFrame,
  decodeCommand,
  decodeMoveLeader,
  decodeRange,
  decodeStatus,
} from '../rpc/request-codec.ts';
import type { Asker } from './asker.ts';
import { requestMoveLeader, requestRange, requestStatus, requestWrite } from './client-requests.ts';
import type { Member } from './member.ts';

/** Serves a client's connection from here on. */
export function serveClient(member: Member, connection: Connection): void {
  const asker = createAsker(connection);
  connection.onFrame = (_connection, type, id, buffer, start, end) => {
    switch (type) {
      case FrameType.Put:
      case FrameType.DeleteRange:
      case FrameType.Compact: {
        const data = commandFromFrame(type, buffer, start, end);
        return requestWrite(member, asker, id, data, decodeCommand(data));
      }
      case FrameType.Range: {
        // The read outlives the frame: key and end are copied out.
        const range = decodeRange(buffer, start, end);
        const kept = {
          ...range,
          key: Buffer.from(range.key),
          rangeEnd: Buffer.from(range.rangeEnd),
        };
        return requestRange(member, asker, id, kept);
      }
      case FrameType.Status:
        decodeStatus(buffer, start, end);
        return requestStatus(member, asker, id);
      case FrameType.MoveLeader: {
        const { target } = decodeMoveLeader(buffer, start, end);
        return requestMoveLeader(member, asker, id, target);
      }
      default:
        throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} is no request`);
    }
  };
}

/** Answers on the connection the request came by; harmless when that is gone. */
function createAsker(connection: Connection): Asker {
  const { writer } = connection;
  return {
    answer: (id, reply) => {
      try {
        writeReply(writer, id, reply);
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
        writeError(writer, id, error.code, error.message);
      }
    },
    refuse: (id, code, detail) =>
      writeError(writer, id, code, detail ?? new KvorumError(code).message),
    redirect: (id, to) => writeRedirect(writer, id, to),
  };
}
