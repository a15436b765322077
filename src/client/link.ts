/**
 * The way to one node: one connection, made when first needed, and the requests on it.
 *
 *   idle --send()--> connecting --HELLO--> ready --lost--> idle, cooling for a while
 *                         '----- failed ----------------------^
 *
 * A request in flight is a slot in a table: the frame's id is the slot's number plus one (an error
 * of id 0 is about the connection), so that a reply finds its call by an index.
 *
 * Invariants: at most INFLIGHT_MAX calls are in the table, below the number at which a node stops
 * to read a connection; a slot is free, a call, or ABANDONED (timed out, its reply still to come).
 * A call in the queue was not sent.
 *
 * Watches: what a node tells unasked finds its watch by the watch's number. One that nobody
 * listens to any more is dropped.
 *
 * Silence: while requests are in flight or watches are listened to, the node is pinged every tick;
 * without a byte for PEER_SILENCE_MAX_MS the connection is lost.
 */

import type { WatchBatch } from '../../include/kvstore.ts';
import { NO_NODE, type NodeId, type NodeStatus } from '../../include/node.ts';
import {
  CLIENT_INFLIGHT_MAX,
  CloseReason,
  ConnectionRole,
  FrameType,
  KvorumError,
  PEER_SILENCE_MAX_MS,
  PROTOCOL_VERSION,
  type Redirect,
  type Reply,
  type WatchCancellation,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock } from '../clock.ts';
import { Ring } from '../ring.ts';
import type { Connection } from '../rpc/connection.ts';
import { decodeError, decodeRedirect, writePing } from '../rpc/connection-codec.ts';
import { CONNECTION_TICK_MS, NODE_LIMITS } from '../rpc/connection-limits.ts';
import { dial, type OpenStream } from '../rpc/dial.ts';
import type { FlushQueue } from '../rpc/flush-queue.ts';
import { decodeReply } from '../rpc/reply-codec.ts';
import { writeRequest } from '../rpc/request-codec.ts';
import { decodeWatchCancelled, decodeWatchEvents, decodeWatchNote } from '../rpc/watch-codec.ts';
import { type Call, CallState } from './call.ts';
import type { Endpoint } from './endpoint.ts';
import { unreachedPeers } from './unreached-peers.ts';

/**
 * Most requests in flight on one connection: a node that has CLIENT_INFLIGHT_MAX reads no further.
 */
const INFLIGHT_MAX = CLIENT_INFLIGHT_MAX - 64;

const LIMITS = { ...NODE_LIMITS, silenceTicksMax: PEER_SILENCE_MAX_MS / CONNECTION_TICK_MS };

/** Times in a row that a node says it knows no leader before its watches leave it. */
const LEADERLESS_COUNT_MIN = 2;

/** Stands in the table for a call that timed out: the slot is taken until its reply comes. */
const ABANDONED = Symbol('abandoned');

/** A request under way, on links. */
export type LinkCall = Call<Link>;

/** Who is told what a node tells of a watch. */
export type WatchListener = {
  readonly onEvents: (batch: WatchBatch) => void;
  /** All events up to `revision` have been told. */
  readonly onNote: (revision: number) => void;
  /** The node has ended the watch: nothing more comes. */
  readonly onCancelled: (link: Link, cancellation: WatchCancellation) => void;
  /** The connection has ended: nothing more comes. */
  readonly onLost: () => void;
  /** The node hears nothing new, as far as is known: another one may tell more. */
  readonly onStale: () => void;
};

/** What a link does not decide by itself. */
export type LinkOwner = {
  readonly clock: Clock;
  readonly flushQueue: FlushQueue;
  readonly openStream: OpenStream;
  readonly dialTimeoutMs: number;
  /** The cluster that is talked to; 0n before its first answer. */
  readonly clusterId: bigint;
  readonly onReady: (link: Link) => void;
  /**
   * The connection could not be made or has ended. Its calls follow, each by one of the next two.
   */
  readonly onDown: (link: Link, reason: string) => void;
  /** The call was not sent. */
  readonly onUnsent: (link: Link, call: LinkCall) => void;
  /** The call was sent, and its answer will not come. */
  readonly onLost: (link: Link, call: LinkCall) => void;
  readonly onReply: (link: Link, call: LinkCall, reply: Reply) => void;
  readonly onRefused: (link: Link, call: LinkCall, error: KvorumError) => void;
  readonly onRedirect: (link: Link, call: LinkCall, redirect: Redirect) => void;
};

/** The way to one node. */
export class Link {
  readonly endpoint: Endpoint;
  /** The node's id, once it has said HELLO. */
  nodeId: NodeId = NO_NODE;
  /** Not dialled before this moment, unless it is the only node asked for. */
  notBeforeMs = 0;
  /** Attempts to connect that failed in a row. */
  failedCount = 0;
  /** Why the node did not serve, last time; empty when it never refused. */
  failure = '';
  failureMs = Number.NEGATIVE_INFINITY;
  /** Which members the node said it cannot reach, when it was last asked; empty for none. */
  unreached = '';
  unreachedMs = Number.NEGATIVE_INFINITY;
  /** It is being asked how it is. */
  isProbing = false;
  /** When it last said HELLO or refused a request. */
  heardMs = Number.NEGATIVE_INFINITY;

  /** Times in a row that it said it knows no leader. */
  #leaderlessCount = 0;
  readonly #owner: LinkOwner;
  #connection: Connection | undefined = undefined;
  #isReady = false;
  readonly #queue: Ring<LinkCall> = new Ring();
  readonly #table: (LinkCall | typeof ABANDONED | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #listeners: Map<number, WatchListener> = new Map();

  constructor(endpoint: Endpoint, owner: LinkOwner) {
    this.endpoint = endpoint;
    this.#owner = owner;
  }

  /** Whether the node can be asked at once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether nothing is under way here. */
  get isIdle(): boolean {
    return this.inflightCount === 0 && this.#queue.count === 0 && !this.isWatched;
  }

  /** Whether watches are listened to here. */
  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Requests sent and not answered, those that timed out included. */
  get inflightCount(): number {
    return this.#table.length - this.#freeSlots.length;
  }

  /** Remembers why the node does not serve, for errors to name it. */
  noteFailure(reason: string, nowMs: number): void {
    this.failure = reason;
    this.failureMs = nowMs;
  }

  /** Remembers what the node says of itself. */
  noteStatus(status: NodeStatus, nowMs: number): void {
    this.unreached = unreachedPeers(status);
    this.unreachedMs = nowMs;
    this.#leaderlessCount = status.leader === NO_NODE ? this.#leaderlessCount + 1 : 0;
  }

  /** Whether it knows no leader, and not for a moment only. */
  get isLeaderless(): boolean {
    return this.#leaderlessCount >= LEADERLESS_COUNT_MIN;
  }

  /** Sends a call, now or once the connection is there. */
  send(call: LinkCall): void {
    call.link = this;
    if (this.#isReady && this.#queue.count === 0 && this.inflightCount < INFLIGHT_MAX) {
      this.#write(call);
      return;
    }
    call.state = CallState.Queued;
    this.#queue.push(call);
    if (this.#connection === undefined) this.#connect();
  }

  /** Forgets a call that was sent: its reply, if it comes, goes nowhere. */
  abandon(call: LinkCall): void {
    const slot = this.#table.indexOf(call);
    assert(slot >= 0, 'a call that was sent is in the table', this.endpoint.name);
    this.#table[slot] = ABANDONED;
  }

  /** Listens to a watch that the node has accepted on this connection. */
  listen(watchId: number, listener: WatchListener): void {
    assert(this.#isReady, 'a watch is accepted on a connection', this.endpoint.name);
    this.#listeners.set(watchId, listener);
  }

  /** Listens no more. */
  unlisten(watchId: number): void {
    this.#listeners.delete(watchId);
  }

  /** Tells all that listen to go elsewhere. */
  disperse(): void {
    this.#leaderlessCount = 0;
    for (const listener of [...this.#listeners.values()]) listener.onStale();
  }

  /** Counts one tick: a node that owes us something is pinged, and given up when it is silent. */
  tick(): void {
    const connection = this.#connection;
    if (connection === undefined || !this.#isReady) return;
    if (this.inflightCount === 0 && !this.isWatched) return;
    writePing(connection.writer, 0);
    connection.tick();
  }

  /** Closes the connection; its calls go back to the owner. */
  close(): void {
    this.#connection?.end();
  }

  #connect(): void {
    const { host: address, port } = this.endpoint;
    const hello = {
      version: PROTOCOL_VERSION,
      role: ConnectionRole.Client,
      clusterId: this.#owner.clusterId,
      nodeId: NO_NODE,
      targetId: NO_NODE,
    };
    const { clock, flushQueue, openStream, dialTimeoutMs: timeoutMs } = this.#owner;
    this.#connection = dial(
      { address, port, hello, limits: LIMITS, timeoutMs, clock, flushQueue, openStream },
      {
        onReady: (connection) => this.#onReady(connection),
        onFailed: (reason, error) => this.#onEnd(reason, error),
      },
    );
  }

  #onReady(connection: Connection): void {
    connection.onFrame = this.#onFrame;
    connection.onClose = (_connection, reason, error) => this.#onEnd(reason, error);
    this.#isReady = true;
    this.failedCount = 0;
    this.heardMs = this.#owner.clock.nowMs();
    this.nodeId = connection.hello?.nodeId ?? NO_NODE;
    this.#owner.onReady(this);
    this.#sendQueued();
  }

  readonly #onFrame = (
    _connection: Connection,
    type: number,
    id: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void => {
    if (type >= FrameType.WatchEvents) {
      this.#tell(type, id, buffer, start, end);
      return;
    }
    const slot = id - 1;
    const call = this.#table[slot];
    if (call === undefined) return; // a PONG, or an answer to nothing that was asked
    if (call === ABANDONED) {
      this.#release(slot);
    } else {
      this.#answer(slot, call, type, buffer, start, end);
    }
    if (this.#queue.count > 0) this.#sendQueued();
  };

  /** Reads an answer; what is malformed throws, which ends the connection and loses the call. */
  #answer(
    slot: number,
    call: LinkCall,
    type: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    if (type === FrameType.Reply) {
      const { request } = call;
      const asked = request.type === FrameType.Once ? request.command.type : request.type;
      const reply = decodeReply(asked, buffer, start, end);
      this.#release(slot);
      this.#owner.onReply(this, call, reply);
    } else if (type === FrameType.Error) {
      const error = decodeError(buffer, start, end);
      this.heardMs = this.#owner.clock.nowMs();
      this.#release(slot);
      this.#owner.onRefused(this, call, error);
    } else if (type === FrameType.Redirect) {
      const redirect = decodeRedirect(buffer, start, end);
      this.#release(slot);
      this.#owner.onRedirect(this, call, redirect);
    }
  }

  /** Hands on what the node tells of a watch; what is malformed throws: the connection ends. */
  #tell(type: number, watchId: number, buffer: Buffer, start: number, end: number): void {
    const listener = this.#listeners.get(watchId);
    if (listener === undefined) return;
    if (type === FrameType.WatchEvents) {
      listener.onEvents(decodeWatchEvents(ownBytes(buffer, start, end), 0, end - start));
    } else if (type === FrameType.WatchNote) {
      listener.onNote(decodeWatchNote(buffer, start, end));
    } else if (type === FrameType.WatchCancelled) {
      const cancellation = decodeWatchCancelled(buffer, start, end);
      this.#listeners.delete(watchId);
      listener.onCancelled(this, cancellation);
    }
  }

  #write(call: LinkCall): void {
    const connection = this.#connection;
    assert(connection !== undefined, 'a ready link has a connection', this.endpoint.name);
    const slot = this.#freeSlots.pop() ?? this.#table.length;
    this.#table[slot] = call;
    call.state = CallState.Sent;
    try {
      writeRequest(connection.writer, slot + 1, call.request);
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
      this.#release(slot);
      this.#owner.onRefused(this, call, error);
    }
  }

  #sendQueued(): void {
    while (this.#isReady && this.inflightCount < INFLIGHT_MAX) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      if (call.state === CallState.Queued) this.#write(call);
    }
  }

  #release(slot: number): void {
    this.#table[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** The connection could not be made, or has ended: all calls go back to the owner. */
  #onEnd(reason: CloseReason, error: KvorumError | undefined): void {
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#connection = undefined;
    if (!wasReady) this.failedCount += 1;
    const sent = this.#table.filter((call) => typeof call === 'object');
    this.#table.length = 0;
    this.#freeSlots.length = 0;
    const unsent: LinkCall[] = [];
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      if (call.state === CallState.Queued) unsent.push(call);
    }
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();

    this.#owner.onDown(this, describeEnd(reason, error));
    for (const call of sent) this.#owner.onLost(this, call);
    for (const call of unsent) this.#owner.onUnsent(this, call);
    for (const listener of listeners) listener.onLost();
  }
}

/**
 * A body of its own: events wait for their user, and a view would keep the whole chunk that it
 * came with, which may be far more than what is counted.
 */
function ownBytes(buffer: Buffer, start: number, end: number): Buffer {
  return Buffer.from(buffer.subarray(start, end));
}

function describeEnd(reason: CloseReason, error: KvorumError | undefined): string {
  if (reason === CloseReason.Local) return 'closed by this client';
  if (reason === CloseReason.Remote) return 'the node closed the connection';
  return error?.message ?? 'the connection broke';
}
