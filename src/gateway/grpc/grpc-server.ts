/** gRPC's side of an HTTP/2 connection: which method a stream is for. */

import { GrpcCode, type RpcStatus } from '../../../include/gateway.ts';
import type { Clock } from '../../clock.ts';
import type { Budget } from '../calls/budget.ts';
import type { Methods } from '../calls/methods.ts';
import { H2Error } from '../http2/frames.ts';
import { type Header, writeHeaderBlock } from '../http2/hpack.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { GrpcCall, isGrpc, refuseStream } from './grpc-call.ts';
import { isTimeout } from './timeout.ts';

const NOT_ALLOWED: Buffer = writeHeaderBlock([[':status', '405']]);

/** What a request is. */
type Route = {
  readonly path: string;
  readonly isPost: boolean;
  /** By its content type. */
  readonly isMeant: boolean;
  /** Its headers can be understood. */
  readonly isSound: boolean;
};

const routes: WeakMap<readonly Header[], Route> = new WeakMap();

/** What serving needs. */
export type GrpcServerOptions = {
  readonly methods: Methods;
  readonly budget: Budget;
  readonly clock: Pick<Clock, 'after'>;
};

/**
 * Serves a stream that is gRPC's by its content type or its path.
 *
 * @returns whether it is
 */
export function serveGrpc(options: GrpcServerOptions, stream: Http2Stream): boolean {
  const { path, isPost, isMeant, isSound } = routeOf(stream.headers);
  if (!isMeant && options.methods.find(path) === undefined) return false;
  if (!isPost) stream.respond(NOT_ALLOWED, true);
  else if (!isSound) stream.reset(H2Error.Protocol);
  else serveCall(options, stream, path);
  return true;
}

/** What the headers say of a request; most requests of a connection have the very same list. */
function routeOf(headers: readonly Header[]): Route {
  const known = routes.get(headers);
  if (known !== undefined) return known;
  const byName = new Map(headers);
  const isMeant = isGrpc(byName.get('content-type') ?? '');
  const route = {
    path: byName.get(':path') ?? '',
    isPost: byName.get(':method') === 'POST',
    isMeant,
    isSound: isMeant && isTimeout(byName.get('grpc-timeout') ?? '0S'),
  };
  routes.set(headers, route);
  return route;
}

function serveCall(options: GrpcServerOptions, stream: Http2Stream, path: string): void {
  const entry = options.methods.find(path);
  if (entry === undefined) {
    refuseStream(stream, unknownMethod(options.methods, path));
    return;
  }
  stream.listener = new GrpcCall(stream, entry, options.budget, options.clock);
}

/** What Go's server says of a path that no method has. */
function unknownMethod(methods: Methods, path: string): RpcStatus {
  const code = GrpcCode.Unimplemented;
  const [, service, name] = /^\/(.*)\/([^/]*)$/.exec(path) ?? [];
  if (service === undefined) return { code, message: `malformed method name: "${path}"` };
  if (!methods.services.includes(service)) return { code, message: `unknown service ${service}` };
  return { code, message: `unknown method ${name} for service ${service}` };
}
