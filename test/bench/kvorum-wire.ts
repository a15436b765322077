/**
 * kvorum's own protocol as the load generator speaks it: one prebuilt frame, in which the id and
 * the digits of the key are patched; of a reply only the header is looked at.
 *
 * The id of a request is its slot plus one, so that a reply leads to its slot without a table.
 */

import {
  CompareResult,
  CompareTarget,
  NO_RANGE_END,
  OpKind,
  type RangeRequest,
  SortOrder,
  SortTarget,
} from '../../include/kvstore.ts';
import {
  FRAME_HEADER_BYTES,
  FRAME_LENGTH_BYTES,
  FrameType,
  type Reply,
  type Request,
} from '../../include/rpc.ts';
import {
  decodeError,
  decodeRedirect,
  decodeStamp,
  writePong,
} from '../../src/rpc/connection-codec.ts';
import { writeReply } from '../../src/rpc/reply-codec.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { framesOf, helloFrame } from './kvorum-frames.ts';
import {
  keyOf,
  keyOffsetsOf,
  LEASE_SECONDS,
  leaseOf,
  Operation,
  patchKey,
  type Wire,
} from './wire.ts';

const TYPE_OFFSET = 4;
const ID_OFFSET = 6;

/**
 * Makes one connection's side.
 *
 * @param value what a put writes, and the least a get must bring
 */
export function createKvorumWire(operation: Operation, value: Buffer): Wire {
  const { bytes: template, numberOffset } = templateOf(operation, value);
  const keyOffsets = keyOffsetsOf(template, keyOf(0));
  const isGet = operation === Operation.GetLinearizable || operation === Operation.GetSerializable;
  const replyBytesMin = isGet ? value.length : 0;
  const okOffset = successOffset(operation);
  let owed: Buffer | undefined;
  let failure = 'none';

  const request: Wire['request'] = (out, offset, slot, keyNumber, version) => {
    template.copy(out, offset);
    out.writeUInt32BE(slot + 1, offset + ID_OFFSET);
    for (const keyOffset of keyOffsets) patchKey(out, offset + keyOffset, keyNumber);
    if (numberOffset > 0) {
      const number = operation === Operation.CompareAndSwap ? version : leaseOf(keyNumber);
      out.writeUInt32BE(number, offset + numberOffset + 4);
    }
    return offset + template.length;
  };

  const isOk = (bytes: Buffer, at: number): boolean => okOffset === 0 || bytes[at + okOffset] !== 0;

  const read: Wire['read'] = (bytes, answered) => {
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_LENGTH_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      const type = bytes[at + TYPE_OFFSET];
      const id = bytes.readUInt32BE(at + ID_OFFSET);
      if (type === FrameType.Reply && end - at >= replyBytesMin && isOk(bytes, at)) {
        answered(id - 1, true);
      } else if (type === FrameType.Ping) {
        const stamp = decodeStamp(bytes, at + FRAME_HEADER_BYTES, end);
        owed = framesOf((writer) => writePong(writer, id, stamp));
      } else if (type !== FrameType.Hello) {
        failure = failureOf(type, bytes, at + FRAME_HEADER_BYTES, end);
        if (id === 0) throw new Error(`kvorum closed the connection: ${failure}`);
        answered(id - 1, false);
      }
      at = end;
    }
    return at;
  };

  const takeOwed = (): Buffer | undefined => {
    const bytes = owed;
    owed = undefined;
    return bytes;
  };

  return {
    opening: helloFrame(),
    requestBytesMax: template.length,
    request,
    read,
    takeOwed,
    lastFailure: () => failure,
  };
}

/** The frame of an operation on key 0, and where in it a number stands that changes. */
type Template = { readonly bytes: Buffer; readonly numberOffset: number };

function templateOf(operation: Operation, value: Buffer): Template {
  const frameFor = (number: number): Buffer =>
    framesOf((writer) => writeRequest(writer, 1, requestOf(operation, value, number)));
  const bytes = frameFor(0);
  return { bytes, numberOffset: counterOffset(bytes, frameFor(1)) };
}

/** @param number the lease of a grant or renewal, the version that a compare-and-swap expects */
function requestOf(operation: Operation, value: Buffer, number: number): Request {
  const key = keyOf(0);
  const put = { key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  switch (operation) {
    case Operation.Put:
      return { type: FrameType.Put, body: put };
    case Operation.CompareAndSwap:
      return {
        type: FrameType.Txn,
        body: {
          compares: [
            {
              ...{ key, rangeEnd: NO_RANGE_END, value: Buffer.alloc(0), lease: 0n },
              ...{ target: CompareTarget.Version, result: CompareResult.Equal, counter: number },
            },
          ],
          success: [{ kind: OpKind.Put, request: put }],
          failure: [],
        },
      };
    case Operation.LeaseGrant: {
      const body = { id: BigInt(number), ttlSeconds: LEASE_SECONDS };
      return { type: FrameType.LeaseGrant, body };
    }
    case Operation.KeepAlive:
      return { type: FrameType.LeaseKeepAlive, body: { id: BigInt(number) } };
    default: {
      const serializable = operation === Operation.GetSerializable;
      return { type: FrameType.Range, body: { ...plainRange(key), serializable } };
    }
  }
}

/**
 * Where the reply to an operation has a byte that is 0 when it did not succeed: whether compares
 * held, the last byte of a lease's seconds. 0: nowhere.
 */
function successOffset(operation: Operation): number {
  const header = { clusterId: 0n, nodeId: 0, revision: 0, term: 0 };
  const replyOf = (number: 0 | 1): Reply | undefined => {
    if (operation === Operation.CompareAndSwap) {
      return { type: FrameType.Txn, body: { ...header, succeeded: number === 1, results: [] } };
    }
    if (operation !== Operation.KeepAlive) return undefined;
    return { type: FrameType.LeaseKeepAlive, body: { ...header, id: 1n, ttlSeconds: number } };
  };
  const [failed, succeeded] = [replyOf(0), replyOf(1)];
  if (failed === undefined || succeeded === undefined) return 0;
  const bytes = framesOf((writer) => writeReply(writer, 1, failed));
  const others = framesOf((writer) => writeReply(writer, 1, succeeded));
  return bytes.findIndex((byte, at) => byte !== others[at]);
}

/** Where a counter of 64 bits stands that is 0 in one and 1 in the other; 0 if they are equal. */
function counterOffset(zero: Buffer, one: Buffer): number {
  const last = zero.findIndex((byte, at) => byte !== one[at]);
  return last < 0 ? 0 : last - 7;
}

/** A linearizable read of one key. */
export function plainRange(key: Buffer): RangeRequest {
  return {
    key,
    rangeEnd: Buffer.alloc(0),
    limit: 0,
    revision: 0,
    sortOrder: SortOrder.None,
    sortTarget: SortTarget.Key,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    pageBytes: 0,
    uncounted: false,
  };
}

function failureOf(type: number | undefined, bytes: Buffer, start: number, end: number): string {
  if (type === FrameType.Error) return decodeError(bytes, start, end).message;
  if (type === FrameType.Redirect) {
    return `redirected to node ${decodeRedirect(bytes, start, end).leaderId}`;
  }
  return type === FrameType.Reply ? 'the reply says no' : `frame of type ${type}`;
}
