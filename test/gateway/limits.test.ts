/** What clients may begin, ask and leave unread before they are ended, or refused. */

import t from 'tap';
import {
  GrpcCode,
  MESSAGE_BYTES_MAX,
  RENEWALS_WAITING_MAX,
  type RpcStatus,
  STREAM_QUEUED_BYTES_MAX,
  UNARY_CALLS_MAX,
  UNFINISHED_BYTES_MAX,
  UNREAD_REQUESTS_MAX,
} from '../../include/gateway.ts';
import { createSystemClock } from '../../src/clock.ts';
import type { Budget } from '../../src/gateway/calls/budget.ts';
import type { Call, Receiver } from '../../src/gateway/calls/call.ts';
import { CallMeters } from '../../src/gateway/calls/call-meters.ts';
import { Methods } from '../../src/gateway/calls/methods.ts';
import { Pace } from '../../src/gateway/calls/pace.ts';
import { MessageReader } from '../../src/gateway/grpc/message-reader.ts';
import type { Exchange, ExchangeListener } from '../../src/gateway/http/exchange.ts';
import { BODY_BYTES_MAX, JsonCall } from '../../src/gateway/http/json-call.ts';
import type { NodeClient } from '../../src/gateway/node-client.ts';
import { KVService } from '../../src/gateway/schema/kv.ts';
import { LeaseService } from '../../src/gateway/schema/lease.ts';
import { addLease } from '../../src/gateway/v3/lease.ts';

const ADMIT_ALL = { admit: (_call: unknown, proceed: () => void) => proceed(), follow: () => {} };

/** An exchange that keeps what it is answered. */
class FakeExchange implements Exchange {
  readonly method = 'POST';
  readonly path = '/';
  readonly query = new URLSearchParams();
  queuedBytes = 0;
  listener: ExchangeListener | undefined = undefined;
  status = 0;
  text = '';
  header(): undefined {}
  respond(status: number): void {
    this.status = status;
  }
  write(text: string): void {
    this.text += text;
  }
  end(): void {}
}

function jsonCall(budget: Budget) {
  const methods = new Methods(ADMIT_ALL, new CallMeters(createSystemClock()));
  methods.unary(KVService.Put, () => {});
  methods.stream(LeaseService.LeaseKeepAlive, () => ({
    onMessage: () => {},
    onHalfClose: () => {},
  }));
  const exchange = new FakeExchange();
  const open = (path: string): JsonCall =>
    new JsonCall(exchange, methods.findHttp(path)!, { budget, clock: createSystemClock() });
  return { exchange, open };
}

t.test('a message is refused by the length that it announces', async (t) => {
  const budget = { heldBytes: 0 };
  const reader = new MessageReader(budget, undefined);
  const head = (length: number): Buffer => Buffer.from([0, ...u32(length)]);
  reader.push(head(MESSAGE_BYTES_MAX), () => t.fail('it is not whole'));
  t.equal(budget.heldBytes, 5);
  reader.clear();
  t.throws(() => reader.push(head(MESSAGE_BYTES_MAX + 1), () => {}), {
    message: 'grpc: received message larger than max (2097153 vs. 2097152)',
  });
  t.equal(budget.heldBytes, 0);
});

t.test('messages that never become whole share one budget', async (t) => {
  const budget = { heldBytes: UNFINISHED_BYTES_MAX - 10 };
  const reader = new MessageReader(budget, undefined);
  const half = Buffer.concat([Buffer.from([0, ...u32(100)]), Buffer.alloc(5)]);
  reader.push(half, () => {});
  const other = new MessageReader(budget, undefined);
  t.throws(() => other.push(half, () => {}), { message: 'kvorum: too many unfinished requests' });
  reader.clear();
  other.clear();
  t.equal(budget.heldBytes, UNFINISHED_BYTES_MAX - 10, 'all was given back');
});

t.test('so do bodies of JSON', async (t) => {
  const budget = { heldBytes: UNFINISHED_BYTES_MAX - 10 };
  const { exchange, open } = jsonCall(budget);
  const call = open('/v3/kv/put');
  call.onBody(Buffer.from('{"key":"YQ=='));
  t.equal(exchange.status, 429);
  t.match(exchange.text, 'kvorum: too many unfinished requests');
  t.equal(budget.heldBytes, UNFINISHED_BYTES_MAX - 10);

  const stream = open('/v3/lease/keepalive');
  stream.onBody(Buffer.from('{"ID":"1'));
  t.equal(budget.heldBytes, UNFINISHED_BYTES_MAX - 2);
  stream.onBody(Buffer.from('"}'));
  t.equal(budget.heldBytes, UNFINISHED_BYTES_MAX - 10, 'a whole request holds nothing');
  stream.onClosed();
});

t.test('a body too large is refused before it is whole', async (t) => {
  const budget = { heldBytes: 0 };
  const { exchange, open } = jsonCall(budget);
  const call = open('/v3/kv/put');
  call.onBody(Buffer.alloc(BODY_BYTES_MAX, ' '));
  t.equal(exchange.status, 0);
  call.onBody(Buffer.from(' '));
  t.equal(exchange.status, 413);
  t.equal(budget.heldBytes, 0);
});

t.test('who asks and does not read is too fast, who reads now and then is not', async (t) => {
  const pace = new Pace();
  const full = STREAM_QUEUED_BYTES_MAX + 1;
  for (let asked = 0; asked < UNREAD_REQUESTS_MAX; asked += 1) t.notOk(pace.isTooFast(full));
  t.notOk(pace.isTooFast(STREAM_QUEUED_BYTES_MAX));
  for (let asked = 0; asked < UNREAD_REQUESTS_MAX; asked += 1) t.notOk(pace.isTooFast(full));
  t.ok(pace.isTooFast(full));
});

t.test('a stream whose client reads no answers is ended', async (t) => {
  const { exchange, open } = jsonCall({ heldBytes: 0 });
  const call = open('/v3/lease/keepalive');
  exchange.queuedBytes = STREAM_QUEUED_BYTES_MAX + 1;
  call.onBody(Buffer.from('{}'.repeat(UNREAD_REQUESTS_MAX)));
  t.notOk(call.isEnded);
  call.onBody(Buffer.from('{}'));
  t.ok(call.isEnded);
  t.match(exchange.text, 'kvorum: too many requests whose answers are not read');
});

t.test('renewals that the node does not answer have an end', async (t) => {
  const methods = new Methods(ADMIT_ALL, new CallMeters(createSystemClock()));
  const node: Pick<NodeClient, 'ask'> = { ask: () => {} };
  addLease(methods, node as NodeClient);
  let ended: RpcStatus | undefined;
  const call: Partial<Call> = {
    end: (status) => {
      ended = status;
    },
  };
  const entry = methods.find('/etcdserverpb.Lease/LeaseKeepAlive');
  const receiver = entry?.open?.(call as Call) as Receiver;
  for (let sent = 0; sent < RENEWALS_WAITING_MAX; sent += 1) receiver.onMessage({ ID: 1n });
  t.equal(ended, undefined);
  receiver.onMessage({ ID: 1n });
  t.equal(ended?.code, GrpcCode.ResourceExhausted);
});

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

t.test('one unary call above the limit is refused at once', async (t) => {
  const meters = new CallMeters(createSystemClock());
  const methods = new Methods(ADMIT_ALL, meters);
  let handledCount = 0;
  methods.unary(KVService.Put, () => {
    handledCount += 1;
  });
  const entry = methods.find('/etcdserverpb.KV/Put');
  const ends: RpcStatus[] = [];
  const call: Partial<Call> = { end: (status) => ends.push(status) };
  for (let count = 0; count < UNARY_CALLS_MAX; count += 1) {
    entry?.meter.started();
    entry?.handle?.({}, call as Call);
  }
  t.equal(handledCount, UNARY_CALLS_MAX);
  const startedMs = entry?.meter.started() ?? 0;
  entry?.handle?.({}, call as Call);
  t.strictSame(ends, [
    { code: GrpcCode.ResourceExhausted, message: 'etcdserver: too many requests' },
  ]);
  entry?.meter.handled(GrpcCode.ResourceExhausted, startedMs);
  t.equal(meters.unaryUnderWay, UNARY_CALLS_MAX);
});
