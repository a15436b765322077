/**
 * Native clients at a node: their frames become requests, the member's answers become frames.
 *
 * What a client sends can end its own connection at most: the connection turns a KvorumError thrown
 * here into an answer or a refusal.
 */

import { WATCH_QUEUED_BYTES_MAX, type WatchSink } from '../../include/kvstore.ts';
import { ErrorCode, FrameType, KvorumError, type Request } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { isReadOnly } from '../kvstore/check-request.ts';
import { commandFromFrame, decodeWrite, isWriteType } from '../rpc/command-codec.ts';
import type { Connection } from '../rpc/connection.ts';
import { writeError, writeRedirect } from '../rpc/connection-codec.ts';
import { WATCHER_LIMITS } from '../rpc/connection-limits.ts';
import { isLargeReply, LargeReply } from '../rpc/large-reply.ts';
import { writeReply } from '../rpc/reply-codec.ts';
import { decodeRequest } from '../rpc/request-codec.ts';
import { writeSnapshotChunk } from '../rpc/snapshot-codec.ts';
import { writeWatchCancelled, writeWatchEvents, writeWatchNote } from '../rpc/watch-codec.ts';
import type { Asker } from './asker.ts';
import {
  refuseWhileInstalling,
  requestHash,
  requestLeaseList,
  requestLogLevel,
  requestMemberChange,
  requestMetrics,
  requestMoveLeader,
  requestRead,
  requestStatus,
  requestWrite,
} from './client-requests.ts';
import { ClientWatches } from './client-watches.ts';
import type { Member } from './member.ts';
import type { SnapshotSink } from './snapshot-exports.ts';

/** Serves a client's connection from here on. */
export function serveClient(member: Member, connection: Connection): void {
  const asker = createAsker(member, connection);
  const watches = serveWatches(member, connection);
  connection.onFrame = (_connection, type, id, buffer, start, end) => {
    if (isWriteType(type)) {
      const data = commandFromFrame(type, buffer, start, end);
      const command = decodeWrite(data);
      const isRead = command.type === FrameType.Txn && isReadOnly(command.body);
      if (isRead) requestRead(member, asker, id, command);
      else requestWrite(member, asker, id, data, command);
    } else {
      if (type === FrameType.WatchCreate) connection.setLimits(WATCHER_LIMITS);
      // What is asked outlives the frame: its bytes are copied out.
      const body = Buffer.from(buffer.subarray(start, end));
      serveRequest(
        member,
        connection,
        asker,
        watches,
        id,
        decodeRequest(type, body, 0, body.length),
      );
    }
  };
}

/** Serves what is no write. */
function serveRequest(
  member: Member,
  connection: Connection,
  asker: Asker,
  watches: ClientWatches,
  id: number,
  request: Request,
): void {
  switch (request.type) {
    case FrameType.Range:
    case FrameType.LeaseKeepAlive:
    case FrameType.LeaseTimeToLive:
    case FrameType.AlarmList:
    case FrameType.MemberList:
      return requestRead(member, asker, id, request);
    case FrameType.WatchCreate:
    case FrameType.WatchCancel:
    case FrameType.WatchProgress:
      return watches.request(asker, id, request);
    case FrameType.LeaseList:
      return requestLeaseList(member, asker, id);
    case FrameType.HashKv:
      return requestHash(member, asker, id, request.body.revision);
    case FrameType.Status:
      return requestStatus(member, asker, id);
    case FrameType.SnapshotSave:
      return serveSnapshot(member, connection, asker, id);
    case FrameType.Metrics:
      return requestMetrics(member, asker, id);
    case FrameType.LogLevel:
      return requestLogLevel(member, asker, id, request.body.level);
    case FrameType.MoveLeader:
      return requestMoveLeader(member, asker, id, request.body.target);
    case FrameType.MemberChange:
      return requestMemberChange(member, asker, id, request.body);
    default:
      assert(false, 'a write is not served here', request.type);
  }
}

/** Streams the state as frames of the request's id, and the reply behind them. */
function serveSnapshot(member: Member, connection: Connection, asker: Asker, id: number): void {
  if (member.isStopped) return asker.refuse(id, ErrorCode.Stopped, undefined);
  if (member.isInstalling) return refuseWhileInstalling(asker, id);
  const sink: SnapshotSink = {
    isClosed: () => connection.isClosed,
    queuedBytes: () => connection.queuedBytes,
    chunk: (chunk) => writeSnapshotChunk(connection.writer, id, chunk),
    end: (totals, revision) => {
      const body = { ...member.header(revision), ...totals };
      asker.answer(id, { type: FrameType.SnapshotSave, body });
    },
  };
  member.serving.snapshots.stream(sink).catch((cause: unknown) => {
    if (cause instanceof KvorumError) asker.refuse(id, cause.code, cause.message);
    else connection.close();
  });
}

/** Answers on the connection the request came by; harmless when that is gone. */
function createAsker(member: Member, connection: Connection): Asker {
  const { writer } = connection;
  return {
    answer: (id, reply) => {
      if (reply.type === FrameType.Range && isLargeReply(reply.body)) {
        const large = new LargeReply(connection, id, reply.body);
        return member.serving.addSteps(() => large.step());
      }
      try {
        writeReply(writer, id, reply);
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
        writeError(writer, id, error.code, error.message);
      }
    },
    refuse: (id, code, detail) => {
      if (code === ErrorCode.TooManyRequests) member.metrics.refusedRequests += 1;
      writeError(writer, id, code, detail ?? new KvorumError(code).message);
    },
    redirect: (id, to) => writeRedirect(writer, id, to),
  };
}

/** Tells on the connection what its watches see, as long as the client reads. */
function serveWatches(member: Member, connection: Connection): ClientWatches {
  const { writer } = connection;
  let isHeldBack = false;
  const sink: WatchSink = {
    isFull: () => {
      if (connection.queuedBytes < WATCH_QUEUED_BYTES_MAX) return false;
      isHeldBack = true;
      return true;
    },
    events: (watchId, batch) => {
      member.metrics.watchEvents += batch.events.length;
      writeWatchEvents(writer, watchId, batch);
    },
    progress: (watchId, revision) => writeWatchNote(writer, watchId, revision),
    cancelled: (watchId, code, compactRevision) =>
      writeWatchCancelled(writer, watchId, { code, compactRevision }),
  };
  const watches = new ClientWatches(member, sink);
  connection.onDrain = () => {
    if (!isHeldBack) return;
    isHeldBack = false;
    watches.drained();
  };
  connection.onClose = () => watches.close();
  return watches;
}
