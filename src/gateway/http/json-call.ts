/**
 * A call by the JSON gateway: a POST whose body is the request as JSON, answered by JSON. A method
 * with streams takes objects one behind the other, and answers lines `{"result":…}`.
 */

import { STATUS_CODES } from 'node:http';
import {
  GrpcCode,
  HTTP_STATUS,
  MESSAGE_BYTES_MAX,
  type RpcStatus,
} from '../../../include/gateway.ts';
import type { Clock, Timer } from '../../clock.ts';
import { type Budget, Share } from '../calls/budget.ts';
import { type Call, type Receiver, RpcError } from '../calls/call.ts';
import type { Entry } from '../calls/methods.ts';
import { Pace, UNREAD } from '../calls/pace.ts';
import { deadlineMs } from '../grpc/timeout.ts';
import { encodeBorrowed } from '../protobuf/encode.ts';
import { fromJson, JsonError, toJson } from '../protobuf/json.ts';
import {
  answerText,
  answerWith,
  CORS_HEADERS,
  type Exchange,
  type ExchangeListener,
} from './exchange.ts';
import { JsonSplitter } from './json-splitter.ts';

/** Most bytes of a body, or of one object in it: the largest message as base64, and room. */
export const BODY_BYTES_MAX = 4 * MESSAGE_BYTES_MAX;

const JSON_HEADERS = {
  'content-type': 'application/json',
  'grpc-metadata-content-type': 'application/grpc',
};

/** What a call needs. */
export type JsonCallOptions = {
  readonly budget: Budget;
  readonly clock: Pick<Clock, 'after'>;
};

/** A call that came as JSON. */
export class JsonCall implements Call, ExchangeListener {
  onEnded: (() => void) | undefined = undefined;
  onDrain: () => void = () => {};

  readonly #exchange: Exchange;
  readonly #entry: Entry;
  readonly #splitter: JsonSplitter = new JsonSplitter();
  readonly #receiver: Receiver | undefined;
  readonly #share: Share;
  readonly #pace: Pace = new Pace();
  #parts: Buffer[] = [];
  #partBytes = 0;
  #timer: Timer | undefined = undefined;
  #hasRequest = false;
  #hasHead = false;
  #isEnded = false;
  readonly #startedMs: number;

  constructor(exchange: Exchange, entry: Entry, { budget, clock }: JsonCallOptions) {
    this.#exchange = exchange;
    this.#entry = entry;
    this.#share = new Share(budget);
    this.#startedMs = entry.meter.started();
    const timeoutMs = deadlineMs(exchange.header('grpc-timeout'));
    if (timeoutMs !== undefined) {
      const status = { code: GrpcCode.DeadlineExceeded, message: 'context deadline exceeded' };
      this.#timer = clock.after(timeoutMs, () => this.#fail(status));
    }
    this.#receiver = entry.open?.(this);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get queuedBytes(): number {
    return this.#exchange.queuedBytes;
  }

  metadata(name: string): string | undefined {
    return this.#exchange.header(`grpc-metadata-${name}`) ?? this.#exchange.header(name);
  }

  answer(response: unknown): void {
    if (this.#isEnded) return;
    this.#entry.meter.sentCount += 1;
    this.#settle(GrpcCode.Ok);
    answerWith(this.#exchange, 200, JSON_HEADERS, toJson(this.#entry.method.response, response));
  }

  send(response: unknown): void {
    if (this.#isEnded) return;
    this.#begin(200);
    this.#entry.meter.sentCount += 1;
    this.#exchange.write(`{"result":${toJson(this.#entry.method.response, response)}}\n`);
  }

  end(status: RpcStatus): void {
    if (this.#isEnded) return;
    const { code, message } = status;
    this.#settle(code);
    const httpStatus = HTTP_STATUS[code] ?? 500;
    if (code === GrpcCode.Ok) {
      this.#begin(200);
      this.#exchange.end();
    } else if (this.#entry.method.streamsResponses) {
      this.#begin(httpStatus);
      const http = { http_code: httpStatus, message, http_status: STATUS_CODES[httpStatus] };
      this.#exchange.write(`${JSON.stringify({ error: { grpc_code: code, ...http } })}\n`);
      this.#exchange.end();
    } else answerError(this.#exchange, status);
  }

  // ---- from the exchange ----

  onBody(chunk: Buffer): void {
    if (this.#isEnded) return;
    if (this.#receiver === undefined) {
      this.#partBytes += chunk.length;
      this.#parts.push(chunk);
      this.#keep(this.#partBytes);
      return;
    }
    for (const text of this.#splitter.push(chunk)) this.#take(text);
    if (!this.#isEnded) this.#keep(this.#splitter.keptBytes);
  }

  onEnd(): void {
    if (this.#isEnded) return;
    if (this.#receiver === undefined) {
      this.#take(Buffer.concat(this.#parts).toString());
      return;
    }
    const rest = this.#splitter.rest();
    if (rest !== undefined) this.#take(rest);
    else if (!this.#hasRequest) this.#refuseText('EOF');
    if (!this.#isEnded) this.#receiver.onHalfClose();
  }

  onClosed(): void {
    if (this.#isEnded) return;
    this.#settle(GrpcCode.Canceled);
    this.onEnded?.();
  }

  /** Judges what is kept of a body that is not whole. */
  #keep(bytes: number): void {
    if (bytes > BODY_BYTES_MAX) {
      this.#refuseBody();
      return;
    }
    try {
      this.#share.hold(bytes);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#fail(error.status);
    }
  }

  /** Takes the text of one request. */
  #take(text: string): void {
    if (this.#isEnded) return;
    const { method, handle } = this.#entry;
    let request: unknown;
    try {
      request = fromJson(method.request, text);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      this.#refuseText(error.message);
      return;
    }
    if (text.length > MESSAGE_BYTES_MAX) {
      const { length } = encodeBorrowed(method.request, request);
      if (length > MESSAGE_BYTES_MAX) {
        const why = `larger than max (${length} vs. ${MESSAGE_BYTES_MAX})`;
        const message = `trying to send message ${why}`;
        this.#fail({ code: GrpcCode.ResourceExhausted, message });
        return;
      }
    }
    this.#hasRequest = true;
    this.#entry.meter.receivedCount += 1;
    if (this.#receiver === undefined) handle?.(request, this);
    else if (this.#pace.isTooFast(this.queuedBytes)) this.#fail(UNREAD);
    else this.#receiver.onMessage(request);
  }

  /** A request that cannot be read: of a stream, that is etcd's own fault, it says. */
  #refuseText(message: string): void {
    if (this.#receiver === undefined) {
      this.#fail({ code: GrpcCode.InvalidArgument, message });
      return;
    }
    const isFirst = !this.#hasRequest;
    if (!isFirst || this.#hasHead) {
      this.#fail({ code: GrpcCode.Unknown, message });
      return;
    }
    this.#settle(GrpcCode.Unknown);
    this.onEnded?.();
    answerError(this.#exchange, { code: GrpcCode.Unknown, message });
  }

  #refuseBody(): void {
    this.#settle(GrpcCode.ResourceExhausted);
    this.onEnded?.();
    answerText(this.#exchange, 413, 'Request Entity Too Large\n');
  }

  #fail(status: RpcStatus): void {
    if (this.#isEnded) return;
    this.end(status);
    this.onEnded?.();
  }

  #begin(status: number): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    this.#exchange.respond(status, { ...CORS_HEADERS, ...JSON_HEADERS });
  }

  #settle(code: GrpcCode): void {
    this.#isEnded = true;
    this.#entry.meter.handled(code, this.#startedMs);
    this.#parts = [];
    this.#share.hold(0);
    this.#timer?.cancel();
  }
}

/** Answers with an error in etcd's shape. */
export function answerError(exchange: Exchange, { code, message }: RpcStatus): void {
  const text = JSON.stringify({ error: message, message, code });
  answerWith(exchange, HTTP_STATUS[code] ?? 500, { 'content-type': 'application/json' }, text);
}
