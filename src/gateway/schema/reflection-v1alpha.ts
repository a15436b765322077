/**
 * What the server offers, for tools (gRPC's server reflection protocol).
 * Made from proto/reflection-v1alpha.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';

export type ServerReflectionRequest = {
  host: string;
  file_by_filename: string | undefined;
  file_containing_symbol: string | undefined;
  file_containing_extension: ExtensionRequest | undefined;
  all_extension_numbers_of_type: string | undefined;
  list_services: string | undefined;
};

export const ServerReflectionRequest: MessageType<ServerReflectionRequest> = new MessageType(
  'grpc.reflection.v1alpha.ServerReflectionRequest',
  () => ({
    host: '',
    file_by_filename: undefined,
    file_containing_symbol: undefined,
    file_containing_extension: undefined,
    all_extension_numbers_of_type: undefined,
    list_services: undefined,
  }),
  () => [
    field(1, 'host', Kind.String),
    field(3, 'file_by_filename', Kind.String, { oneof: 'message_request' }),
    field(4, 'file_containing_symbol', Kind.String, { oneof: 'message_request' }),
    field(5, 'file_containing_extension', Kind.Message, {
      message: ExtensionRequest,
      oneof: 'message_request',
    }),
    field(6, 'all_extension_numbers_of_type', Kind.String, { oneof: 'message_request' }),
    field(7, 'list_services', Kind.String, { oneof: 'message_request' }),
  ],
);

export type ExtensionRequest = {
  containing_type: string;
  extension_number: number;
};

export const ExtensionRequest: MessageType<ExtensionRequest> = new MessageType(
  'grpc.reflection.v1alpha.ExtensionRequest',
  () => ({ containing_type: '', extension_number: 0 }),
  () => [field(1, 'containing_type', Kind.String), field(2, 'extension_number', Kind.Int32)],
);

export type ServerReflectionResponse = {
  valid_host: string;
  original_request: ServerReflectionRequest | undefined;
  file_descriptor_response: FileDescriptorResponse | undefined;
  all_extension_numbers_response: ExtensionNumberResponse | undefined;
  list_services_response: ListServiceResponse | undefined;
  error_response: ErrorResponse | undefined;
};

export const ServerReflectionResponse: MessageType<ServerReflectionResponse> = new MessageType(
  'grpc.reflection.v1alpha.ServerReflectionResponse',
  () => ({
    valid_host: '',
    original_request: undefined,
    file_descriptor_response: undefined,
    all_extension_numbers_response: undefined,
    list_services_response: undefined,
    error_response: undefined,
  }),
  () => [
    field(1, 'valid_host', Kind.String),
    field(2, 'original_request', Kind.Message, { message: ServerReflectionRequest }),
    field(4, 'file_descriptor_response', Kind.Message, {
      message: FileDescriptorResponse,
      oneof: 'message_response',
    }),
    field(5, 'all_extension_numbers_response', Kind.Message, {
      message: ExtensionNumberResponse,
      oneof: 'message_response',
    }),
    field(6, 'list_services_response', Kind.Message, {
      message: ListServiceResponse,
      oneof: 'message_response',
    }),
    field(7, 'error_response', Kind.Message, { message: ErrorResponse, oneof: 'message_response' }),
  ],
);

export type FileDescriptorResponse = {
  file_descriptor_proto: Buffer[];
};

export const FileDescriptorResponse: MessageType<FileDescriptorResponse> = new MessageType(
  'grpc.reflection.v1alpha.FileDescriptorResponse',
  () => ({ file_descriptor_proto: [] }),
  () => [field(1, 'file_descriptor_proto', Kind.Bytes, { isRepeated: true })],
);

export type ExtensionNumberResponse = {
  base_type_name: string;
  extension_number: number[];
};

export const ExtensionNumberResponse: MessageType<ExtensionNumberResponse> = new MessageType(
  'grpc.reflection.v1alpha.ExtensionNumberResponse',
  () => ({ base_type_name: '', extension_number: [] }),
  () => [
    field(1, 'base_type_name', Kind.String),
    field(2, 'extension_number', Kind.Int32, { isRepeated: true }),
  ],
);

export type ListServiceResponse = {
  service: ServiceResponse[];
};

export const ListServiceResponse: MessageType<ListServiceResponse> = new MessageType(
  'grpc.reflection.v1alpha.ListServiceResponse',
  () => ({ service: [] }),
  () => [field(1, 'service', Kind.Message, { message: ServiceResponse, isRepeated: true })],
);

export type ServiceResponse = {
  name: string;
};

export const ServiceResponse: MessageType<ServiceResponse> = new MessageType(
  'grpc.reflection.v1alpha.ServiceResponse',
  () => ({ name: '' }),
  () => [field(1, 'name', Kind.String)],
);

export type ErrorResponse = {
  error_code: number;
  error_message: string;
};

export const ErrorResponse: MessageType<ErrorResponse> = new MessageType(
  'grpc.reflection.v1alpha.ErrorResponse',
  () => ({ error_code: 0, error_message: '' }),
  () => [field(1, 'error_code', Kind.Int32), field(2, 'error_message', Kind.String)],
);

export const ServerReflectionService: {
  readonly ServerReflectionInfo: Method<ServerReflectionRequest, ServerReflectionResponse>;
} = {
  ServerReflectionInfo: {
    service: 'grpc.reflection.v1alpha.ServerReflection',
    name: 'ServerReflectionInfo',
    request: ServerReflectionRequest,
    response: ServerReflectionResponse,
    streamsRequests: true,
    streamsResponses: true,
    httpPaths: [],
  },
};
