/**
 * The gateway's way to its node: native requests, as they travel, and the head of etcd's answers.
 *
 * The node is asked, and followed where it redirects to its leader. Writes are numbered in a
 * session of the gateway: one whose outcome is unknown is sent again until its time is over.
 */

import { DIAL_TIMEOUT_MS } from '../../include/client.ts';
import { GATEWAY_TIMEOUT_MS } from '../../include/gateway.ts';
import type { NodeId, NodeStatus } from '../../include/node.ts';
import {
  FrameType,
  type KvorumError,
  type Reply,
  type ReplyHeader,
  type Request,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { type Endpoint, parseEndpoint } from '../client/endpoint.ts';
import { Router } from '../client/router.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { type OpenStream, openTcp } from '../rpc/dial.ts';
import { memberIdOf } from './member-id.ts';
import type { ResponseHeader } from './schema/header.ts';

/** The numbers of watches are 1 to this. */
const WATCH_ID_MAX = 0xffff_ffff;

/** What a gateway needs to reach its node. */
export type NodeClientOptions = {
  /** `host:port` of the node's native port. */
  readonly endpoint: string;
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly random: Random;
  readonly openStream?: OpenStream;
};

/** What answers a request of each type. */
type Replies = { readonly [Each in Reply as Each['type']]: Each['body'] };

/** What a request of each type says. */
type Requests = { readonly [Each in Request as Each['type']]: Each };

/** Types of requests that are answered by their own. */
type Answered = keyof Replies & keyof Requests;

/** The way to one node. */
export class NodeClient {
  readonly clock: Clock;
  /** The way to the node. */
  readonly openStream: OpenStream;
  readonly router: Router;
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
  /** The node as a member of etcd. */
  readonly memberId: bigint;
  /** Where the node itself is asked, whoever leads. */
  readonly endpoint: Endpoint;
  /** As of the last answer. */
  revision = 0;
  #term = 0;
  #watchId = 0;

  constructor(options: NodeClientOptions) {
    this.clock = options.clock;
    this.openStream = options.openStream ?? openTcp;
    this.clusterId = options.clusterId;
    this.nodeId = options.nodeId;
    this.memberId = memberIdOf(options.clusterId, options.nodeId);
    this.endpoint = parseEndpoint(options.endpoint);
    this.router = new Router({
      endpoints: [this.endpoint],
      dialTimeoutMs: DIAL_TIMEOUT_MS,
      hasSessions: true,
      clock: options.clock,
      random: options.random,
      openStream: this.openStream,
      onEvent: () => {},
    });
  }

  /** Asks. Which node answers is the request's own matter. */
  ask<Type extends Answered>(
    request: { readonly type: Type } & Requests[Type],
    resolve: (reply: Replies[Type]) => void,
    reject: (error: KvorumError) => void,
    timeoutMs = GATEWAY_TIMEOUT_MS,
  ): void {
    const settle = (reply: Reply): void => {
      assert(reply.type === request.type, 'an answer is that of its request', reply.type);
      this.note(reply.body);
      resolve(reply.body as Replies[Type]);
    };
    this.router.start(request, undefined, timeoutMs, settle, reject);
  }

  /** Asks, as a promise. */
  request<Type extends Answered>(
    request: { readonly type: Type } & Requests[Type],
    timeoutMs = GATEWAY_TIMEOUT_MS,
  ): Promise<Replies[Type]> {
    const { promise, resolve, reject } = Promise.withResolvers<Replies[Type]>();
    this.ask<Type>(request, (reply) => resolve(reply), reject, timeoutMs);
    return promise;
  }

  /** Asks the node itself, never another one. Rejects when it has not answered in time. */
  askOwn<Type extends Answered>(
    request: { readonly type: Type } & Requests[Type],
    timeoutMs: number = GATEWAY_TIMEOUT_MS,
  ): Promise<Replies[Type]> {
    const { promise, resolve, reject } = Promise.withResolvers<Replies[Type]>();
    const settle = (reply: Reply): void => {
      assert(reply.type === request.type, 'an answer is that of its request', reply.type);
      resolve(reply.body as Replies[Type]);
    };
    this.router.start(request, this.endpoint, timeoutMs, settle, reject);
    return promise;
  }

  /** How the node itself is. */
  status(): Promise<NodeStatus> {
    return this.request({ type: FrameType.Status });
  }

  /** Remembers how far the cluster is. */
  note({ revision, term }: Pick<ReplyHeader, 'revision' | 'term'>): void {
    this.revision = Math.max(this.revision, revision);
    this.#term = Math.max(this.#term, term);
  }

  /** A number that no other watch of the gateway has. */
  drawWatchId(): number {
    this.#watchId = (this.#watchId % WATCH_ID_MAX) + 1;
    return this.#watchId;
  }

  /** The head of an answer. */
  header({ revision, term }: Pick<ReplyHeader, 'revision' | 'term'>): ResponseHeader {
    return { cluster_id: this.clusterId, member_id: this.memberId, revision, raft_term: term };
  }

  /** The head of what is told unasked. */
  headerAt(revision: number): ResponseHeader {
    return this.header({ revision, term: this.#term });
  }

  /** Fails what is under way and closes the connections. */
  close(): void {
    this.router.close();
  }
}
