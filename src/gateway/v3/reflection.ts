/** gRPC's server reflection: the services and their messages, for tools without .proto files. */

import { GrpcCode } from '../../../include/gateway.ts';
import { type Call, OK, type Receiver } from '../calls/call.ts';
import type { Methods } from '../calls/methods.ts';
import { decode } from '../protobuf/decode.ts';
import { field, Kind, MessageType, type Method } from '../protobuf/schema.ts';
import { FILE_DESCRIPTORS } from '../schema/descriptors.ts';
import {
  type ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionService as ServiceV1,
} from '../schema/reflection-v1.ts';
import { ServerReflectionService as ServiceV1Alpha } from '../schema/reflection-v1alpha.ts';

/** The parts of google.protobuf.FileDescriptorProto that say what is in a file. */
type File = {
  name: string;
  package: string;
  dependency: string[];
  message_type: Described[];
  enum_type: Named[];
  service: Service[];
};

/** An enumeration, or a method. */
type Named = { name: string };

/** A message with its enumerations. */
type Described = { name: string; enum_type: Named[] };

/** A service with its methods. */
type Service = { name: string; method: Named[] };

const Named: MessageType<Named> = new MessageType(
  'google.protobuf.EnumDescriptorProto',
  () => ({ name: '' }),
  () => [field(1, 'name', Kind.String)],
);

const Described: MessageType<Described> = new MessageType(
  'google.protobuf.DescriptorProto',
  () => ({ name: '', enum_type: [] }),
  () => [
    field(1, 'name', Kind.String),
    field(4, 'enum_type', Kind.Message, { message: Named, isRepeated: true }),
  ],
);

const Service: MessageType<Service> = new MessageType(
  'google.protobuf.ServiceDescriptorProto',
  () => ({ name: '', method: [] }),
  () => [
    field(1, 'name', Kind.String),
    field(2, 'method', Kind.Message, { message: Named, isRepeated: true }),
  ],
);

const File: MessageType<File> = new MessageType(
  'google.protobuf.FileDescriptorProto',
  () => ({ name: '', package: '', dependency: [], message_type: [], enum_type: [], service: [] }),
  () => [
    field(1, 'name', Kind.String),
    field(2, 'package', Kind.String),
    field(3, 'dependency', Kind.String, { isRepeated: true }),
    field(4, 'message_type', Kind.Message, { message: Described, isRepeated: true }),
    field(5, 'enum_type', Kind.Message, { message: Named, isRepeated: true }),
    field(6, 'service', Kind.Message, { message: Service, isRepeated: true }),
  ],
);

type Known = { readonly bytes: Buffer; readonly file: File };

/** What the files define, found by names. Made when it is first asked for. */
class Index {
  readonly #byName: Map<string, Known> = new Map();
  readonly #bySymbol: Map<string, Known> = new Map();

  constructor() {
    for (const base64 of FILE_DESCRIPTORS) {
      const bytes = Buffer.from(base64, 'base64');
      const known = { bytes, file: decode(File, bytes, 0, bytes.length) };
      this.#byName.set(known.file.name, known);
      for (const symbol of symbolsOf(known.file)) this.#bySymbol.set(symbol, known);
    }
  }

  /** A file and all that it imports, itself first. */
  byName(name: string): readonly Buffer[] | undefined {
    const first = this.#byName.get(name);
    return first === undefined ? undefined : this.#withImports(first);
  }

  bySymbol(symbol: string): readonly Buffer[] | undefined {
    const first = this.#bySymbol.get(symbol);
    return first === undefined ? undefined : this.#withImports(first);
  }

  #withImports(first: Known): readonly Buffer[] {
    const found = new Set<Known>([first]);
    for (const { file } of found) {
      for (const name of file.dependency) {
        const known = this.#byName.get(name);
        if (known !== undefined) found.add(known);
      }
    }
    return [...found].map(({ bytes }) => bytes);
  }
}

function symbolsOf(file: File): string[] {
  const paths = (scope: string, named: readonly Named[]): string[] =>
    named.map(({ name }) => `${scope}.${name}`);
  const { package: scope, message_type, enum_type, service } = file;
  return [
    ...paths(scope, [...message_type, ...enum_type, ...service]),
    ...message_type.flatMap((each) => paths(`${scope}.${each.name}`, each.enum_type)),
    ...service.flatMap((each) => paths(`${scope}.${each.name}`, each.method)),
  ];
}

/** Adds the service, in both its versions. */
export function addReflection(methods: Methods): void {
  let index: Index | undefined;
  const find = (): Index => {
    index ??= new Index();
    return index;
  };
  const add = (method: Method<ServerReflectionRequest, ServerReflectionResponse>): void => {
    methods.stream(method, (call) => new Reflection(methods, find, call));
  };
  add(ServiceV1.ServerReflectionInfo);
  // The versions differ in their packages only.
  add({
    ...ServiceV1Alpha.ServerReflectionInfo,
    request: ServiceV1.ServerReflectionInfo.request,
    response: ServiceV1.ServerReflectionInfo.response,
  });
}

/** One stream of questions. */
class Reflection implements Receiver<ServerReflectionRequest> {
  readonly #methods: Methods;
  readonly #index: () => Index;
  readonly #call: Call<ServerReflectionResponse>;

  constructor(methods: Methods, index: () => Index, call: Call<ServerReflectionResponse>) {
    this.#methods = methods;
    this.#index = index;
    this.#call = call;
  }

  onMessage(request: ServerReflectionRequest): void {
    const answer = ServerReflectionResponse.create();
    answer.valid_host = request.host;
    answer.original_request = request;
    this.#call.send({ ...answer, ...this.#answer(request) });
  }

  onHalfClose(): void {
    this.#call.end(OK);
  }

  #answer(request: ServerReflectionRequest): Partial<ServerReflectionResponse> {
    if (request.list_services !== undefined) {
      const service = this.#methods.services.map((name) => ({ name })).sort(byName);
      return { list_services_response: { service } };
    }
    const { file_by_filename: name, file_containing_symbol: symbol } = request;
    if (name !== undefined) return filesOf(this.#index().byName(name), name);
    if (symbol !== undefined) return filesOf(this.#index().bySymbol(symbol), symbol);
    const code = GrpcCode.Unimplemented;
    return { error_response: { error_code: code, error_message: 'there are no extensions' } };
  }
}

function filesOf(
  files: readonly Buffer[] | undefined,
  what: string,
): Partial<ServerReflectionResponse> {
  if (files !== undefined)
    return { file_descriptor_response: { file_descriptor_proto: [...files] } };
  const error_message = `not found: ${what}`;
  return { error_response: { error_code: GrpcCode.NotFound, error_message } };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
