/**
 * The link to one peer: this member's messages travel on it, the peer's own come on the connection
 * that the peer opens, or back on this one from a peer that does not know the way here yet. It
 * keeps itself up: redials with a growing, jittered pause, asks for a sign of life every
 * PING_INTERVAL_MS, and is cut after PEER_SILENCE_MAX_MS without one.
 *
 *   waiting --pause over, wake()--> dialling --HELLO answered--> online
 *      ^----------- failed ------------|                            |
 *      ^----------------- lost, silent, too much queued ------------|
 *
 * Invariants: every transition to and from online is reported once; a message is sent or dropped at
 * once, never kept for later, since Raft sends again what matters.
 */

import type { Log } from '../../include/log.ts';
import { ROUND_TRIP_SECONDS_BOUNDS } from '../../include/metrics.ts';
import type { Message, NodeId } from '../../include/node.ts';
import {
  CloseReason,
  ConnectionRole,
  ErrorCode,
  FrameType,
  KvorumError,
  type MemberReport,
  PEER_QUEUED_BYTES_MAX,
  PEER_SILENCE_MAX_MS,
  PROTOCOL_VERSION,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
  sinceVersion,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock, Timer } from '../clock.ts';
import { Histogram } from '../metrics.ts';
import type { Random } from '../random.ts';
import type { Connection, OnClose, OnFrame } from './connection.ts';
import { decodeStamp, writePing } from './connection-codec.ts';
import { CONNECTION_TICK_MS, PEER_LIMITS } from './connection-limits.ts';
import { dial, type OpenStream } from './dial.ts';
import type { FlushQueue } from './flush-queue.ts';
import { decodeMessageBetween, isMessageType, writeMessage } from './raft-codec.ts';
import { remoteName } from './remote-name.ts';
import { writeReport } from './report-codec.ts';
import { addTraffic, createTraffic, type Traffic } from './traffic.ts';

/** What a link is made from, and whom it tells. Callbacks must not throw. */
export type PeerLinkOptions = {
  readonly clusterId: bigint;
  /** This member. */
  readonly selfId: NodeId;
  readonly peerId: NodeId;
  /** Where the peer listens. */
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly flushQueue: FlushQueue;
  /** The way there; TCP when left out. */
  readonly openStream?: OpenStream;
  readonly log: Log;
  /** What this member speaks; PROTOCOL_VERSION when left out. */
  readonly protocolVersion?: number;
  /** A message of the peer, from it and to this member. */
  readonly onMessage: (message: Message) => void;
  /** The peer refused this member, for good or until something is put right. */
  readonly onRefused: (peerId: NodeId, error: KvorumError) => void;
  /** Messages reach the peer from now on. */
  readonly onOnline: (peerId: NodeId) => void;
  /** They do not any more. */
  readonly onOffline: (peerId: NodeId, reason: CloseReason, error: KvorumError | undefined) => void;
};

/** The link to one peer. */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #remote: string;

  /** Being dialled, or online. */
  #connection: Connection | undefined = undefined;
  #isOnline = false;
  #isClosed = false;
  #isStarted = false;
  #ticker: Timer | undefined = undefined;
  #pause: Timer | undefined = undefined;
  #dialledMs = 0;
  #failedAttempts = 0;
  /** Causes logged since the link was last online, so that each is logged once. */
  readonly #loggedCodes: Set<ErrorCode> = new Set();

  /** Seconds of every PING's round trip. */
  readonly roundTrips = new Histogram(ROUND_TRIP_SECONDS_BOUNDS);
  /** How often the peer went offline. */
  offlineCount = 0;
  /** Of connections that are gone. */
  readonly #gone = createTraffic();
  #peerVersion = 0;
  #roundTripMicros = 0;
  #roundTripSmoothedMicros = 0;
  #droppedCount = 0;

  constructor(options: PeerLinkOptions) {
    assert(options.selfId !== options.peerId, 'a member does not dial itself', options.selfId);
    this.#options = options;
    this.#remote = remoteName(options.address, options.port);
  }

  /** Whether messages reach the peer, as far as known. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** The protocol version that the peer spoke last; 0 before it was reached. */
  get peerVersion(): number {
    return this.#peerVersion;
  }

  /** Round-trip time of the last PING in microseconds; 0 before the first. */
  get roundTripMicros(): number {
    return this.#roundTripMicros;
  }

  /** Round-trip time smoothed over about eight PINGs (as RFC 6298 does), in microseconds. */
  get roundTripSmoothedMicros(): number {
    return this.#roundTripSmoothedMicros;
  }

  /** Messages dropped since the start because the peer was not online. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Bytes that travelled on the link since the start. */
  traffic(): Traffic {
    const total = { ...this.#gone };
    if (this.#connection !== undefined) addTraffic(total, this.#connection);
    return total;
  }

  /** Bytes of messages that the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.#isOnline ? this.#connection!.queuedBytes : 0;
  }

  /** Dials, and keeps the link up until `close`. */
  start(): void {
    assert(!this.#isStarted, 'a link is started once', this.#options.peerId);
    this.#isStarted = true;
    this.#ticker = this.#options.clock.every(CONNECTION_TICK_MS, () => this.#tick());
    this.#dial();
  }

  /**
   * Sends a message with this turn's write.
   *
   * @param message borrowed: it is encoded at once
   * @returns false when it was dropped: the peer is not online
   */
  send(message: Message): boolean {
    if (!this.#isOnline) {
      this.#droppedCount += 1;
      return false;
    }
    const connection = this.#connection!;
    writeMessage(connection.writer, message);
    if (connection.queuedBytes <= PEER_QUEUED_BYTES_MAX) return true;

    const why = `${this.#remote} left ${connection.queuedBytes} bytes unread`;
    connection.close(CloseReason.SlowReader, new KvorumError(ErrorCode.SlowReader, why));
    return false;
  }

  /** Tells the peer about this member; dropped when it is offline, or does not know the frame. */
  report(report: MemberReport): void {
    if (sinceVersion(report.type) > this.#peerVersion) return;
    if (this.#isOnline) writeReport(this.#connection!.writer, report);
  }

  /** Writes what was sent, now, instead of at the end of the turn. */
  flush(): void {
    if (this.#isOnline) this.#connection!.flush();
  }

  /** The peer has shown that it is up: dials at once instead of waiting out a pause. */
  wake(): void {
    if (this.#isClosed || !this.#isStarted) return;
    if (this.#isOnline) {
      // If the peer was restarted, this provokes the reset of a connection that it no longer knows.
      this.#ping();
      return;
    }
    this.#failedAttempts = 0;
    const isFresh = this.#options.clock.nowMs() - this.#dialledMs < RECONNECT_MIN_MS;
    if (this.#connection !== undefined && isFresh) return;
    this.#dial();
  }

  /** Takes the link down for good; reports nothing. */
  close(): void {
    this.#isClosed = true;
    this.#isOnline = false;
    this.#ticker?.cancel();
    this.#pause?.cancel();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  #dial(): void {
    const { selfId, peerId, clusterId, address, port, clock, flushQueue, openStream } =
      this.#options;
    this.#pause?.cancel();
    this.#pause = undefined;
    const given = this.#connection;
    this.#connection = undefined;
    given?.close();

    this.#dialledMs = clock.nowMs();
    const hello = {
      version: this.#options.protocolVersion ?? PROTOCOL_VERSION,
      role: ConnectionRole.Peer,
      clusterId,
      nodeId: selfId,
      targetId: peerId,
    };
    const timeoutMs = PEER_SILENCE_MAX_MS;
    const connection: Connection = dial(
      { address, port, hello, limits: PEER_LIMITS, timeoutMs, clock, flushQueue, openStream },
      {
        onReady: () => this.#goOnline(connection),
        onFailed: (reason, error) => this.#onFailed(connection, reason, error),
      },
    );
    this.#connection = connection;
  }

  #goOnline(connection: Connection): void {
    assert(connection === this.#connection, 'only the newest attempt succeeds');
    const { peerId, log, onOnline } = this.#options;
    connection.onFrame = this.#onFrame;
    connection.onClose = this.#onClose;
    this.#isOnline = true;
    this.#peerVersion = connection.hello?.version ?? 0;
    this.#failedAttempts = 0;
    this.#loggedCodes.clear();
    this.#ping();
    log.info('peer online', { peer: peerId, address: this.#remote });
    onOnline(peerId);
  }

  #onFailed(connection: Connection, reason: CloseReason, error: KvorumError): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    const { peerId, log, onRefused } = this.#options;
    if (!this.#loggedCodes.has(error.code)) {
      this.#loggedCodes.add(error.code);
      log.warn('peer cannot be reached', { peer: peerId, reason: error.message });
    }
    this.#waitAndDial();
    if (reason === CloseReason.Refused) onRefused(peerId, error);
  }

  readonly #onClose: OnClose = (connection, reason, error) => {
    if (connection !== this.#connection) return;
    const { peerId, log, onOffline } = this.#options;
    this.#connection = undefined;
    this.#isOnline = false;
    this.offlineCount += 1;
    addTraffic(this.#gone, connection);
    const why = error?.message ?? `${this.#remote} closed the connection`;
    log.warn('peer offline', { peer: peerId, reason: why });
    this.#waitAndDial();
    onOffline(peerId, reason, error);
  };

  readonly #onFrame: OnFrame = (_connection, type, _id, buffer, start, end) => {
    if (isMessageType(type)) {
      const { peerId, selfId, onMessage } = this.#options;
      return onMessage(decodeMessageBetween(peerId, selfId, type, buffer, start, end));
    }
    if (type !== FrameType.Pong) {
      throw new KvorumError(ErrorCode.FrameUnknown, `frame type ${type} does not belong on a link`);
    }
    const micros = this.#nowMicros() - decodeStamp(buffer, start, end);
    if (micros < 0) return;
    const isFirst = this.#roundTripSmoothedMicros === 0;
    this.#roundTripMicros = micros;
    this.roundTrips.observe(micros / 1_000_000);
    this.#roundTripSmoothedMicros = isFirst
      ? micros
      : Math.round(this.#roundTripSmoothedMicros + (micros - this.#roundTripSmoothedMicros) / 8);
  };

  /** Waits between half and all of a pause that doubles with each failure. */
  #waitAndDial(): void {
    const { clock, random } = this.#options;
    const doublings = Math.min(this.#failedAttempts, 16);
    const pauseMs = Math.min(RECONNECT_MIN_MS * 2 ** doublings, RECONNECT_MAX_MS);
    this.#failedAttempts += 1;
    const half = pauseMs / 2;
    this.#pause = clock.after(half + random.below(half + 1), () => this.#dial());
  }

  #tick(): void {
    if (!this.#isOnline) return;
    this.#connection!.tick();
    if (this.#isOnline) this.#ping();
  }

  #ping(): void {
    writePing(this.#connection!.writer, this.#nowMicros());
  }

  #nowMicros(): number {
    return Math.round(this.#options.clock.nowMs() * 1000);
  }
}
