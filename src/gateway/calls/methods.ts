/** The methods that the gateway has, by path and by the JSON gateway's path. */

import { statusOf, UNARY_CALLS_MAX } from '../../../include/gateway.ts';
import { ErrorCode } from '../../../include/rpc.ts';
import type { Method } from '../protobuf/schema.ts';
import { type Call, failCall, type Receiver } from './call.ts';
import type { CallMeter, CallMeters } from './call-meters.ts';
import type { LeaderSight } from './leader-sight.ts';

/** A method and who answers it. Untyped within: `unary` and `stream` see to it that types fit. */
export type Entry = {
  readonly method: Method;
  readonly meter: CallMeter;
  /** Answers a call of one request. */
  readonly handle: ((request: unknown, call: Call) => void) | undefined;
  /** Answers a call of many requests. */
  readonly open: ((call: Call) => Receiver) | undefined;
};

const TOO_MANY = statusOf(ErrorCode.TooManyRequests, '');

/** Who decides whether a call may proceed. */
export type Admission = Pick<LeaderSight, 'admit' | 'follow'>;

/** The methods of the gateway. */
export class Methods {
  readonly #admission: Admission;
  readonly #meters: CallMeters;
  readonly #byPath: Map<string, Entry> = new Map();
  readonly #byHttpPath: Map<string, Entry> = new Map();
  readonly #services: Set<string> = new Set();

  constructor(admission: Admission, meters: CallMeters) {
    this.#admission = admission;
    this.#meters = meters;
  }

  /** Names of the services that there are. */
  get services(): readonly string[] {
    return [...this.#services];
  }

  /** The method at `/service/name`. */
  find(path: string): Entry | undefined {
    return this.#byPath.get(path);
  }

  /** The method at a path of the JSON gateway. */
  findHttp(path: string): Entry | undefined {
    return this.#byHttpPath.get(path);
  }

  /** Adds a method with one request; it may send several answers. */
  unary<Request, Response>(
    method: Method<Request, Response>,
    handle: (request: Request, call: Call<Response>) => void,
  ): void {
    const meters = this.#meters;
    const admitted = (request: Request, call: Call<Response>): void => {
      if (meters.unaryUnderWay > UNARY_CALLS_MAX) return call.end(TOO_MANY);
      this.#admission.admit(call, () => handle(request, call));
    };
    const meter = this.#meters.add(method as Method);
    this.#add({ method, meter, handle: admitted, open: undefined } as Entry);
  }

  /** Adds a method with one request and one answer, which may take its time. */
  answering<Request, Response>(
    method: Method<Request, Response>,
    answer: (request: Request, call: Call<Response>) => Promise<Response>,
  ): void {
    this.unary(method, (request, call) => {
      answer(request, call).then(
        (response) => call.answer(response),
        (error) => failCall(call, error),
      );
    });
  }

  /** Adds a method with many requests. */
  stream<Request, Response>(
    method: Method<Request, Response>,
    open: (call: Call<Response>) => Receiver<Request>,
  ): void {
    const followed = (call: Call<Response>): Receiver<Request> => {
      this.#admission.follow(call);
      return open(call);
    };
    const meter = this.#meters.add(method as Method);
    this.#add({ method, meter, handle: undefined, open: followed } as Entry);
  }

  #add(entry: Entry): void {
    const { service, name, httpPaths } = entry.method;
    this.#services.add(service);
    this.#byPath.set(`/${service}/${name}`, entry);
    for (const path of httpPaths) this.#byHttpPath.set(path, entry);
  }
}
