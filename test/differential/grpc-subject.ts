/**
 * A server's gRPC as a subject: etcd's, or kvorum's. Messages are made from and read as the JSON of
 * the other gateway, so that one file knows how steps are said.
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { decode } from '../../src/gateway/protobuf/decode.ts';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import { fromJson, toJson } from '../../src/gateway/protobuf/json.ts';
import type { Method } from '../../src/gateway/protobuf/schema.ts';
import { KVService } from '../../src/gateway/schema/kv.ts';
import { LeaseService } from '../../src/gateway/schema/lease.ts';
import { WatchService } from '../../src/gateway/schema/watch.ts';
import { answerOf, isJson, type Json, requestOf, watchBody } from './etcd-json.ts';
import type { Refusal, Subject, Watching } from './side.ts';
import type { Answer, Step, WatchStep } from './steps.ts';
import { WatchReader } from './watch-reader.ts';

const PREFIX_BYTES = 5;

/** The methods by the paths of the JSON gateway. */
const METHODS: ReadonlyMap<string, Method> = new Map(
  [KVService, LeaseService, WatchService].flatMap((service) =>
    Object.values(service as Readonly<Record<string, Method>>).flatMap((method) =>
      method.httpPaths.map((path): [string, Method] => [path, method]),
    ),
  ),
);

/** gRPC on a port of this machine. */
export class GrpcSubject implements Subject {
  readonly #port: number;
  #session: ClientHttp2Session | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Closes its connection. */
  close(): void {
    this.#session?.destroy();
  }

  async ask(step: Step): Promise<Answer> {
    if ('restart' in step) return {};
    const [path, body] = requestOf(step);
    const messages: Json[] = [];
    const { method, stream } = this.#open(path, body, (message) => messages.push(message));
    stream.end();
    const status = await statusOf(stream);
    if (status.code !== 0) return answerOf(step, { error: status.message, code: status.code });
    const [first = {}] = messages;
    return answerOf(step, method.streamsResponses ? { result: first } : first);
  }

  async watch(step: WatchStep): Promise<Watching | Refusal> {
    const { stream } = this.#open('/v3/watch', watchBody(step), (message) => reader.read(message));
    const reader = new WatchReader(step, () => stream.close());
    stream.on('error', () => undefined); // the watch was ended here, or the server was
    stream.on('close', () => reader.closed());
    return reader.opening;
  }

  /** Opens a stream with one request; the caller may end it. */
  #open(path: string, body: Json, onMessage: (message: Json) => void) {
    const method = METHODS.get(path);
    if (method === undefined) throw new Error(`no method is at ${path}`);
    const request = encode(method.request, fromJson(method.request, JSON.stringify(body)));
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(request.length, 1);
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': `/${method.service}/${method.name}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let chunks: Buffer[] = [];
    let sizeBytes = 0;
    // Of the message that has begun: put together once, however many chunks it comes in.
    let wantedBytes = PREFIX_BYTES;
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes < wantedBytes) return;
      let bytes = Buffer.concat(chunks);
      for (;;) {
        wantedBytes = PREFIX_BYTES;
        if (bytes.length >= PREFIX_BYTES) wantedBytes += bytes.readUInt32BE(1);
        if (bytes.length < wantedBytes) break;
        const message = decode(method.response, bytes, PREFIX_BYTES, wantedBytes);
        const json: unknown = JSON.parse(toJson(method.response, message));
        bytes = bytes.subarray(wantedBytes);
        onMessage(isJson(json) ? json : {});
      }
      chunks = [bytes];
      sizeBytes = bytes.length;
    });
    stream.write(Buffer.concat([prefix, request]));
    return { method, stream };
  }

  #connected(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.destroyed || this.#session.closed) {
      this.#session = connect(`http://127.0.0.1:${this.#port}`);
      this.#session.on('error', () => undefined);
    }
    return this.#session;
  }
}

function statusOf(stream: ClientHttp2Stream): Promise<{ code: number; message: string }> {
  return new Promise((resolve, reject) => {
    let code: unknown;
    let message: unknown;
    const take = (headers: Readonly<Record<string, unknown>>): void => {
      code ??= headers['grpc-status'];
      message ??= headers['grpc-message'];
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', reject);
    stream.on('close', () => {
      resolve({ code: Number(code), message: decodeURIComponent(String(message ?? '')) });
    });
  });
}
