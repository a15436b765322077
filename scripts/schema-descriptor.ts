/**
 * Writes google.protobuf.FileDescriptorProto messages, field by field. Source: descriptor.proto of
 * the protobuf project, whose numbers are below.
 */

import type { ProtoEnum, ProtoField, ProtoFile, ProtoMessage } from './schema-parser.ts';

const SCALAR_TYPES: Readonly<Record<string, number>> = {
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
};
const TYPE_MESSAGE = 11;
const TYPE_ENUM = 14;
const LABEL_OPTIONAL = 1;
const LABEL_REPEATED = 3;
const JS_NUMBER = 2;

/** The descriptor of a file. */
export function describeFile(file: ProtoFile, files: readonly ProtoFile[]): Buffer {
  const known = file.imports.filter((name) => files.some((other) => other.name === name));
  return Buffer.concat([
    text(1, file.name),
    text(2, file.package),
    ...known.map((name) => text(3, name)),
    ...file.messages.map((message) => sized(4, describeMessage(file, message, files))),
    ...file.enums.map((each) => sized(5, describeEnum(each))),
    ...file.services.map((service) =>
      sized(
        6,
        Buffer.concat([
          text(1, service.name),
          ...service.methods.map((method) =>
            sized(
              2,
              Buffer.concat([
                text(1, method.name),
                text(2, pathOf(method.request, file, undefined, files).path),
                text(3, pathOf(method.response, file, undefined, files).path),
                ...(method.streamsRequests ? [number(5, 1)] : []),
                ...(method.streamsResponses ? [number(6, 1)] : []),
              ]),
            ),
          ),
        ]),
      ),
    ),
    text(12, 'proto3'),
  ]);
}

function describeMessage(
  file: ProtoFile,
  message: ProtoMessage,
  files: readonly ProtoFile[],
): Buffer {
  const oneofs = [...new Set(message.fields.flatMap((each) => each.oneof ?? []))];
  return Buffer.concat([
    text(1, message.name),
    ...message.fields.map((each) => sized(2, describeField(file, message, each, oneofs, files))),
    ...message.enums.map((each) => sized(4, describeEnum(each))),
    ...oneofs.map((name) => sized(8, text(1, name))),
  ]);
}

function describeField(
  file: ProtoFile,
  message: ProtoMessage,
  each: ProtoField,
  oneofs: readonly string[],
  files: readonly ProtoFile[],
): Buffer {
  const scalar = SCALAR_TYPES[each.type];
  const named = scalar === undefined ? pathOf(each.type, file, message, files) : undefined;
  return Buffer.concat([
    text(1, each.name),
    number(3, each.number),
    number(4, each.isRepeated ? LABEL_REPEATED : LABEL_OPTIONAL),
    number(5, scalar ?? (named?.isEnum ? TYPE_ENUM : TYPE_MESSAGE)),
    ...(named === undefined ? [] : [text(6, named.path)]),
    ...(each.isNumber ? [sized(8, number(6, JS_NUMBER))] : []),
    ...(each.oneof === undefined ? [] : [number(9, oneofs.indexOf(each.oneof))]),
    text(
      10,
      each.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ),
  ]);
}

function describeEnum({ name, values }: ProtoEnum): Buffer {
  const value = (each: string, slot: number): Buffer =>
    sized(2, Buffer.concat([text(1, each), number(2, slot)]));
  return Buffer.concat([text(1, name), ...values.map(value)]);
}

/** The full path of a type. */
function pathOf(
  name: string,
  file: ProtoFile,
  within: ProtoMessage | undefined,
  files: readonly ProtoFile[],
): { readonly path: string; readonly isEnum: boolean } {
  if (within?.enums.some((each) => each.name === name)) {
    return { path: `.${file.package}.${within.name}.${name}`, isEnum: true };
  }
  for (const other of [file, ...files.filter((each) => file.imports.includes(each.name))]) {
    const full = name.startsWith(`${other.package}.`) ? name : `${other.package}.${name}`;
    const isIn = (types: readonly { readonly name: string }[]): boolean =>
      types.some((each) => `${other.package}.${each.name}` === full);
    if (isIn(other.messages)) return { path: `.${full}`, isEnum: false };
    if (isIn(other.enums)) return { path: `.${full}`, isEnum: true };
  }
  throw new Error(`${file.name}: unknown type ${name}`);
}

function text(field: number, value: string): Buffer {
  return sized(field, Buffer.from(value));
}

function sized(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
