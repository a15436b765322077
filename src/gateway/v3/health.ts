/** gRPC's health service: the server as a whole serves as long as it answers. */

import { GrpcCode } from '../../../include/gateway.ts';
import { type Call, RpcError } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import { type HealthCheckResponse, HealthService } from '../schema/health.ts';

const SERVING = 1;
const SERVICE_UNKNOWN = 3;

/** Adds the service. */
export function addHealth(methods: Methods): void {
  methods.answering(HealthService.Check, async ({ service }) => {
    if (service === '') return { status: SERVING };
    throw new RpcError(GrpcCode.NotFound, 'unknown service');
  });
  methods.unary(HealthService.Watch, ({ service }, call: Call<HealthCheckResponse>) => {
    // It changes only when the server ends, which ends the stream as well.
    call.send({ status: service === '' ? SERVING : SERVICE_UNKNOWN });
  });
}
