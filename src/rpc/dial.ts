/**
 * Opens a connection to a node: connects, says HELLO, and hands the connection over once the node
 * has said HELLO too.
 */

import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { CloseReason, ErrorCode, FrameType, type Hello, KvorumError } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Clock, Timer } from '../clock.ts';
import { Connection } from './connection.ts';
import { decodeHello, writeHello } from './connection-codec.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { FlushQueue } from './flush-queue.ts';
import { checkAnswer } from './handshake.ts';
import { networkFault } from './network-fault.ts';
import { remoteName } from './remote-name.ts';

/** Milliseconds after which the kernel asks whether a silent host is still there. */
export const KEEP_ALIVE_MS = 60_000;

/**
 * Opens a stream of bytes to a place. It may be used at once, and fails by its `error` event; bytes
 * arrive in later turns.
 *
 * @param address host name or IP address
 */
export type OpenStream = (address: string, port: number) => Duplex;

/** Opens a stream over TCP. */
export const openTcp: OpenStream = (host, port) =>
  connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });

/** Whom to connect to, and as what. */
export type DialOptions = {
  /** Host name or IP address. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
  /** What this side says; a cluster of 0n or a target of NO_NODE accepts any. */
  readonly hello: Hello;
  readonly limits: ConnectionLimits;
  /** Milliseconds until HELLO must have been answered. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly flushQueue: FlushQueue;
  /** The way there; TCP when left out. */
  readonly openStream?: OpenStream | undefined;
};

/** What becomes of an attempt to connect: one call of onReady, or of onFailed. */
export type DialCallbacks = {
  /**
   * The node has answered; `connection.hello` is set. Set onFrame and onClose here: frames may
   * follow.
   */
  readonly onReady: (connection: Connection) => void;
  /**
   * It did not come to that: CloseReason Unreachable, Refused (the node's own error), Protocol
   * (what came is no kvorum node, or another one than meant) or Local (closed by the caller).
   */
  readonly onFailed: (reason: CloseReason, error: KvorumError) => void;
};

/** Starts to connect. Close the connection to give up. */
export function dial(options: DialOptions, callbacks: DialCallbacks): Connection {
  assert(options.port > 0, 'a port counts from 1', options.port);
  assert(options.port <= 0xffff, 'a port has 16 bits', options.port);
  const { clock, flushQueue, limits, timeoutMs, openStream = openTcp } = options;
  const socket = openStream(options.address, options.port);
  const remote = remoteName(options.address, options.port);
  const connection = new Connection(socket, remote, limits, clock, flushQueue);
  const timer = clock.after(timeoutMs, () => {
    const why = `${remote} did not answer within ${timeoutMs} ms`;
    connection.close(CloseReason.Unreachable, new KvorumError(ErrorCode.Unreachable, why));
  });
  awaitHello(connection, options.hello, timer, callbacks);
  writeHello(connection.writer, options.hello);
  return connection;
}

function awaitHello(
  connection: Connection,
  said: Hello,
  timer: Timer,
  callbacks: DialCallbacks,
): void {
  connection.onFrame = (_connection, type, _id, buffer, start, end) => {
    if (type !== FrameType.Hello) {
      const why = `frame type ${type} came before HELLO: is ${connection.remote} a kvorum node?`;
      throw new KvorumError(ErrorCode.HelloExpected, why);
    }
    const heard = decodeHello(buffer, start, end);
    checkAnswer(said, heard, connection.remote);
    timer.cancel();
    connection.hello = heard;
    connection.onFrame = unexpectedFrame;
    callbacks.onReady(connection);
  };
  connection.onClose = (_connection, reason, error) => {
    timer.cancel();
    failed(connection.remote, reason, error, callbacks);
  };
}

function failed(
  remote: string,
  reason: CloseReason,
  error: KvorumError | undefined,
  callbacks: DialCallbacks,
): void {
  if (reason === CloseReason.Lost || reason === CloseReason.Remote) {
    const why = `${remote}: ${networkFault(error?.cause, 'closed before it said HELLO')}`;
    const unreachable = new KvorumError(ErrorCode.Unreachable, why, { cause: error?.cause });
    callbacks.onFailed(CloseReason.Unreachable, unreachable);
    return;
  }
  const given = error ?? new KvorumError(ErrorCode.Unreachable, `${remote}: given up`);
  callbacks.onFailed(reason, given);
}

function unexpectedFrame(connection: Connection, type: number): void {
  const why = `frame type ${type} from ${connection.remote} is not expected here`;
  throw new KvorumError(ErrorCode.FrameUnknown, why);
}
