/**
 * Finds gRPC's messages in the bytes of a request: each is a byte that says whether it is
 * compressed, its length as u32, and itself.
 *
 * Limits: MESSAGE_BYTES_MAX for one message, judged before its bytes are awaited;
 * UNFINISHED_BYTES_MAX for all that is not whole, of all calls that share a budget.
 */

import { GrpcCode, MESSAGE_BYTES_MAX } from '../../../include/gateway.ts';
import { type Budget, Share } from '../calls/budget.ts';
import { RpcError } from '../calls/call.ts';

const HEAD_BYTES = 5;

/** The messages of one request. */
export class MessageReader {
  readonly #share: Share;
  readonly #encoding: string;
  #parts: Buffer[] = [];
  #partBytes = 0;

  /** @param encoding the header `grpc-encoding`: what compressed messages would be */
  constructor(budget: Budget, encoding: string | undefined) {
    this.#share = new Share(budget);
    this.#encoding = encoding ?? 'identity';
  }

  /** Whether a message has begun and is not whole. */
  get isUnfinished(): boolean {
    return this.#partBytes > 0;
  }

  /**
   * Takes the next bytes.
   *
   * @param onMessage told of each message; a view of what was pushed
   * @throws RpcError
   */
  push(chunk: Buffer, onMessage: (buffer: Buffer, start: number, end: number) => void): void {
    let buffer = chunk;
    if (this.#partBytes > 0) {
      if (this.#partBytes >= HEAD_BYTES && this.#partBytes + chunk.length < this.#neededBytes()) {
        this.#keep(chunk);
        return;
      }
      buffer = Buffer.concat([...this.#parts, chunk]);
      this.clear();
    }
    let at = 0;
    while (buffer.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + this.#lengthAt(buffer, at);
      if (end > buffer.length) break;
      onMessage(buffer, at + HEAD_BYTES, end);
      at = end;
    }
    if (at < buffer.length) this.#keep(buffer.subarray(at));
  }

  /** Forgets what is not whole. */
  clear(): void {
    this.#parts = [];
    this.#partBytes = 0;
    this.#share.hold(0);
  }

  #neededBytes(): number {
    if (this.#parts[0]!.length < HEAD_BYTES) this.#parts = [Buffer.concat(this.#parts)];
    return HEAD_BYTES + this.#lengthAt(this.#parts[0]!, 0);
  }

  /** Keeps bytes: a copy, since a view would pin all that came with them. */
  #keep(bytes: Buffer): void {
    this.#partBytes += bytes.length;
    this.#parts.push(Buffer.from(bytes));
    this.#share.hold(this.#partBytes);
  }

  /** The length that is announced. @throws RpcError */
  #lengthAt(buffer: Buffer, at: number): number {
    if (buffer[at] !== 0) throw compressedError(this.#encoding);
    const length = buffer.readUInt32BE(at + 1);
    if (length <= MESSAGE_BYTES_MAX) return length;
    const why = `grpc: received message larger than max (${length} vs. ${MESSAGE_BYTES_MAX})`;
    throw new RpcError(GrpcCode.ResourceExhausted, why);
  }
}

/** Nothing is decompressed. */
function compressedError(encoding: string): RpcError {
  if (encoding === 'identity') {
    const why = 'grpc: compressed flag set with identity or empty encoding';
    return new RpcError(GrpcCode.Internal, why);
  }
  const why = `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`;
  return new RpcError(GrpcCode.Unimplemented, why);
}
