/**
 * Which node is asked, and what happens when it does not serve.
 *
 * Writes go to the leader once a redirect has named it, reads stick to one endpoint; both move on
 * to the next endpoint when theirs is down. After a failure that had no effect, a request waits a
 * little and is sent again, until its deadline. One table decides: Retry in include/rpc.ts; a read
 * counts as safe whatever happened to it.
 *
 * Limits: CLIENT_CALLS_MAX calls, REDIRECT_HOPS_MAX redirects in a row.
 */

import {
  BACKOFF_MAX_MS,
  BACKOFF_MIN_MS,
  CLIENT_CALLS_MAX,
  type ClientEvent,
  REDIRECT_HOPS_MAX,
} from '../../include/client.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
  type Redirect,
  type Reply,
  type Request,
  Retry,
} from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { CONNECTION_TICK_MS } from '../rpc/connection-limits.ts';
import { FlushQueue } from '../rpc/flush-queue.ts';
import { Alarm } from './alarm.ts';
import { CallState, isReadRequest } from './call.ts';
import { deadlineError, lostError, refusedError } from './call-errors.ts';
import { type Endpoint, formatEndpoint } from './endpoint.ts';
import { KnownNodes } from './known-nodes.ts';
import { Link, type LinkCall, type LinkOwner } from './link.ts';
import { unreachedPeers } from './unreached-peers.ts';

/** A node that gives no answer is asked why before the deadline: so long before it at most. */
const PROBE_MS_MAX = 500;

/** The part of a request's time that is left for that question. */
const PROBE_PART = 0.2;

/** What a router is made from. */
export type RouterOptions = {
  /** At least one. */
  readonly endpoints: readonly Endpoint[];
  readonly dialTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: ClientEvent) => void;
};

/** Sends requests to the nodes of a cluster. */
export class Router implements LinkOwner {
  readonly clock: Clock;
  readonly flushQueue: FlushQueue = new FlushQueue();
  readonly dialTimeoutMs: number;

  readonly #random: Random;
  readonly #onEvent: (event: ClientEvent) => void;
  readonly #nodes: KnownNodes;
  readonly #calls: Set<LinkCall> = new Set();
  readonly #alarm: Alarm;
  #ticker: NodeJS.Timeout | undefined = undefined;
  #clusterId = 0n;
  #isClosed = false;

  constructor(options: RouterOptions) {
    this.clock = options.clock;
    this.dialTimeoutMs = options.dialTimeoutMs;
    this.#random = options.random;
    this.#onEvent = options.onEvent;
    const pin = options.random.below(options.endpoints.length);
    this.#nodes = new KnownNodes(options.endpoints, pin, (endpoint) => new Link(endpoint, this));
    this.#alarm = new Alarm(options.clock, (nowMs) => this.#ring(nowMs));
  }

  /** The cluster that is talked to; 0n before its first answer. */
  get clusterId(): bigint {
    return this.#clusterId;
  }

  /**
   * Starts a request.
   *
   * @param only the one node to ask; undefined for any
   * @param timeoutMs milliseconds until it fails
   */
  start(
    request: Request,
    only: Endpoint | undefined,
    timeoutMs: number,
    resolve: (reply: Reply) => void,
    reject: (error: KvorumError) => void,
  ): void {
    if (this.#isClosed) {
      reject(new KvorumError(ErrorCode.Stopped, 'the client is closed'));
      return;
    }
    if (this.#calls.size >= CLIENT_CALLS_MAX) {
      const why = `${CLIENT_CALLS_MAX} requests are under way in this client: await some first`;
      reject(new KvorumError(ErrorCode.TooManyRequests, why));
      return;
    }
    const startedMs = this.clock.nowMs();
    const call: LinkCall = {
      request,
      isRead: isReadRequest(request),
      only: only === undefined ? undefined : this.#nodes.linkTo(only),
      startedMs,
      timeoutMs,
      resolve,
      reject,
      state: CallState.Parked,
      link: undefined,
      hopCount: 0,
      failedCount: 0,
      dueMs: startedMs,
      isProbed: false,
    };
    this.#calls.add(call);
    this.#ticker ??= setInterval(this.#tick, CONNECTION_TICK_MS);
    this.#dispatch(call, startedMs);
  }

  /** Fails every request and closes every connection. */
  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#calls]) {
      const why = 'the client was closed';
      const isUnknown = call.state === CallState.Sent && !call.isRead;
      this.#fail(call, isUnknown ? lostError(call, why) : new KvorumError(ErrorCode.Stopped, why));
    }
    for (const link of this.#nodes.all) link.close();
    this.#sleep();
  }

  onReady(link: Link): void {
    this.#onEvent({ kind: 'connected', endpoint: link.endpoint.name, nodeId: link.nodeId });
  }

  onDown(link: Link, reason: string): void {
    if (this.#isClosed) return;
    const nowMs = this.clock.nowMs();
    link.noteFailure(reason, nowMs);
    const pauseMs = this.#backoffMs(link.failedCount, RECONNECT_MIN_MS, RECONNECT_MAX_MS);
    link.notBeforeMs = nowMs + pauseMs;
    this.#nodes.leave(link);
    this.#onEvent({ kind: 'disconnected', endpoint: link.endpoint.name, reason });
  }

  onUnsent(link: Link, call: LinkCall): void {
    if (call.only === link) {
      this.#fail(call, new KvorumError(ErrorCode.Unreachable, link.failure));
      return;
    }
    this.#dispatch(call, this.clock.nowMs());
  }

  onLost(link: Link, call: LinkCall): void {
    if (call.state === CallState.Done) return;
    if (!call.isRead || call.only === link) {
      this.#fail(call, lostError(call, link.failure));
      return;
    }
    this.#dispatch(call, this.clock.nowMs());
  }

  onReply(_link: Link, call: LinkCall, reply: Reply): void {
    if (this.#clusterId === 0n) this.#clusterId = reply.body.clusterId;
    call.state = CallState.Done;
    this.#calls.delete(call);
    call.resolve(reply);
  }

  onRefused(link: Link, call: LinkCall, error: KvorumError): void {
    const isSafe = error.retry === Retry.Safe || (error.retry === Retry.Unknown && call.isRead);
    if (!isSafe || call.only === link) {
      this.#fail(call, refusedError(call, error));
      return;
    }
    const nowMs = this.clock.nowMs();
    link.noteFailure(error.message, nowMs);
    // A node that is merely busy stays the one to ask; one that cannot serve does not.
    if (error.code !== ErrorCode.TooManyRequests) this.#nodes.leave(link);
    this.#onEvent({ kind: 'retry', endpoint: link.endpoint.name, reason: error.message });
    this.#pause(call, nowMs);
  }

  onRedirect(link: Link, call: LinkCall, redirect: Redirect): void {
    const nowMs = this.clock.nowMs();
    const { leaderId, address, port } = redirect;
    const target = this.#nodes.linkTo({
      host: address,
      port,
      name: formatEndpoint(address, port),
    });
    const leader = target.endpoint.name;
    this.#onEvent({ kind: 'redirect', endpoint: link.endpoint.name, leaderId, leader });

    call.hopCount += 1;
    const isAstray = target === link || call.hopCount > REDIRECT_HOPS_MAX;
    if (isAstray || nowMs < target.notBeforeMs) {
      const why = `it redirects to node ${leaderId} at ${leader}, which does not serve`;
      link.noteFailure(why, nowMs);
      this.#nodes.leave(target);
      call.hopCount = 0;
      this.#pause(call, nowMs);
      return;
    }
    this.#nodes.leader = target;
    this.#send(call, target);
  }

  /** Sends a call to whom it is for, or parks it while all nodes are cooling. */
  #dispatch(call: LinkCall, nowMs: number): void {
    const link = call.only ?? this.#nodes.choose(call.isRead, nowMs);
    if (link === undefined) this.#parkUntil(call, this.#nodes.soonestMs());
    else this.#send(call, link);
  }

  #send(call: LinkCall, link: Link): void {
    const deadlineMs = call.startedMs + call.timeoutMs;
    const probeMs = Math.min(PROBE_MS_MAX, call.timeoutMs * PROBE_PART);
    call.dueMs = call.isProbed ? deadlineMs : deadlineMs - probeMs;
    this.#alarm.ringAt(call.dueMs);
    link.send(call);
  }

  /** Parks a call for a back-off that grows with its failures. */
  #pause(call: LinkCall, nowMs: number): void {
    call.failedCount += 1;
    const pauseMs = this.#backoffMs(call.failedCount, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
    this.#parkUntil(call, nowMs + pauseMs);
  }

  #parkUntil(call: LinkCall, wakeMs: number): void {
    call.state = CallState.Parked;
    call.link = undefined;
    call.dueMs = Math.min(wakeMs, call.startedMs + call.timeoutMs);
    this.#alarm.ringAt(call.dueMs);
  }

  #ring(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const call of this.#calls) {
      if (call.dueMs <= nowMs) this.#attend(call, nowMs);
      if (call.state !== CallState.Done) nextMs = Math.min(nextMs, call.dueMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#alarm.ringAt(nextMs);
  }

  /** Does what is due: fails at the deadline, tries again, or asks why no answer comes. */
  #attend(call: LinkCall, nowMs: number): void {
    const deadlineMs = call.startedMs + call.timeoutMs;
    if (nowMs >= deadlineMs) {
      const error = deadlineError(call, this.#nodes.all);
      if (call.state === CallState.Sent) call.link?.abandon(call);
      this.#fail(call, error);
    } else if (call.state === CallState.Parked) {
      this.#dispatch(call, nowMs);
    } else {
      call.isProbed = true;
      call.dueMs = deadlineMs;
      if (call.link !== undefined && call.state === CallState.Sent) this.#probe(call.link, call);
    }
  }

  /** Asks a node that gives no answer which of its peers it cannot reach, for the error to come. */
  #probe(link: Link, call: LinkCall): void {
    if (link.isProbing || call.request.type === FrameType.Status) return;
    link.isProbing = true;
    this.start(
      { type: FrameType.Status },
      link.endpoint,
      PROBE_MS_MAX,
      (reply) => {
        link.isProbing = false;
        link.unreachedMs = this.clock.nowMs();
        link.unreached = reply.type === FrameType.Status ? unreachedPeers(reply.body) : '';
      },
      () => {
        link.isProbing = false;
      },
    );
  }

  #fail(call: LinkCall, error: KvorumError): void {
    call.state = CallState.Done;
    this.#calls.delete(call);
    call.reject(error);
  }

  /** A pause that doubles with each failure, of which a random half is taken off. */
  #backoffMs(failedCount: number, leastMs: number, mostMs: number): number {
    const fullMs = Math.min(mostMs, leastMs * 2 ** Math.min(failedCount, 16));
    return fullMs / 2 + this.#random.below(Math.ceil(fullMs / 2));
  }

  readonly #tick = (): void => {
    for (const link of this.#nodes.all) link.tick();
    if (this.#calls.size === 0) this.#sleep();
  };

  #sleep(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#alarm.stop();
  }
}
