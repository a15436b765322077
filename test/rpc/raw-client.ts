/** For tests: a bare socket to a node, that can say anything and remembers what it hears. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { NO_NODE } from '../../include/node.ts';
import {
  ConnectionRole,
  FrameType,
  type Hello,
  type KvorumError,
  PROTOCOL_VERSION,
} from '../../include/rpc.ts';
import { decodeError, writeHello } from '../../src/rpc/connection-codec.ts';
import { FrameReader } from '../../src/rpc/frame-reader.ts';
import type { FrameWriter } from '../../src/rpc/frame-writer.ts';
import { bytesOf, type Frame } from './frames.ts';

/** The HELLO of a client of any cluster. */
export const CLIENT_HELLO: Hello = {
  version: PROTOCOL_VERSION,
  role: ConnectionRole.Client,
  clusterId: 0n,
  nodeId: NO_NODE,
  targetId: NO_NODE,
};

/** A bare socket to a node. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Settles once the socket is closed, for whatever reason. */
  readonly closed: Promise<void>;
  #onFrame: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader(0xffff_ffff, (type, _flags, id, buffer, start, end) => {
      this.frames.push({ type, id, body: Buffer.from(buffer.subarray(start, end)) });
    });
    socket.on('data', (chunk) => {
      reader.read(chunk);
      this.#onFrame();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  /** Connects to a port of this machine. */
  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Connects, says HELLO and hears the answer. */
  static async greet(port: number, hello: Hello = CLIENT_HELLO): Promise<RawClient> {
    const client = await RawClient.connect(port);
    client.write((writer) => writeHello(writer, hello));
    await client.heard(1);
    return client;
  }

  write(write: (writer: FrameWriter) => void): void {
    this.socket.write(bytesOf(write));
  }

  /** Settles once so many frames have come; fails when the socket closes before. */
  async heard(count: number): Promise<void> {
    while (this.frames.length < count) {
      const next = new Promise<'frame'>((resolve) => {
        this.#onFrame = () => resolve('frame');
      });
      const ended = this.closed.then(() => 'closed' as const);
      if ((await Promise.race([next, ended])) === 'frame') continue;
      if (this.frames.length >= count) return;
      throw new Error(`closed after ${this.frames.length} of ${count} frames`);
    }
  }

  /** The error of the ERROR frame that came last. */
  get lastError(): KvorumError | undefined {
    const frame = this.frames.findLast(({ type }) => type === FrameType.Error);
    return frame === undefined ? undefined : decodeError(frame.body, 0, frame.body.length);
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
