/** gRPC's side of an HTTP/2 connection: which method a stream is for. */

import { GrpcCode, type RpcStatus } from '../../../include/gateway.ts';
import type { Clock } from '../../clock.ts';
import type { Methods } from '../calls/methods.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { GrpcCall, refuseStream } from './grpc-call.ts';
import type { Budget } from './message-reader.ts';

/** What serving needs. */
export type GrpcServerOptions = {
  readonly methods: Methods;
  readonly budget: Budget;
  readonly clock: Pick<Clock, 'after'>;
};

/** Serves a stream whose content type is gRPC's. */
export function serveGrpc(options: GrpcServerOptions, stream: Http2Stream, path: string): void {
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
