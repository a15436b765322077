/** gRPC calls by node's own HTTP/2: any path, any bytes, and what comes back. */

import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { decode } from '../../src/gateway/protobuf/decode.ts';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import type { Method } from '../../src/gateway/protobuf/schema.ts';

/** What a call came to. */
export type Told = {
  readonly httpStatus: number;
  readonly contentType: string | undefined;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly messages: readonly Buffer[];
  /** The code that the stream was reset with; 0 if it was not. */
  readonly reset: number;
};

/** A message behind gRPC's prefix. */
export function envelope(message: Buffer, isCompressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = isCompressed;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A connection to a server. */
export class GrpcClient {
  readonly #session;

  constructor(endpoint: string) {
    this.#session = connect(`http://${endpoint}`);
    this.#session.on('error', () => undefined);
  }

  /** Sends bytes to a path; resolves when the stream has ended. */
  ask(path: string, body: Buffer, headers: OutgoingHttpHeaders = {}): Promise<Told> {
    const request = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const parts: Buffer[] = [];
    request.on('response', (received) => {
      head = received;
    });
    request.on('trailers', (received) => {
      trailers = received;
    });
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    request.end(body);
    return new Promise((resolve) => {
      request.on('close', () => {
        const all = { ...head, ...trailers };
        const text = (name: string): string | undefined => {
          const value = all[name];
          return typeof value === 'string' ? value : undefined;
        };
        const message = text('grpc-message');
        resolve({
          httpStatus: Number(head[':status']),
          contentType: text('content-type'),
          code: text('grpc-status'),
          message: message === undefined ? undefined : decodeURIComponent(message),
          messages: messagesOf(Buffer.concat(parts)),
          reset: request.rstCode,
        });
      });
    });
  }

  /** Calls a method; rejects unless it ends well. */
  async call<Q, S>(method: Method<Q, S>, request: Partial<Q>): Promise<S> {
    const whole = { ...method.request.create(), ...request };
    const path = `/${method.service}/${method.name}`;
    const told = await this.ask(path, envelope(encode(method.request, whole)));
    const [answer] = told.messages;
    if (told.code !== '0' || answer === undefined) {
      throw new Error(`${method.name}: ${told.code} ${told.message}`);
    }
    return decode(method.response, answer, 0, answer.length);
  }

  close(): void {
    this.#session.destroy();
  }
}

function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
