/**
 * etcd's gRPC as a load generator speaks it: prebuilt HTTP/2 frames on a plain socket.
 *
 * A request is HEADERS + DATA (five bytes of gRPC envelope, then the protobuf message) with stream
 * id and key digits patched. A unary reply is HEADERS, DATA, HEADERS with END_STREAM; a call that
 * failed has no DATA (gRPC's trailers-only answer), so success is told from frame headers alone,
 * but for a transaction, whose answer says whether its compares held.
 */

import { ETCD_METHODS, etcdRequestBody } from './etcd-messages.ts';
import { H2Connection } from './http2-connection.ts';
import { grpcHeaderBlocks, H2Flag, H2Type, h2Frame, h2Opening } from './http2-frames.ts';
import { findField, PADDED_VARINT_BYTES, writePaddedVarint } from './protobuf.ts';
import {
  type Answered,
  KEY_BYTES,
  keyOf,
  keyOffsetsOf,
  leaseOf,
  Operation,
  patchKey,
  type Wire,
} from './wire.ts';

/** Streams whose slot is remembered: far more than any load has in flight on a connection. */
const STREAMS_REMEMBERED = 1 << 14;

const GRPC_ENVELOPE_BYTES = 5;

/**
 * A reset that follows a whole answer (RFC 9113 section 8.1): etcd sends it now and then, when its
 * answer was ready before it had noted the end of the request.
 */
const H2_NO_ERROR = 0;

/** `succeeded` of a TxnResponse. */
const SUCCEEDED_FIELD = 2;

/** Bytes behind a compare's key and before its version: the version's tag. */
const VERSION_TAG_BYTES = 1;

/** A request as it is sent, but for stream ids, key and numbers. */
type Template = {
  readonly bytes: Buffer;
  readonly dataOffset: number;
  readonly keyOffsets: readonly number[];
};

/**
 * Makes one connection's side.
 *
 * @param value what a put writes, and the least a get must bring
 */
export function createEtcdWire(operation: Operation, value: Buffer, authority: string): Wire {
  const wire = new EtcdWire(operation, value, authority);
  return {
    opening: h2Opening(),
    requestBytesMax: wire.requestBytesMax,
    request: (out, offset, slot, keyNumber, version) =>
      wire.request(out, offset, slot, keyNumber, version),
    read: (bytes, answered) => wire.read(bytes, answered),
    takeOwed: () => wire.connection.takeOwed(),
    lastFailure: () => wire.failure,
  };
}

class EtcdWire {
  readonly requestBytesMax: number;
  readonly connection: H2Connection;
  failure = 'none';
  readonly #operation: Operation;
  readonly #first: Template;
  readonly #next: Template;
  readonly #dataBytesMin: number;
  readonly #requestDataBytes: number;
  readonly #slots = new Uint32Array(STREAMS_REMEMBERED);
  readonly #dataBytes = new Uint32Array(STREAMS_REMEMBERED);
  #stream = 1;
  #answered: Answered = () => undefined;

  constructor(operation: Operation, value: Buffer, authority: string) {
    const body = etcdRequestBody(operation, value);
    const blocks = grpcHeaderBlocks(ETCD_METHODS[operation], authority);
    const isGet =
      operation === Operation.GetLinearizable || operation === Operation.GetSerializable;
    this.#operation = operation;
    this.#first = templateOf(blocks.first, body);
    this.#next = templateOf(blocks.next, body);
    this.#dataBytesMin = isGet ? value.length : 1;
    this.#requestDataBytes = body.length;
    this.requestBytesMax = this.#first.bytes.length;
    this.connection = new H2Connection({
      data: (stream, bytes, start, end) => this.#onData(placeOf(stream), bytes, start, end),
      headers: (stream, isLast, bytes, start, end) => {
        if (isLast) this.#onEnd(placeOf(stream), bytes, start, end);
      },
      reset: (stream, code) => {
        if (code === H2_NO_ERROR) return;
        this.failure = `stream reset, code ${code}`;
        this.#answered(this.#slots[placeOf(stream)]!, false);
      },
    });
  }

  request(out: Buffer, offset: number, slot: number, keyNumber: number, version: number): number {
    const stream = this.#stream;
    const template = stream === 1 ? this.#first : this.#next;
    const end = offset + template.bytes.length;
    template.bytes.copy(out, offset);
    out.writeUInt32BE(stream, offset + 5);
    out.writeUInt32BE(stream, offset + template.dataOffset + 5);
    for (const keyOffset of template.keyOffsets) patchKey(out, offset + keyOffset, keyNumber);
    if (this.#operation === Operation.CompareAndSwap) {
      const keyEnd = offset + template.keyOffsets[0]! + KEY_BYTES;
      writePaddedVarint(out, keyEnd + VERSION_TAG_BYTES, version);
    } else if (this.#operation === Operation.LeaseGrant) {
      writePaddedVarint(out, end - PADDED_VARINT_BYTES, leaseOf(keyNumber));
    }
    const place = placeOf(stream);
    this.#slots[place] = slot;
    this.#dataBytes[place] = 0;
    this.#stream += 2;
    this.connection.spend(this.#requestDataBytes);
    return end;
  }

  read(bytes: Buffer, answered: Answered): number {
    this.#answered = answered;
    return this.connection.read(bytes);
  }

  #onData(place: number, bytes: Buffer, start: number, end: number): void {
    if (this.#operation === Operation.CompareAndSwap) {
      const message = start + GRPC_ENVELOPE_BYTES;
      if (findField(bytes, message, end, SUCCEEDED_FIELD) < 0) return;
    }
    this.#dataBytes[place] = this.#dataBytes[place]! + end - start;
  }

  #onEnd(place: number, bytes: Buffer, start: number, end: number): void {
    const isOk = this.#dataBytes[place]! >= this.#dataBytesMin;
    if (!isOk) this.failure = bytes.toString('latin1', start, end);
    this.#answered(this.#slots[place]!, isOk);
  }
}

/** Where what is remembered of a stream lies. */
function placeOf(stream: number): number {
  return (stream >>> 1) & (STREAMS_REMEMBERED - 1);
}

/** HEADERS and DATA of one call, on stream 0 as yet. */
function templateOf(block: Buffer, body: Buffer): Template {
  const headers = h2Frame(H2Type.Headers, H2Flag.EndHeaders, 0, block);
  const data = h2Frame(H2Type.Data, H2Flag.EndStream, 0, body);
  const bytes = Buffer.concat([headers, data]);
  return { bytes, dataOffset: headers.length, keyOffsets: keyOffsetsOf(bytes, keyOf(0)) };
}
