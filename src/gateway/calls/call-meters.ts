/**
 * What the gateway counts of its calls, under the names of go-grpc-prometheus, which etcd has. Both
 * gRPC and the JSON gateway count: etcd's JSON gateway is a client of its gRPC.
 */

import { GrpcCode } from '../../../include/gateway.ts';
import { type MetricFamily, REQUEST_SECONDS_BOUNDS } from '../../../include/metrics.ts';
import type { Clock } from '../../clock.ts';
import { counter, Histogram, histogram } from '../../metrics.ts';
import type { Method } from '../protobuf/schema.ts';

/** The codes by number, as gRPC for Go spells them. */
const CODE_NAMES: readonly string[] = Object.keys(GrpcCode).map((name) =>
  name === 'Ok' ? 'OK' : name,
);

/** Counts the calls of one method. */
export class CallMeter {
  readonly method: Method;
  receivedCount = 0;
  sentCount = 0;
  startedCount = 0;
  readonly handledCounts = new Float64Array(CODE_NAMES.length);
  readonly durations = new Histogram(REQUEST_SECONDS_BOUNDS);
  readonly #meters: CallMeters;

  constructor(method: Method, meters: CallMeters) {
    this.method = method;
    this.#meters = meters;
  }

  /** Whether one request gets one answer. */
  get isUnary(): boolean {
    return !this.method.streamsRequests && !this.method.streamsResponses;
  }

  /** A call has begun; returns when, for `handled`. */
  started(): number {
    this.startedCount += 1;
    if (this.isUnary) this.#meters.unaryUnderWay += 1;
    return this.#meters.clock.nowMs();
  }

  /** A call has ended. */
  handled(code: GrpcCode, startedMs: number): void {
    this.handledCounts[code]! += 1;
    if (this.isUnary) this.#meters.unaryUnderWay -= 1;
    this.durations.observe((this.#meters.clock.nowMs() - startedMs) / 1_000);
  }
}

/** Counts the calls of all methods. */
export class CallMeters {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Calls with one request and one answer that have not ended. */
  unaryUnderWay = 0;
  readonly #meters: CallMeter[] = [];

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.clock = clock;
  }

  /** Counts another method, from zero. */
  add(method: Method): CallMeter {
    const meter = new CallMeter(method, this);
    this.#meters.push(meter);
    return meter;
  }

  /** All of it: every series is there from the start. */
  families(): MetricFamily[] {
    const each = (count: (meter: CallMeter) => number) =>
      this.#meters.map((meter) => ({ labels: labelsOf(meter.method), value: count(meter) }));
    return [
      counter(
        'grpc_server_started_total',
        'Calls begun.',
        each((meter) => meter.startedCount),
      ),
      counter(
        'grpc_server_handled_total',
        'Calls ended, by how.',
        this.#meters.flatMap(({ method, handledCounts }) =>
          CODE_NAMES.map((name, code) => ({
            labels: [['grpc_code', name] as const, ...labelsOf(method)],
            value: handledCounts[code]!,
          })),
        ),
      ),
      counter(
        'grpc_server_msg_received_total',
        'Messages received.',
        each((meter) => meter.receivedCount),
      ),
      counter(
        'grpc_server_msg_sent_total',
        'Messages sent.',
        each((meter) => meter.sentCount),
      ),
      histogram(
        'grpc_server_handling_seconds',
        'From the start of a call to its end.',
        REQUEST_SECONDS_BOUNDS,
        this.#meters.map(({ method, durations }) => durations.sample(labelsOf(method))),
      ),
    ];
  }
}

function labelsOf(method: Method) {
  return [
    ['grpc_method', method.name],
    ['grpc_service', method.service],
    ['grpc_type', typeOf(method)],
  ] as const;
}

function typeOf({ streamsRequests, streamsResponses }: Method): string {
  if (streamsRequests) return streamsResponses ? 'bidi_stream' : 'client_stream';
  return streamsResponses ? 'server_stream' : 'unary';
}
