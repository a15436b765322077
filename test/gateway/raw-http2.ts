/** HTTP/2 by hand: a client that can say anything, and a server of nothing but connections. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { createSystemClock } from '../../src/clock.ts';
import { Http2Connection } from '../../src/gateway/http2/connection.ts';
import { H2Flag, H2Frame, PREFACE } from '../../src/gateway/http2/frames.ts';
import { type Header, writeHeaderBlock } from '../../src/gateway/http2/hpack.ts';
import type { Http2Stream } from '../../src/gateway/http2/stream.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';

/** A frame that came. */
export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
};

/** The headers of a plain request. */
export const REQUEST: readonly Header[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'x'],
];

/** A frame as bytes. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A request's HEADERS. */
export function headersFrame(
  streamId: number,
  headers: readonly Header[] = REQUEST,
  isEnd = true,
): Buffer {
  const flags = H2Flag.EndHeaders | (isEnd ? H2Flag.EndStream : 0);
  return frame(H2Frame.Headers, flags, streamId, writeHeaderBlock(headers));
}

/** A number of four bytes. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** What a client says first. */
export const OPENING: Buffer = Buffer.concat([
  PREFACE,
  frame(H2Frame.Settings, 0, 0, Buffer.alloc(0)),
]);

/** A client that reads frames and writes bytes. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** The connection has ended. */
  isClosed = false;
  #rest: Buffer = Buffer.alloc(0);
  #tell: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#tell();
    });
    this.socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The first frame that is meant; rejects when the connection ends without it. */
  async until(isMeant: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(isMeant);
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  #onChunk(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      this.frames.push({
        type: bytes[3]!,
        flags: bytes[4]!,
        streamId: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.#tell();
  }
}

/** A server whose connections are ours; ends with the test. */
export type RawServer = {
  readonly port: number;
  readonly connections: ReadonlySet<Http2Connection>;
};

/** Starts a server. */
export async function serve(t: Test, onStream: (stream: Http2Stream) => void): Promise<RawServer> {
  const clock = createSystemClock();
  const flushQueue = new FlushQueue(clock);
  const connections = new Set<Http2Connection>();
  const server = createServer((socket) => {
    const connection = new Http2Connection(socket, Buffer.alloc(0), {
      clock,
      flushQueue,
      onStream,
      onClosed: (closed) => connections.delete(closed),
    });
    connections.add(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  t.teardown(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return { port: address !== null && typeof address === 'object' ? address.port : 0, connections };
}

const RESPONSE: Buffer = writeHeaderBlock([[':status', '200']]);
const TRAILER: Buffer = writeHeaderBlock([['x-end', '1']]);

/** Answers a request with its own body, and trailers. */
export function echo(stream: Http2Stream): void {
  const parts: Buffer[] = [];
  stream.listener = {
    onData: (chunk) => parts.push(Buffer.from(chunk)),
    onEnd: () => {
      stream.respond(RESPONSE);
      for (const part of parts) stream.write(part);
      stream.end(TRAILER);
    },
    onClosed: () => undefined,
    onDrain: () => undefined,
  };
}
