/**
 * etcd's gRPC as a load generator speaks it: prebuilt HTTP/2 frames on a plain socket.
 *
 * A request is HEADERS + DATA (five bytes of gRPC envelope, then the protobuf message) with stream
 * id and key digits patched. A unary reply is HEADERS, DATA, HEADERS with END_STREAM; a call that
 * failed has no DATA (gRPC's trailers-only answer), so success is told from frame headers alone.
 *
 * Invariant: what is in flight on one connection fits the server's receive windows, else this
 * throws.
 */

import {
  grpcHeaderBlocks,
  H2_HEADER_BYTES,
  H2_WINDOW_INITIAL,
  H2Flag,
  H2Type,
  h2Frame,
  h2Opening,
  h2WindowUpdate,
} from './http2-frames.ts';
import { type Answered, KEY_BYTES, keyOf, Operation, patchKey, type Wire } from './wire.ts';

/** Streams whose slot is remembered: far more than any load has in flight on a connection. */
const STREAMS_REMEMBERED = 1 << 14;

/** Bytes received after which the connection's window is refilled. */
const REFILL_BYTES = 1 << 29;

const GRPC_ENVELOPE_BYTES = 5;

/** A request as it is sent, but for stream ids and key. */
type Template = { readonly bytes: Buffer; readonly dataOffset: number; readonly keyOffset: number };

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
    request: (out, offset, slot, keyNumber) => wire.request(out, offset, slot, keyNumber),
    read: (bytes, answered) => wire.read(bytes, answered),
    takeOwed: () => wire.takeOwed(),
    lastFailure: () => wire.failure,
  };
}

class EtcdWire {
  readonly requestBytesMax: number;
  failure = 'none';
  readonly #first: Template;
  readonly #next: Template;
  readonly #dataBytesMin: number;
  readonly #requestDataBytes: number;
  readonly #slots = new Uint32Array(STREAMS_REMEMBERED);
  readonly #dataBytes = new Uint32Array(STREAMS_REMEMBERED);
  #stream = 1;
  #sendWindow = H2_WINDOW_INITIAL;
  #receivedBytes = 0;
  #owed: Buffer[] = [];

  constructor(operation: Operation, value: Buffer, authority: string) {
    const body = etcdRequestBody(operation, value);
    const isPut = operation === Operation.Put;
    const path = isPut ? '/etcdserverpb.KV/Put' : '/etcdserverpb.KV/Range';
    const blocks = grpcHeaderBlocks(path, authority);
    this.#first = templateOf(blocks.first, body);
    this.#next = templateOf(blocks.next, body);
    this.#dataBytesMin = isPut ? 1 : value.length;
    this.#requestDataBytes = body.length;
    this.requestBytesMax = this.#first.bytes.length;
  }

  request(out: Buffer, offset: number, slot: number, keyNumber: number): number {
    const stream = this.#stream;
    const template = stream === 1 ? this.#first : this.#next;
    template.bytes.copy(out, offset);
    out.writeUInt32BE(stream, offset + 5);
    out.writeUInt32BE(stream, offset + template.dataOffset + 5);
    patchKey(out, offset + template.keyOffset, keyNumber);
    const place = placeOf(stream);
    this.#slots[place] = slot;
    this.#dataBytes[place] = 0;
    this.#stream += 2;
    this.#sendWindow -= this.#requestDataBytes;
    if (this.#sendWindow < 0) {
      throw new Error('the server did not open its HTTP/2 window in time');
    }
    return offset + template.bytes.length;
  }

  read(bytes: Buffer, answered: Answered): number {
    let at = 0;
    while (bytes.length - at >= H2_HEADER_BYTES) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      const end = at + H2_HEADER_BYTES + length;
      if (end > bytes.length) break;
      this.#readFrame(bytes, at, end, answered);
      at = end;
    }
    if (this.#receivedBytes >= REFILL_BYTES) {
      this.#owed.push(h2WindowUpdate(0, this.#receivedBytes));
      this.#receivedBytes = 0;
    }
    return at;
  }

  takeOwed(): Buffer | undefined {
    if (this.#owed.length === 0) return undefined;
    const all = Buffer.concat(this.#owed);
    this.#owed = [];
    return all;
  }

  #readFrame(bytes: Buffer, at: number, end: number, answered: Answered): void {
    const payloadStart = at + H2_HEADER_BYTES;
    const type = bytes[at + 3]!;
    const place = placeOf(bytes.readUInt32BE(at + 5));
    if (type === H2Type.Data) {
      this.#dataBytes[place] = this.#dataBytes[place]! + end - payloadStart;
      this.#receivedBytes += end - payloadStart;
    } else if (type === H2Type.RstStream) {
      this.failure = `stream reset, code ${bytes.readUInt32BE(payloadStart)}`;
      answered(this.#slots[place]!, false);
    } else if (type !== H2Type.Headers) {
      this.#readControl(bytes, at, end);
    } else if ((bytes[at + 4]! & H2Flag.EndStream) !== 0) {
      const isOk = this.#dataBytes[place]! >= this.#dataBytesMin;
      if (!isOk) this.failure = bytes.toString('latin1', payloadStart, end);
      answered(this.#slots[place]!, isOk);
    }
  }

  #readControl(bytes: Buffer, at: number, end: number): void {
    const payload = bytes.subarray(at + H2_HEADER_BYTES, end);
    const isAck = (bytes[at + 4]! & H2Flag.Ack) !== 0;
    switch (bytes[at + 3]) {
      case H2Type.Settings:
        if (!isAck) this.#owed.push(h2Frame(H2Type.Settings, H2Flag.Ack, 0, Buffer.alloc(0)));
        return;
      case H2Type.Ping:
        if (!isAck) this.#owed.push(h2Frame(H2Type.Ping, H2Flag.Ack, 0, payload));
        return;
      case H2Type.WindowUpdate:
        if (bytes.readUInt32BE(at + 5) === 0) this.#sendWindow += payload.readUInt32BE();
        return;
      case H2Type.GoAway:
        throw new Error(`etcd closed the connection: ${payload.subarray(8).toString('latin1')}`);
    }
  }
}

/** Where what is remembered of a stream lies. */
function placeOf(stream: number): number {
  return (stream >>> 1) & (STREAMS_REMEMBERED - 1);
}

/** The body of a call about key 0: gRPC's envelope and the message. */
export function etcdRequestBody(operation: Operation, value: Buffer): Buffer {
  const message = messageOf(operation, value);
  const envelope = Buffer.alloc(GRPC_ENVELOPE_BYTES);
  envelope.writeUInt32BE(message.length, 1);
  return Buffer.concat([envelope, message]);
}

/** HEADERS and DATA of one call, on stream 0 as yet. */
function templateOf(block: Buffer, body: Buffer): Template {
  const headers = h2Frame(H2Type.Headers, H2Flag.EndHeaders, 0, block);
  const data = h2Frame(H2Type.Data, H2Flag.EndStream, 0, body);
  const bytes = Buffer.concat([headers, data]);
  return { bytes, dataOffset: headers.length, keyOffset: bytes.indexOf(keyOf(0)) };
}

/** PutRequest {key=1, value=2} or RangeRequest {key=1, serializable=7} of etcd's rpc.proto. */
function messageOf(operation: Operation, value: Buffer): Buffer {
  const key = Buffer.concat([Buffer.from([0x0a, KEY_BYTES]), keyOf(0)]);
  if (operation === Operation.GetLinearizable) return key;
  if (operation === Operation.GetSerializable) return Buffer.concat([key, Buffer.from([0x38, 1])]);
  const length =
    value.length < 0x80 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >>> 7];
  return Buffer.concat([key, Buffer.from([0x12, ...length]), value]);
}
