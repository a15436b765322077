/**
 * Writes protobuf messages as their tables say: fields ascending by number, zeros left out.
 *
 * Written from the end to the start: when a message's fields are there, their length is known, and
 * goes before them. So nothing is measured first and nothing is moved.
 */

import { assert } from '../../assert.ts';
import { type Field, Kind, type Message, type MessageType } from './schema.ts';

const START_BYTES = 1024;

/** Below this many bytes a loop copies faster than a call into the engine. */
const COPY_LOOP_BYTES_MAX = 24;

const WIRE_VARINT = 0;
const WIRE_SIZED = 2;
const HIGH_WORD = 0x1_0000_0000;
const WORD = 0xffff_ffffn;

/** Bytes written from the end to the start; reused from message to message. */
class ReverseWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(START_BYTES);
  /** Where the first byte written lies. */
  #start = START_BYTES;

  /** Bytes written. */
  get count(): number {
    return this.#bytes.length - this.#start;
  }

  /** Forgets what was written; a buffer grown large is let go. */
  clear(): void {
    if (this.#bytes.length > 64 * START_BYTES) this.#bytes = Buffer.allocUnsafeSlow(START_BYTES);
    this.#start = this.#bytes.length;
  }

  /** What was written: valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(this.#start);
  }

  bytes(source: Uint8Array): void {
    const count = source.length;
    this.#reserve(count);
    const at = this.#start - count;
    if (count <= COPY_LOOP_BYTES_MAX) {
      const target = this.#bytes;
      for (let i = 0; i < count; i += 1) target[at + i] = source[i]!;
    } else {
      this.#bytes.set(source, at);
    }
    this.#start = at;
  }

  text(value: string): void {
    const count = Buffer.byteLength(value);
    this.#reserve(count);
    this.#start -= count;
    this.#bytes.write(value, this.#start, count, 'utf8');
  }

  /** An unsigned varint from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (value < 0x80) {
      this.#reserve(1);
      this.#start -= 1;
      this.#bytes[this.#start] = value;
      return;
    }
    this.#words(Math.floor(value / HIGH_WORD), value >>> 0);
  }

  /** A varint of 64 bits, from its two words. */
  #words(high: number, low: number): void {
    const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
    const count = Math.max(1, Math.ceil(bits / 7));
    this.#reserve(count);
    let at = this.#start - count;
    this.#start = at;
    const bytes = this.#bytes;
    for (let slot = 1; slot < count; slot += 1) {
      bytes[at] = (low & 0x7f) | 0x80;
      at += 1;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at] = low & 0x7f;
  }

  /** A varint of an integer of either sign: negative ones take ten bytes. */
  signed(value: number): void {
    if (value >= 0) this.varint(value);
    else this.big(BigInt(value));
  }

  /** A varint of a bigint of either sign. */
  big(value: bigint): void {
    const bits = BigInt.asUintN(64, value);
    this.#words(Number(bits >> 32n), Number(bits & WORD));
  }

  #reserve(count: number): void {
    if (count <= this.#start) return;
    const used = this.count;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, used + count));
    this.#bytes.copy(grown, grown.length - used, this.#start);
    this.#bytes = grown;
    this.#start = grown.length - used;
  }
}

const writer = new ReverseWriter();

/** Writes a message. @returns bytes that are valid until the next call */
export function encodeBorrowed<T>(type: MessageType<T>, message: T): Buffer {
  writer.clear();
  writeMessage(type, message as Message);
  return writer.view();
}

/** Writes a message. @returns bytes of their own */
export function encode<T>(type: MessageType<T>, message: T): Buffer {
  return Buffer.from(encodeBorrowed(type, message));
}

function writeMessage(type: MessageType, message: Message): void {
  const { fields } = type;
  for (let slot = fields.length - 1; slot >= 0; slot -= 1) {
    const field = fields[slot]!;
    const value = message[field.name];
    if (value === undefined) continue;
    if (!field.isRepeated) writeField(field, value, field.oneof !== undefined);
    else writeRepeated(field, value as readonly unknown[]);
  }
}

function writeRepeated(field: Field, values: readonly unknown[]): void {
  if (values.length === 0) return;
  if (field.kind >= Kind.String) {
    for (let slot = values.length - 1; slot >= 0; slot -= 1) writeField(field, values[slot], true);
    return;
  }
  const before = writer.count;
  for (let slot = values.length - 1; slot >= 0; slot -= 1) writeScalar(field.kind, values[slot]);
  writer.varint(writer.count - before);
  writer.varint((field.number << 3) | WIRE_SIZED);
}

function writeField(field: Field, value: unknown, isZeroWritten: boolean): void {
  const { kind, number } = field;
  if (kind < Kind.String) {
    if (!isZeroWritten && (value === 0 || value === false || value === 0n)) return;
    writeScalar(kind, value);
    writer.varint((number << 3) | WIRE_VARINT);
    return;
  }
  const before = writer.count;
  if (kind === Kind.Message) writeMessage(field.message!, value as Message);
  else {
    if (!isZeroWritten && (value as Uint8Array | string).length === 0) return;
    if (kind === Kind.Bytes) writer.bytes(value as Uint8Array);
    else writer.text(value as string);
  }
  writer.varint(writer.count - before);
  writer.varint((number << 3) | WIRE_SIZED);
}

function writeScalar(kind: Kind, value: unknown): void {
  switch (kind) {
    case Kind.Bool:
      return writer.varint(value === true ? 1 : 0);
    case Kind.Int32:
    case Kind.Uint32:
    case Kind.Int64Number:
    case Kind.Uint64Number:
      return writer.signed(value as number);
    case Kind.Int64:
    case Kind.Uint64:
      return writer.big(value as bigint);
    default:
      assert(false, 'a scalar is a number or a truth', kind);
  }
}
