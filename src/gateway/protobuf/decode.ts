/**
 * Reads protobuf messages from bytes, as their tables say.
 *
 * Unknown fields are skipped, of a member of a oneof the last one counts. Strings and bytes are
 * views of or copies from the buffer: bytes share its memory.
 *
 * Limits: MESSAGE_DEPTH_MAX messages within each other; nothing is allocated for a length that the
 * buffer does not hold. Source: the protobuf encoding specification.
 */

import { type Field, Kind, type Message, type MessageType } from './schema.ts';

/** Most messages within each other: far more than any request needs, far less than the stack. */
export const MESSAGE_DEPTH_MAX = 100;

const WireType = { Varint: 0, Fixed64: 1, Sized: 2, GroupStart: 3, GroupEnd: 4, Fixed32: 5 };

const VARINT_BYTES_MAX = 10;
const HIGH_WORD = 0x1_0000_0000;
const NEGATIVE_HIGH_MIN = 0x8000_0000;

/** A message that cannot be understood. The text is what Go's protobuf says of it. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** Reads a message. @throws ProtobufError */
export function decode<T>(type: MessageType<T>, buffer: Buffer, start: number, end: number): T {
  return new Decoder(buffer).message(type, start, end, 1) as T;
}

/** Reads from one buffer. */
class Decoder {
  readonly #buffer: Buffer;
  #position = 0;
  /** The words of the varint read last. */
  #low = 0;
  #high = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  message(type: MessageType, start: number, end: number, depth: number): Message {
    if (depth > MESSAGE_DEPTH_MAX) throw new ProtobufError('proto: exceeded max recursion depth');
    const message = type.create() as Message;
    const { byNumber } = type;
    this.#position = start;
    while (this.#position < end) {
      this.#varint(end);
      const number = this.#low >>> 3;
      const wireType = this.#low & 7;
      if (number === 0 || this.#high !== 0) {
        throw new ProtobufError(`proto: ${shortName(type)}: illegal tag ${number} (wire type)`);
      }
      const field = byNumber[number];
      if (field === undefined) this.#skip(wireType, end, depth);
      else this.#field(type, message, field, wireType, end, depth);
    }
    return message;
  }

  #field(
    type: MessageType,
    message: Message,
    field: Field,
    wireType: number,
    end: number,
    depth: number,
  ): void {
    const { kind, name, isRepeated } = field;
    if (kind >= Kind.String) {
      if (wireType !== WireType.Sized) throw wrongWireType(wireType, name);
      const valueEnd = this.#sizedEnd(end);
      const value = this.#sized(field, valueEnd, depth);
      this.#position = valueEnd;
      if (isRepeated) (message[name] as unknown[]).push(value);
      else setField(type, message, field, value);
    } else if (wireType === WireType.Varint) {
      this.#varint(end);
      const value = this.#scalar(kind);
      if (isRepeated) (message[name] as unknown[]).push(value);
      else setField(type, message, field, value);
    } else if (wireType === WireType.Sized && isRepeated) {
      const valueEnd = this.#sizedEnd(end);
      while (this.#position < valueEnd) {
        this.#varint(valueEnd);
        (message[name] as unknown[]).push(this.#scalar(kind));
      }
    } else throw wrongWireType(wireType, name);
  }

  #sized(field: Field, end: number, depth: number): unknown {
    const start = this.#position;
    if (field.kind === Kind.Bytes) return this.#buffer.subarray(start, end);
    if (field.kind === Kind.String) return this.#buffer.toString('utf8', start, end);
    return this.message(field.message!, start, end, depth + 1);
  }

  #scalar(kind: Kind): unknown {
    switch (kind) {
      case Kind.Bool:
        return this.#low !== 0 || this.#high !== 0;
      case Kind.Int32:
        return this.#low | 0;
      case Kind.Uint32:
        return this.#low >>> 0;
      case Kind.Int64Number:
        return this.#high === 0 ? this.#low : signedNumber(this.#high, this.#low);
      case Kind.Uint64Number:
        return Math.min(this.#high * HIGH_WORD + this.#low, Number.MAX_SAFE_INTEGER);
      case Kind.Uint64:
        return this.#bigint();
      default:
        return this.#high === 0 && this.#low === 0 ? 0n : BigInt.asIntN(64, this.#bigint());
    }
  }

  #bigint(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  /** Reads a length; returns where what is so long ends. */
  #sizedEnd(end: number): number {
    this.#varint(end);
    if (this.#high !== 0)
      throw new ProtobufError('proto: negative length found during unmarshaling');
    const sizedEnd = this.#position + this.#low;
    if (sizedEnd > end) throw truncated();
    return sizedEnd;
  }

  /** Reads a varint into `#low` and `#high`, words without sign. */
  #varint(end: number): void {
    const buffer = this.#buffer;
    let at = this.#position;
    if (at >= end) throw truncated();
    const first = buffer[at]!;
    if (first < 0x80) {
      this.#low = first;
      this.#high = 0;
      this.#position = at + 1;
      return;
    }
    let low = 0;
    let high = 0;
    for (let slot = 0; slot < VARINT_BYTES_MAX; slot += 1) {
      if (at >= end) throw truncated();
      const byte = buffer[at]!;
      at += 1;
      const bits = byte & 0x7f;
      if (slot < 4) low |= bits << (7 * slot);
      else if (slot === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * slot - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        this.#position = at;
        return;
      }
    }
    throw new ProtobufError('proto: integer overflow');
  }

  #skip(wireType: number, end: number, depth: number): void {
    switch (wireType) {
      case WireType.Varint:
        this.#varint(end);
        return;
      case WireType.Fixed64:
        this.#advance(8, end);
        return;
      case WireType.Fixed32:
        this.#advance(4, end);
        return;
      case WireType.Sized:
        this.#position = this.#sizedEnd(end);
        return;
      case WireType.GroupStart:
        this.#skipGroup(end, depth + 1);
        return;
      default:
        throw new ProtobufError(`proto: illegal wireType ${wireType}`);
    }
  }

  #skipGroup(end: number, depth: number): void {
    if (depth > MESSAGE_DEPTH_MAX) throw new ProtobufError('proto: exceeded max recursion depth');
    for (;;) {
      this.#varint(end);
      const wireType = this.#low & 7;
      if (wireType === WireType.GroupEnd) return;
      this.#skip(wireType, end, depth);
    }
  }

  #advance(count: number, end: number): void {
    if (this.#position + count > end) throw truncated();
    this.#position += count;
  }
}

function setField(type: MessageType, message: Message, field: Field, value: unknown): void {
  const { name, oneof } = field;
  if (oneof !== undefined) {
    for (const other of type.fields) {
      if (other.oneof === oneof && other !== field) message[other.name] = undefined;
    }
  }
  message[name] = value;
}

/** A number of either sign, cut to what is exact. */
function signedNumber(high: number, low: number): number {
  if (high < NEGATIVE_HIGH_MIN) return Math.min(high * HIGH_WORD + low, Number.MAX_SAFE_INTEGER);
  return Math.max((high - HIGH_WORD) * HIGH_WORD + low, Number.MIN_SAFE_INTEGER);
}

function shortName(type: MessageType): string {
  return type.name.slice(type.name.lastIndexOf('.') + 1);
}

function wrongWireType(wireType: number, name: string): ProtobufError {
  return new ProtobufError(`proto: wrong wireType = ${wireType} for field ${goName(name)}`);
}

/** A field's name as Go's generated code has it: `range_end` is RangeEnd. */
function goName(name: string): string {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function truncated(): ProtobufError {
  return new ProtobufError('unexpected EOF');
}
