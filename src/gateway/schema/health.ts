/**
 * Whether the server serves (gRPC's health checking protocol).
 * Made from proto/health.proto by scripts/schema.ts.
 */

import { type EnumType, field, Kind, MessageType, type Method } from '../protobuf/schema.ts';

export type HealthCheckRequest = {
  service: string;
};

export const HealthCheckRequest: MessageType<HealthCheckRequest> = new MessageType(
  'grpc.health.v1.HealthCheckRequest',
  () => ({ service: '' }),
  () => [field(1, 'service', Kind.String)],
);

export const ServingStatus: EnumType = {
  name: 'grpc.health.v1.HealthCheckResponse.ServingStatus',
  values: ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'],
};

export type HealthCheckResponse = {
  status: number;
};

export const HealthCheckResponse: MessageType<HealthCheckResponse> = new MessageType(
  'grpc.health.v1.HealthCheckResponse',
  () => ({ status: 0 }),
  () => [field(1, 'status', Kind.Int32, { values: ServingStatus })],
);

export const HealthService: {
  readonly Check: Method<HealthCheckRequest, HealthCheckResponse>;
  readonly Watch: Method<HealthCheckRequest, HealthCheckResponse>;
} = {
  Check: {
    service: 'grpc.health.v1.Health',
    name: 'Check',
    request: HealthCheckRequest,
    response: HealthCheckResponse,
    streamsRequests: false,
    streamsResponses: false,
    httpPaths: [],
  },
  Watch: {
    service: 'grpc.health.v1.Health',
    name: 'Watch',
    request: HealthCheckRequest,
    response: HealthCheckResponse,
    streamsRequests: false,
    streamsResponses: true,
    httpPaths: [],
  },
};
