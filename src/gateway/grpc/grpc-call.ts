/**
 * A gRPC call on an HTTP/2 stream (gRPC over HTTP/2, the protocol's document).
 *
 * Request: HEADERS, messages in DATA. Answer: HEADERS, messages in DATA, HEADERS with the status;
 * without any message the status comes in the first HEADERS.
 */

import { GrpcCode, type RpcStatus } from '../../../include/gateway.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { Budget } from '../calls/budget.ts';
import { type Call, OK, type Receiver, RpcError } from '../calls/call.ts';
import type { Entry } from '../calls/methods.ts';
import { Pace, UNREAD } from '../calls/pace.ts';
import { type Header, writeHeaderBlock } from '../http2/hpack.ts';
import type { Http2Stream, StreamListener } from '../http2/stream.ts';
import { decode, ProtobufError } from '../protobuf/decode.ts';
import { encodeBorrowed } from '../protobuf/encode.ts';
import { MessageReader } from './message-reader.ts';
import { deadlineMs } from './timeout.ts';

/** Content types of gRPC, maybe with the name of a codec; and what is said of other ones. */
const GRPC_TYPE = /^application\/grpc(?:$|[+;])/;

const RESPONSE_HEAD: Buffer = writeHeaderBlock(responseHeaders('application/grpc'));
const TRAILER_OK: Buffer = writeHeaderBlock([
  ['grpc-status', '0'],
  ['grpc-message', ''],
]);

const PREFIX_BYTES = 5;

/** A call that came by gRPC. */
export class GrpcCall implements Call, StreamListener {
  onEnded: (() => void) | undefined = undefined;
  onDrain: () => void = () => {};

  readonly #stream: Http2Stream;
  readonly #entry: Entry;
  readonly #reader: MessageReader;
  #receiver: Receiver | undefined = undefined;
  #timer: Timer | undefined = undefined;
  readonly #pace: Pace = new Pace();
  #hasRequest = false;
  #hasHead = false;
  #isEnded = false;
  readonly #startedMs: number;

  constructor(stream: Http2Stream, entry: Entry, budget: Budget, clock: Pick<Clock, 'after'>) {
    this.#stream = stream;
    this.#entry = entry;
    this.#startedMs = entry.meter.started();
    this.#reader = new MessageReader(budget, this.metadata('grpc-encoding'));
    const timeoutMs = deadlineMs(this.metadata('grpc-timeout'));
    if (timeoutMs !== undefined) this.#timer = clock.after(timeoutMs, () => this.#onDeadline());
    this.#receiver = entry.open?.(this);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  metadata(name: string): string | undefined {
    for (const [each, value] of this.#stream.headers) if (each === name) return value;
    return undefined;
  }

  answer(response: unknown): void {
    this.send(response);
    this.end(OK);
  }

  send(response: unknown): void {
    if (this.#isEnded) return;
    if (!this.#hasHead) {
      this.#hasHead = true;
      this.#stream.respond(this.#head());
    }
    this.#entry.meter.sentCount += 1;
    this.#stream.write(frameMessage(encodeBorrowed(this.#entry.method.response, response)));
  }

  end(status: RpcStatus): void {
    if (this.#isEnded) return;
    const { code } = status;
    this.#settle(code);
    if (!this.#hasHead) {
      refuseStream(this.#stream, status);
    } else if (code === GrpcCode.Ok) this.#stream.end(TRAILER_OK);
    else this.#stream.end(writeHeaderBlock(statusHeaders(status)));
  }

  // ---- from the stream ----

  onData(chunk: Buffer): void {
    if (this.#isEnded) return;
    try {
      this.#reader.push(chunk, this.#onMessage);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#fail(error.status);
    }
  }

  onEnd(): void {
    if (this.#isEnded) return;
    if (this.#reader.isUnfinished) {
      this.#fail({ code: GrpcCode.Unknown, message: 'unexpected EOF' });
    } else if (this.#receiver !== undefined) this.#receiver.onHalfClose();
    else if (!this.#hasRequest) {
      this.#fail({ code: GrpcCode.Unknown, message: 'EOF' });
    }
  }

  onClosed(): void {
    if (this.#isEnded) return;
    this.#settle(GrpcCode.Canceled);
    this.onEnded?.();
  }

  readonly #onMessage = (buffer: Buffer, start: number, end: number): void => {
    // What comes behind the one request of a method without a stream is ignored, as Go does.
    if (this.#isEnded || (this.#hasRequest && this.#receiver === undefined)) return;
    this.#entry.meter.receivedCount += 1;
    let request: unknown;
    try {
      request = decode(this.#entry.method.request, buffer, start, end);
    } catch (error) {
      if (!(error instanceof ProtobufError)) throw error;
      const message = `grpc: error unmarshalling request: ${error.message}`;
      this.#fail({ code: GrpcCode.Internal, message });
      return;
    }
    if (this.#receiver !== undefined) {
      if (this.#pace.isTooFast(this.queuedBytes)) this.#fail(UNREAD);
      else this.#receiver.onMessage(request);
    } else {
      this.#hasRequest = true;
      this.#entry.handle?.(request, this);
    }
  };

  #head(): Buffer {
    const contentType = contentTypeOf(this.#stream);
    if (contentType === 'application/grpc') return RESPONSE_HEAD;
    return writeHeaderBlock(responseHeaders(contentType));
  }

  #onDeadline(): void {
    this.#fail({ code: GrpcCode.DeadlineExceeded, message: 'context deadline exceeded' });
  }

  /** Ends the call for a reason that its service does not know. */
  #fail(status: RpcStatus): void {
    if (this.#isEnded) return;
    this.end(status);
    this.onEnded?.();
  }

  #settle(code: GrpcCode): void {
    this.#isEnded = true;
    this.#entry.meter.handled(code, this.#startedMs);
    this.#timer?.cancel();
    this.#reader.clear();
  }
}

/** Whether a request's content type is gRPC's. */
export function isGrpc(contentType: string): boolean {
  return GRPC_TYPE.test(contentType);
}

/** The answer has the content type of the request. */
function contentTypeOf(stream: Http2Stream): string {
  for (const [name, value] of stream.headers) if (name === 'content-type') return value;
  return 'application/grpc';
}

function responseHeaders(contentType: string): Header[] {
  return [
    [':status', '200'],
    ['content-type', contentType],
  ];
}

/** A message behind its prefix, as bytes of their own. */
function frameMessage(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** Ends a stream that is no call with a status. */
export function refuseStream(stream: Http2Stream, status: RpcStatus): void {
  const headers = [...responseHeaders(contentTypeOf(stream)), ...statusHeaders(status)];
  stream.respond(writeHeaderBlock(headers), true);
}

function statusHeaders({ code, message }: RpcStatus): [name: string, value: string][] {
  return [
    ['grpc-status', String(code)],
    ['grpc-message', encodeMessage(message)],
  ];
}

/** A status message as a header has it: what is not printable ASCII, and `%`, as `%XX`. */
function encodeMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let text = '';
  for (const byte of Buffer.from(message)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
