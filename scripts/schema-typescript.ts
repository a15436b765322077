/** Writes the tables and types of src/gateway/schema, and the descriptors beside them. */

import type { ProtoEnum, ProtoField, ProtoFile, ProtoMessage } from './schema-parser.ts';

/** Kind, TypeScript type and zero of scalars. */
const SCALARS: Readonly<Record<string, readonly [kind: string, type: string, zero: string]>> = {
  bool: ['Bool', 'boolean', 'false'],
  int32: ['Int32', 'number', '0'],
  uint32: ['Uint32', 'number', '0'],
  int64: ['Int64', 'bigint', '0n'],
  uint64: ['Uint64', 'bigint', '0n'],
  string: ['String', 'string', "''"],
  bytes: ['Bytes', 'Buffer', 'NO_BYTES'],
};

/** What a type's name means. */
type Meaning =
  | { readonly kind: 'enum'; readonly enumeration: ProtoEnum; readonly file: ProtoFile }
  | { readonly kind: 'message'; readonly message: ProtoMessage; readonly file: ProtoFile };

/** Finds a type by the name that a file uses for it, maybe within a message. */
function meaningOf(
  name: string,
  file: ProtoFile,
  within: ProtoMessage | undefined,
  files: readonly ProtoFile[],
): Meaning {
  const nested = within?.enums.find((each) => each.name === name);
  if (nested !== undefined) return { kind: 'enum', enumeration: nested, file };
  for (const other of [file, ...files]) {
    const isNear = other === file || file.imports.includes(other.name);
    if (!isNear) continue;
    const prefix = `${other.package}.`;
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    if (bare === name && other.package !== file.package) continue;
    const message = other.messages.find((each) => each.name === bare);
    if (message !== undefined) return { kind: 'message', message, file: other };
    const enumeration = other.enums.find((each) => each.name === bare);
    if (enumeration !== undefined) return { kind: 'enum', enumeration, file: other };
  }
  throw new Error(`${file.name}: unknown type ${name}`);
}

/** The TypeScript of a file. */
export function writeSchema(file: ProtoFile, files: readonly ProtoFile[]): string {
  const body = [
    ...file.enums.map((each) => writeEnum(file.package, each)),
    ...file.messages.flatMap((message) => [
      ...message.enums.map((each) => writeEnum(`${file.package}.${message.name}`, each)),
      writeType(file, message, files),
      writeTable(file, message, files),
    ]),
    ...file.services.flatMap((service) => writeService(file, service, files)),
  ].join('\n');
  const comment = file.comment.replace(/\.$/, '');
  const source = `Made from proto/${file.name} by scripts/schema.ts.`;
  const head = `/**\n * ${comment}.\n * ${source}\n */\n\n`;
  const zero = body.includes('NO_BYTES') ? '\nconst NO_BYTES: Buffer = Buffer.alloc(0);\n' : '';
  return `${head}${writeImports(file, files, body)}${zero}\n${body}`;
}

function writeImports(file: ProtoFile, files: readonly ProtoFile[], body: string): string {
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(body);
  const values = ['Kind', 'field', 'MessageType'].filter(isUsed);
  const types = ['EnumType', 'Method'].filter(isUsed).map((name) => `type ${name}`);
  const lines = [`import { ${[...values, ...types].join(', ')} } from '../protobuf/schema.ts';`];
  for (const name of file.imports) {
    const other = files.find((each) => each.name === name);
    if (other === undefined) continue;
    const names = [...other.messages, ...other.enums].map((each) => each.name).filter(isUsed);
    if (names.length === 0) continue;
    lines.push(`import { ${names.join(', ')} } from './${name.replace('.proto', '.ts')}';`);
  }
  return `${lines.join('\n')}\n`;
}

function writeEnum(scope: string, { name, values }: ProtoEnum): string {
  const list = values.map((value) => `'${value}'`).join(', ');
  return `export const ${name}: EnumType = { name: '${scope}.${name}', values: [${list}] };\n`;
}

function writeType(file: ProtoFile, message: ProtoMessage, files: readonly ProtoFile[]): string {
  const lines = message.fields.map((each) => {
    const type = typeOf(file, message, each, files);
    if (each.isRepeated) return `  ${each.name}: ${type}[];`;
    return `  ${each.name}: ${type}${isOptional(type, each) ? ' | undefined' : ''};`;
  });
  if (lines.length === 0) return `export type ${message.name} = Record<string, never>;\n`;
  return `export type ${message.name} = {\n${lines.join('\n')}\n};\n`;
}

function isOptional(type: string, each: ProtoField): boolean {
  const isScalar = each.type in SCALARS || type === 'number';
  return each.oneof !== undefined || !isScalar;
}

function typeOf(
  file: ProtoFile,
  message: ProtoMessage,
  each: ProtoField,
  files: readonly ProtoFile[],
): string {
  if (each.isNumber) return 'number';
  const scalar = SCALARS[each.type];
  if (scalar !== undefined) return scalar[1];
  const meaning = meaningOf(each.type, file, message, files);
  return meaning.kind === 'enum' ? 'number' : meaning.message.name;
}

function writeTable(file: ProtoFile, message: ProtoMessage, files: readonly ProtoFile[]): string {
  const { name } = message;
  const zeros = message.fields.map((each) => `${each.name}: ${zeroOf(file, message, each, files)}`);
  const fields = [...message.fields].sort((a, b) => a.number - b.number);
  const rows = fields.map((each) => `    ${rowOf(file, message, each, files)},`);
  const list = rows.length === 0 ? '[]' : `[\n${rows.join('\n')}\n  ]`;
  return `export const ${name}: MessageType<${name}> = new MessageType(
  '${file.package}.${name}',
  () => ({ ${zeros.join(', ')} }),
  () => ${list},
);
`;
}

function zeroOf(
  file: ProtoFile,
  message: ProtoMessage,
  each: ProtoField,
  files: readonly ProtoFile[],
): string {
  if (each.isRepeated) return '[]';
  const type = typeOf(file, message, each, files);
  if (isOptional(type, each)) return 'undefined';
  return each.isNumber ? '0' : (SCALARS[each.type]?.[2] ?? '0');
}

function rowOf(
  file: ProtoFile,
  message: ProtoMessage,
  each: ProtoField,
  files: readonly ProtoFile[],
): string {
  const traits: string[] = [];
  let kind = SCALARS[each.type]?.[0];
  if (each.isNumber) kind = `${kind}Number`;
  if (kind === undefined) {
    const meaning = meaningOf(each.type, file, message, files);
    kind = meaning.kind === 'enum' ? 'Int32' : 'Message';
    if (meaning.kind === 'enum') traits.push(`values: ${meaning.enumeration.name}`);
    else traits.push(`message: ${meaning.message.name}`);
  }
  if (each.isRepeated) traits.push('isRepeated: true');
  if (each.oneof !== undefined) traits.push(`oneof: '${each.oneof}'`);
  const more = traits.length === 0 ? '' : `, { ${traits.join(', ')} }`;
  return `field(${each.number}, '${each.name}', Kind.${kind}${more})`;
}

function writeService(
  file: ProtoFile,
  service: ProtoFile['services'][number],
  files: readonly ProtoFile[],
): string[] {
  const rows = service.methods.map((method) => {
    const nameOf = (type: string): string => {
      const meaning = meaningOf(type, file, undefined, files);
      return meaning.kind === 'message' ? meaning.message.name : '';
    };
    const [request, response] = [nameOf(method.request), nameOf(method.response)];
    const type = `Method<${request}, ${response}>`;
    return {
      type: `  readonly ${method.name}: ${type};`,
      value: `  ${method.name}: {
    service: '${file.package}.${service.name}',
    name: '${method.name}',
    request: ${request},
    response: ${response},
    streamsRequests: ${method.streamsRequests},
    streamsResponses: ${method.streamsResponses},
    httpPaths: [${method.httpPaths.map((path) => `'${path}'`).join(', ')}],
  },`,
    };
  });
  const types = rows.map((row) => row.type).join('\n');
  const values = rows.map((row) => row.value).join('\n');
  return [`export const ${service.name}Service: {\n${types}\n} = {\n${values}\n};\n`];
}

/** The descriptors of all files, for server reflection. */
export function writeDescriptors(descriptors: readonly Buffer[]): string {
  const entries = descriptors.map((bytes) => {
    const lines = bytes.toString('base64').match(/.{1,90}/g) ?? [];
    return `  ${lines.map((line) => `'${line}'`).join(' +\n    ')},`;
  });
  return `/**
 * The files of proto/ for server reflection, each a google.protobuf.FileDescriptorProto as base64,
 * in the order of their names. Made by scripts/schema.ts.
 */

export const FILE_DESCRIPTORS: readonly string[] = [
${entries.join('\n')}
];
`;
}
