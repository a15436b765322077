/**
 * Protobuf messages as JSON, in etcd's way: the names of proto, 64-bit integers as decimal strings,
 * bytes as base64, enumerations by name; zeros, empty lists and what is not there are left out. In
 * requests also lowerCamelCase names, integers as numbers, enumerations by number; fields that are
 * not known are ignored.
 */

import { MESSAGE_DEPTH_MAX } from './decode.ts';
import { type EnumType, type Field, Kind, type Message, type MessageType } from './schema.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
const UINT32_MAX = 2 ** 32 - 1;

/** A number so long that it may not be exact as a number. */
const LONG_NUMBER = /\d{16}/;

const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={0,2})?$/;

/** JSON that is not such a message. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Writes a message as JSON. */
export function toJson<T>(type: MessageType<T>, message: T): string {
  return writeMessage(type, message as Message);
}

/** Reads a message from JSON; empty text is an empty message. @throws JsonError */
export function fromJson<T>(type: MessageType<T>, text: string): T {
  if (text.trim() === '') return type.create();
  return readMessage(type, parse(text), 1) as T;
}

// ---- out ----

function writeMessage(type: MessageType, message: Message): string {
  let text = '{';
  for (const field of type.fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.isRepeated) {
      const values = value as readonly unknown[];
      if (values.length === 0) continue;
      text += `${text.length > 1 ? ',' : ''}"${field.name}":[`;
      for (let slot = 0; slot < values.length; slot += 1) {
        text +=
          slot === 0 ? writeValue(field, values[slot]) : `,${writeValue(field, values[slot])}`;
      }
      text += ']';
    } else if (field.oneof !== undefined || !isZero(value)) {
      text += `${text.length > 1 ? ',' : ''}"${field.name}":${writeValue(field, value)}`;
    }
  }
  return `${text}}`;
}

function writeValue(field: Field, value: unknown): string {
  switch (field.kind) {
    case Kind.Message:
      return writeMessage(field.message!, value as Message);
    case Kind.Bytes:
      return `"${(value as Buffer).toString('base64')}"`;
    case Kind.String:
      return JSON.stringify(value);
    case Kind.Int32: {
      const name = field.values?.values[value as number];
      return name === undefined ? String(value) : `"${name}"`;
    }
    case Kind.Bool:
    case Kind.Uint32:
      return String(value);
    default:
      return `"${value}"`;
  }
}

function isZero(value: unknown): boolean {
  if (value === 0 || value === 0n || value === false || value === '') return true;
  return Buffer.isBuffer(value) && value.length === 0;
}

// ---- in ----

/** Parses JSON; integers that a number does not hold exactly become bigints. */
function parse(text: string): unknown {
  try {
    if (!LONG_NUMBER.test(text)) return JSON.parse(text);
    return JSON.parse(text, (_name, value: unknown, context?: { source?: string }) => {
      const source = context?.source;
      const isInexact = typeof value === 'number' && !Number.isSafeInteger(value);
      return isInexact && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
    });
  } catch (error) {
    throw new JsonError(error instanceof Error ? error.message : String(error));
  }
}

function readMessage(type: MessageType, value: unknown, depth: number): Message {
  if (depth > MESSAGE_DEPTH_MAX) throw new JsonError('messages lie within each other too deep');
  const message = type.create() as Message;
  if (value === null) return message;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new JsonError(
      `json: cannot unmarshal ${kindOf(value)} into Go value of type ${type.name}`,
    );
  }
  const given = value as { readonly [name: string]: unknown };
  for (const field of type.fields) {
    const found = given[field.name] ?? given[camelCase(field.name)];
    if (found === undefined || found === null) continue;
    if (!field.isRepeated) message[field.name] = readValue(type, field, found, depth);
    else if (Array.isArray(found)) {
      message[field.name] = found.map((each: unknown) => readValue(type, field, each, depth));
    } else throw wrongType(type, field, found);
  }
  return message;
}

function readValue(type: MessageType, field: Field, value: unknown, depth: number): unknown {
  switch (field.kind) {
    case Kind.Message:
      return readMessage(field.message!, value, depth + 1);
    case Kind.Bytes:
      return readBytes(type, field, value);
    case Kind.String:
      if (typeof value === 'string') return value;
      throw wrongType(type, field, value);
    case Kind.Bool:
      if (typeof value === 'boolean') return value;
      throw wrongType(type, field, value);
    case Kind.Int32:
      if (field.values !== undefined) return readEnum(field, field.values, value);
      return Number(readInteger(type, field, value, BigInt(INT32_MIN), BigInt(INT32_MAX)));
    case Kind.Uint32:
      return Number(readInteger(type, field, value, 0n, BigInt(UINT32_MAX)));
    case Kind.Int64:
      return readInteger(type, field, value, INT64_MIN, INT64_MAX);
    case Kind.Uint64:
      return readInteger(type, field, value, 0n, UINT64_MAX);
    case Kind.Int64Number:
      return cut(readInteger(type, field, value, INT64_MIN, INT64_MAX));
    case Kind.Uint64Number:
      return cut(readInteger(type, field, value, 0n, UINT64_MAX));
  }
}

function readBytes(type: MessageType, field: Field, value: unknown): Buffer {
  if (typeof value !== 'string') throw wrongType(type, field, value);
  if (!BASE64.test(value)) throw new JsonError(`illegal base64 data in ${field.name}`);
  return Buffer.from(value, 'base64');
}

function readEnum(field: Field, { name, values }: EnumType, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value | 0;
  const found = typeof value === 'string' ? values.indexOf(value) : -1;
  if (found >= 0) return found;
  throw new JsonError(`unknown value ${JSON.stringify(value)} for enum ${name} in ${field.name}`);
}

function readInteger(
  type: MessageType,
  field: Field,
  value: unknown,
  min: bigint,
  max: bigint,
): bigint {
  const isInteger =
    typeof value === 'bigint' ||
    (typeof value === 'number' && Number.isSafeInteger(value)) ||
    (typeof value === 'string' && /^-?\d{1,20}$/.test(value));
  if (!isInteger) throw wrongType(type, field, value);
  const integer = BigInt(value as bigint | number | string);
  if (integer >= min && integer <= max) return integer;
  throw new JsonError(`json: number ${integer} is out of the range of ${field.name}`);
}

/** A counter, cut to what is exact as a number. */
function cut(value: bigint): number {
  return Math.max(Math.min(Number(value), Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

function wrongType(type: MessageType, field: Field, value: unknown): JsonError {
  const where = `${type.name}.${field.name}`;
  return new JsonError(`json: cannot unmarshal ${kindOf(value)} into Go struct field ${where}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
