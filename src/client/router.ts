/**
 * Which node is asked, and what happens when it does not serve.
 *
 * Writes go to the leader once a redirect has named it, reads stick to one endpoint; both move on
 * to the next endpoint when theirs is down. After a failure that had no effect, a request waits a
 * little and is sent again, until its deadline. One table decides: Retry in include/rpc.ts; what
 * may be repeated counts as safe whatever happened to it: a read, and a write with a number.
 *
 * Limits: CLIENT_CALLS_MAX calls of the user, REDIRECT_HOPS_MAX redirects in a row. Calls without a
 * deadline are the client's own (a session, a watch): they are not counted, and ask until they are
 * answered, also when they are for one node only.
 */

import { CLIENT_CALLS_MAX, type ClientEvent, REDIRECT_HOPS_MAX } from '../../include/client.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  type Redirect,
  type Reply,
  type Request,
  Retry,
} from '../../include/rpc.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Random } from '../random.ts';
import { CONNECTION_TICK_MS } from '../rpc/connection-limits.ts';
import type { OpenStream } from '../rpc/dial.ts';
import { FlushQueue } from '../rpc/flush-queue.ts';
import { Alarm } from './alarm.ts';
import { backoffMs, RECONNECT, RETRY } from './backoff.ts';
import {
  CallKind,
  CallState,
  createCall,
  isOnlyFor,
  isRepeatable,
  isUncertain,
  mayAskAgain,
  overdueMs,
  PROBE_MS_MAX,
  writeOf,
} from './call.ts';
import { deadlineError, lostError, refusedError } from './call-errors.ts';
import { type Endpoint, formatEndpoint } from './endpoint.ts';
import { KnownNodes } from './known-nodes.ts';
import { Link, type LinkCall, type LinkOwner } from './link.ts';
import { Sessions } from './sessions.ts';

/** Ticks between two questions to a node with watches whether it knows a leader: 3 s. */
const LEADER_QUESTION_TICKS = 6;

/** What a router is made from. */
export type RouterOptions = Pick<LinkOwner, 'clock' | 'dialTimeoutMs' | 'openStream'> & {
  /** At least one. */
  readonly endpoints: readonly Endpoint[];
  /** Whether writes are numbered. */
  readonly hasSessions: boolean;
  readonly random: Random;
  readonly onEvent: (event: ClientEvent) => void;
};

/** Sends requests to the nodes of a cluster. */
export class Router implements LinkOwner {
  readonly clock: Clock;
  readonly flushQueue: FlushQueue;
  readonly dialTimeoutMs: number;
  readonly openStream: OpenStream;

  readonly #random: Random;
  readonly #onEvent: (event: ClientEvent) => void;
  readonly #nodes: KnownNodes;
  /** The user's. */
  readonly #calls: Set<LinkCall> = new Set();
  /** The client's own, without a deadline. */
  readonly #ownCalls: Set<LinkCall> = new Set();
  readonly #hasSessions: boolean;
  readonly #sessions: Sessions;
  readonly #alarm: Alarm;
  #ticker: Timer | undefined = undefined;
  #tickCount = 0;
  #clusterId = 0n;
  #isClosed = false;

  constructor(options: RouterOptions) {
    this.clock = options.clock;
    this.flushQueue = new FlushQueue(options.clock);
    this.dialTimeoutMs = options.dialTimeoutMs;
    this.openStream = options.openStream;
    this.#random = options.random;
    this.#onEvent = options.onEvent;
    const pin = options.random.below(options.endpoints.length);
    this.#nodes = new KnownNodes(options.endpoints, pin, (endpoint) => new Link(endpoint, this));
    this.#hasSessions = options.hasSessions;
    this.#sessions = new Sessions({
      ask: (request, resolve, reject) =>
        this.start(request, undefined, Number.POSITIVE_INFINITY, resolve, reject),
      cancel: (call) => this.cancel(call),
      proceed: (call) => this.#dispatch(call, this.clock.nowMs()),
      fail: (call, error) => this.#fail(call, error),
    });
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
   * @param timeoutMs milliseconds until it fails; infinite for the client's own
   * @param failedCount attempts that failed before, which it rests for
   * @returns undefined when it has failed already
   */
  start(
    request: Request,
    only: Endpoint | undefined,
    timeoutMs: number,
    resolve: (reply: Reply, link: Link) => void,
    reject: (error: KvorumError) => void,
    failedCount = 0,
  ): LinkCall | undefined {
    const isOwn = timeoutMs === Number.POSITIVE_INFINITY;
    const refusal = this.#refusal(isOwn);
    if (refusal !== undefined) {
      reject(refusal);
      return undefined;
    }
    const startedMs = this.clock.nowMs();
    const call: LinkCall = createCall({
      request,
      write: this.#hasSessions ? writeOf(request) : undefined,
      only: only === undefined ? undefined : this.#nodes.linkTo(only),
      startedMs,
      timeoutMs,
      resolve,
      reject,
      failedCount,
    });
    if (isOwn) this.#ownCalls.add(call);
    else this.#calls.add(call);
    this.#ticker ??= this.clock.every(CONNECTION_TICK_MS, this.#tick);
    if (failedCount > 0) this.#pause(call, startedMs);
    else this.#dispatch(call, startedMs);
    return call;
  }

  /** Forgets a request: nobody waits for it any more. Its promise never settles. */
  cancel(call: LinkCall): void {
    if (call.state === CallState.Done) return;
    if (call.state === CallState.Sent) call.link?.abandon(call);
    this.#end(call);
  }

  /** Turns away from a node that does not serve. */
  leave(link: Link, why: string): void {
    link.noteFailure(why, this.clock.nowMs());
    this.#nodes.leave(link);
  }

  /** Fails every request and closes every connection. */
  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#calls, ...this.#ownCalls]) {
      const why = 'the client was closed';
      const isLost = isUncertain(call);
      this.#fail(call, isLost ? lostError(call, why) : new KvorumError(ErrorCode.Stopped, why));
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
    const pauseMs = backoffMs(RECONNECT, link.failedCount, this.#random);
    link.notBeforeMs = nowMs + pauseMs;
    this.#nodes.leave(link);
    this.#onEvent({ kind: 'disconnected', endpoint: link.endpoint.name, reason });
  }

  onUnsent(link: Link, call: LinkCall): void {
    if (isOnlyFor(call, link)) {
      this.#fail(call, new KvorumError(ErrorCode.Unreachable, link.failure));
      return;
    }
    this.#dispatch(call, this.clock.nowMs());
  }

  onLost(link: Link, call: LinkCall): void {
    if (call.state === CallState.Done) return;
    if (!isRepeatable(call) || isOnlyFor(call, link)) {
      this.#fail(call, lostError(call, link.failure));
      return;
    }
    call.isDoubtful = true;
    this.#dispatch(call, this.clock.nowMs());
  }

  onReply(link: Link, call: LinkCall, reply: Reply): void {
    if (this.#clusterId === 0n) this.#clusterId = reply.body.clusterId;
    this.#end(call);
    call.resolve(reply, link);
  }

  onRefused(link: Link, call: LinkCall, error: KvorumError): void {
    const nowMs = this.clock.nowMs();
    if (this.#sessions.isOver(call, error)) {
      this.#renumber(call, nowMs);
      return;
    }
    const isFinal = isOnlyFor(call, link) || this.#nodes.isFinal(error.code);
    if (isFinal || !mayAskAgain(call, error)) {
      this.#fail(call, refusedError(call, error));
      return;
    }
    if (error.retry === Retry.Unknown) call.isDoubtful = true;
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

  /** Why no request is taken; undefined when one is. */
  #refusal(isOwn: boolean): KvorumError | undefined {
    if (this.#isClosed) return new KvorumError(ErrorCode.Stopped, 'the client is closed');
    if (isOwn || this.#calls.size < CLIENT_CALLS_MAX) return undefined;
    const why = `${CLIENT_CALLS_MAX} requests are under way in this client: await some first`;
    return new KvorumError(ErrorCode.TooManyRequests, why);
  }

  /** Sends a write anew in another session: at once the first time, then after a rest. */
  #renumber(call: LinkCall, nowMs: number): void {
    this.#sessions.renumber(call);
    if (call.failedCount > 0) {
      this.#pause(call, nowMs);
      return;
    }
    call.failedCount = 1;
    this.#dispatch(call, nowMs);
  }

  /**
   * Sends a call to whom it is for; parks it while all nodes are cooling, or there is no session.
   */
  #dispatch(call: LinkCall, nowMs: number): void {
    if (!this.#sessions.number(call)) {
      this.#expect(call);
      this.#sessions.open();
      return;
    }
    const link = call.only ?? this.#nodes.choose(call.kind === CallKind.Read, nowMs);
    if (link === undefined) this.#parkUntil(call, this.#nodes.soonestMs());
    else if (nowMs < link.notBeforeMs && !isOnlyFor(call, link)) {
      this.#parkUntil(call, link.notBeforeMs);
    } else this.#send(call, link);
  }

  #send(call: LinkCall, link: Link): void {
    this.#expect(call);
    link.send(call);
  }

  /** Sets the moment at which an answer is overdue. */
  #expect(call: LinkCall): void {
    call.dueMs = overdueMs(call);
    this.#alarm.ringAt(call.dueMs);
  }

  /** Parks a call for a back-off that grows with its failures. */
  #pause(call: LinkCall, nowMs: number): void {
    call.failedCount += 1;
    const pauseMs = backoffMs(RETRY, call.failedCount, this.#random);
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
    for (const calls of [this.#calls, this.#ownCalls]) {
      for (const call of calls) {
        if (call.dueMs <= nowMs) this.#attend(call, nowMs);
        if (call.state !== CallState.Done) nextMs = Math.min(nextMs, call.dueMs);
      }
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#alarm.ringAt(nextMs);
  }

  /** Does what is due: fails at the deadline, tries again, or asks why no answer comes. */
  #attend(call: LinkCall, nowMs: number): void {
    const deadlineMs = call.startedMs + call.timeoutMs;
    const isWaiting = call.state === CallState.Waiting;
    const asked = isWaiting ? (this.#sessions.opening ?? call) : call;
    if (nowMs >= deadlineMs) {
      const error = deadlineError(call, asked, this.#nodes.all);
      if (call.state === CallState.Sent) call.link?.abandon(call);
      this.#fail(call, error);
    } else if (call.state === CallState.Parked) {
      this.#dispatch(call, nowMs);
    } else {
      call.isProbed = true;
      call.dueMs = deadlineMs;
      const { link, state, request } = asked;
      if (link === undefined || state !== CallState.Sent) return;
      if (request.type !== FrameType.Status) this.#probe(link);
    }
  }

  /** Asks a node how it is. Watches leave one that knows no leader: it may hear of nothing. */
  #probe(link: Link): void {
    if (link.isProbing) return;
    link.isProbing = true;
    this.start(
      { type: FrameType.Status },
      link.endpoint,
      PROBE_MS_MAX,
      (reply) => {
        link.isProbing = false;
        if (reply.type !== FrameType.Status) return;
        link.noteStatus(reply.body, this.clock.nowMs());
        if (!link.isLeaderless || this.#nodes.all.length === 1) return;
        this.#nodes.leave(link);
        link.disperse();
      },
      () => {
        link.isProbing = false;
      },
    );
  }

  #fail(call: LinkCall, error: KvorumError): void {
    this.#end(call);
    call.reject(error);
  }

  #end(call: LinkCall): void {
    this.#sessions.settle(call);
    call.state = CallState.Done;
    if (!this.#calls.delete(call)) this.#ownCalls.delete(call);
  }

  readonly #tick = (): void => {
    this.#tickCount += 1;
    const isQuestionDue = this.#tickCount % LEADER_QUESTION_TICKS === 0;
    let isWatched = false;
    for (const link of this.#nodes.all) {
      link.tick();
      if (!link.isWatched) continue;
      isWatched = true;
      if (isQuestionDue) this.#probe(link);
    }
    if (this.#calls.size === 0 && this.#ownCalls.size === 0 && !isWatched) this.#sleep();
  };

  #sleep(): void {
    this.#ticker?.cancel();
    this.#ticker = undefined;
    this.#alarm.stop();
  }
}
