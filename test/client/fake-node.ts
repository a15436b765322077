/**
 * A node made of a server and a script: what each request is answered is up to the test.
 *
 * Writes of a session are handed to the script as the write itself, with its mark beside it;
 * sessions are opened by `onSession`, which a test may replace.
 */

import type { SessionMark, WatchBatch } from '../../include/kvstore.ts';
import { NO_LOG } from '../../include/log.ts';
import { Role } from '../../include/node.ts';
import {
  type ErrorCode,
  FrameType,
  type Redirect,
  type Reply,
  type ReplyHeader,
  type Request,
  type StatusReply,
  type WatchCancellation,
} from '../../include/rpc.ts';
import { createSystemClock } from '../../src/clock.ts';
import type { Connection } from '../../src/rpc/connection.ts';
import { writeError, writeRedirect } from '../../src/rpc/connection-codec.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { writeReply } from '../../src/rpc/reply-codec.ts';
import { decodeRequest } from '../../src/rpc/request-codec.ts';
import { listen } from '../../src/rpc/server.ts';
import {
  writeWatchCancelled,
  writeWatchEvents,
  writeWatchNote,
} from '../../src/rpc/watch-codec.ts';

/** The cluster of all fake nodes. Above 2^53, so that a number would lose digits. */
export const CLUSTER_ID = 9_151_734_699_010_623_715n;

/** A request that arrived, and the ways to answer it. */
export type Asked = {
  readonly request: Request;
  /** The write's number; undefined for what has none. */
  readonly mark: SessionMark | undefined;
  readonly reply: (reply: Reply) => void;
  readonly refuse: (code: ErrorCode, text?: string) => void;
  readonly redirect: (redirect: Redirect) => void;
  /** Tells events of a watch, on the connection the request came on. */
  readonly tellEvents: (watchId: number, batch: WatchBatch) => void;
  readonly tellNote: (watchId: number, revision: number) => void;
  readonly tellCancelled: (watchId: number, cancellation: WatchCancellation) => void;
  /** Breaks the connection it came on. */
  readonly hangUp: () => void;
};

/** What a node does with a request; nothing at all is an answer too. */
export type Script = (asked: Asked) => void;

/** A node made of a server and a script. */
export type FakeNode = {
  readonly id: number;
  readonly port: number;
  readonly endpoint: string;
  /** Requests that arrived, oldest first; not those for a session. */
  readonly requests: Request[];
  /** The numbers of the writes that arrived. */
  readonly marks: SessionMark[];
  script: Script;
  /** What it does when it is asked for a session: opens one, numbered from 1. */
  onSession: Script;
  /** Sessions that it was asked for. */
  readonly sessionCount: () => number;
  readonly connectionCount: () => number;
  /** Reads nothing more on the connections it has, as a stopped process does. */
  readonly freeze: () => void;
  readonly close: () => Promise<void>;
};

/** Starts a fake node on a free port, or on one that was free. */
export async function startFakeNode(id: number, script: Script, port = 0): Promise<FakeNode> {
  const requests: Request[] = [];
  const marks: SessionMark[] = [];
  let sessionCount = 0;
  const connections: Connection[] = [];
  const clock = createSystemClock();
  const server = await listen({
    address: '127.0.0.1',
    port,
    clusterId: CLUSTER_ID,
    nodeId: id,
    clock,
    flushQueue: new FlushQueue(clock),
    log: NO_LOG,
    wasRemoved: () => true,
    onClient: (connection) => {
      connections.push(connection);
      connection.onFrame = (_connection, type, frameId, buffer, start, end) => {
        const asked = askedOn(connection, frameId, decodeRequest(type, buffer, start, end));
        if (asked.request.type === FrameType.SessionOpen) {
          sessionCount += 1;
          node.onSession(asked);
          return;
        }
        requests.push(asked.request);
        if (asked.mark !== undefined) marks.push(asked.mark);
        node.script(asked);
      };
    },
    onPeer: () => {},
    onMessage: () => {},
    onReport: () => {},
    onPeerLost: () => {},
    onSnapshot: () => {},
  });
  const node: FakeNode = {
    id,
    port: server.port,
    endpoint: `127.0.0.1:${server.port}`,
    requests,
    marks,
    script,
    onSession: ({ reply }) => {
      const body = { ...headerOf(id), session: sessionCount, ttlSeconds: 60 };
      reply({ type: FrameType.SessionOpen, body });
    },
    sessionCount: () => sessionCount,
    connectionCount: () => server.connectionCount,
    freeze: () => {
      for (const connection of connections) connection.pause();
    },
    close: () => server.close(),
  };
  return node;
}

function askedOn(connection: Connection, id: number, received: Request): Asked {
  const isNumbered = received.type === FrameType.Once;
  return {
    request: isNumbered ? received.command : received,
    mark: isNumbered ? received.mark : undefined,
    reply: (reply) => writeReply(connection.writer, id, reply),
    refuse: (code, text = '') => writeError(connection.writer, id, code, text),
    redirect: (redirect) => writeRedirect(connection.writer, id, redirect),
    tellEvents: (watchId, batch) => writeWatchEvents(connection.writer, watchId, batch),
    tellNote: (watchId, revision) => writeWatchNote(connection.writer, watchId, revision),
    tellCancelled: (watchId, why) => writeWatchCancelled(connection.writer, watchId, why),
    hangUp: () => connection.close(),
  };
}

/** The header of a node's replies. */
export function headerOf(nodeId: number, revision = 7): ReplyHeader {
  return { clusterId: CLUSTER_ID, nodeId, revision, term: 2 };
}

/** A redirect to a fake node. */
export function redirectTo(node: FakeNode): Redirect {
  return { leaderId: node.id, address: '127.0.0.1', port: node.port };
}

/** A node that does what it is asked; every value read is the key in capitals. */
export function serve(nodeId: number): Script {
  return ({ request, reply }) => {
    const header = headerOf(nodeId);
    switch (request.type) {
      case FrameType.Put:
        return reply({ type: request.type, body: { ...header, prevKv: undefined } });
      case FrameType.Range:
        return reply({ type: request.type, body: { ...header, ...pairOf(request.body.key) } });
      case FrameType.DeleteRange:
        return reply({ type: request.type, body: { ...header, deleted: 1, prevKvs: [] } });
      case FrameType.Txn:
        return reply({ type: request.type, body: { ...header, succeeded: true, results: [] } });
      case FrameType.LeaseGrant:
        return reply({ type: request.type, body: { ...header, ...request.body } });
      case FrameType.LeaseKeepAlive:
        return reply({ type: request.type, body: { ...header, ...request.body, ttlSeconds: 60 } });
      case FrameType.Compact:
      case FrameType.MoveLeader:
      case FrameType.LeaseRevoke:
      case FrameType.WatchCreate:
      case FrameType.WatchCancel:
      case FrameType.WatchProgress:
        return reply({ type: request.type, body: header });
      case FrameType.Status:
        return reply({ type: request.type, body: statusOf(nodeId) });
    }
  };
}

/** The status of a node that leads and has no peers. */
export function statusOf(nodeId: number, known: Partial<StatusReply> = {}): StatusReply {
  return {
    clusterId: CLUSTER_ID,
    nodeId,
    version: '0.1.0',
    protocolVersion: 2,
    clusterVersion: 2,
    role: Role.Leader,
    isLearner: false,
    leader: nodeId,
    term: 2,
    lastIndex: 14,
    commitIndex: 14,
    appliedIndex: 14,
    revision: 7,
    compactRevision: 0,
    dbSizeBytes: 20_480,
    dbSizeInUseBytes: 16_384,
    quotaBytes: 65_536,
    alarms: [],
    peers: [],
    ...known,
  };
}

function pairOf(key: Buffer) {
  const value = Buffer.from(key.toString().toUpperCase());
  const facts = { createRevision: 2, modRevision: 5, version: 3, lease: 0n };
  return { kvs: [{ key: Buffer.from(key), value, ...facts }], more: false, count: 1 };
}

/** A port on which nobody listens. */
export async function unusedPort(): Promise<number> {
  const node = await startFakeNode(0, () => {});
  await node.close();
  return node.port;
}
