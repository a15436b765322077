/**
 * kvorum's own protocol as the load generator speaks it: one prebuilt frame, in which the id and
 * the digits of the key are patched; of a reply only the header is looked at.
 *
 * The id of a request is its slot plus one, so that a reply leads to its slot without a table.
 */

import { type RangeRequest, SortOrder, SortTarget } from '../../include/kvstore.ts';
import { FRAME_HEADER_BYTES, FRAME_LENGTH_BYTES, FrameType } from '../../include/rpc.ts';
import {
  decodeError,
  decodeRedirect,
  decodeStamp,
  writePong,
} from '../../src/rpc/connection-codec.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { framesOf, helloFrame } from './kvorum-frames.ts';
import { type Answered, keyOf, Operation, patchKey, type Wire } from './wire.ts';

const TYPE_OFFSET = 4;
const ID_OFFSET = 6;

/**
 * Makes one connection's side.
 *
 * @param value what a put writes, and the least a get must bring
 */
export function createKvorumWire(operation: Operation, value: Buffer): Wire {
  const template = templateOf(operation, value);
  const keyOffset = template.indexOf(keyOf(0));
  const replyBytesMin = operation === Operation.Put ? 0 : value.length;
  let owed: Buffer | undefined;
  let failure = 'none';

  const request = (out: Buffer, offset: number, slot: number, keyNumber: number): number => {
    template.copy(out, offset);
    out.writeUInt32BE(slot + 1, offset + ID_OFFSET);
    patchKey(out, offset + keyOffset, keyNumber);
    return offset + template.length;
  };

  const read = (bytes: Buffer, answered: Answered): number => {
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_LENGTH_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      const type = bytes[at + TYPE_OFFSET];
      const id = bytes.readUInt32BE(at + ID_OFFSET);
      if (type === FrameType.Reply && end - at >= replyBytesMin) {
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

function templateOf(operation: Operation, value: Buffer): Buffer {
  const key = keyOf(0);
  if (operation === Operation.Put) {
    const put = { key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    return framesOf((writer) => writeRequest(writer, 1, { type: FrameType.Put, body: put }));
  }
  const serializable = operation === Operation.GetSerializable;
  const range = { ...plainRange(key), serializable };
  return framesOf((writer) => writeRequest(writer, 1, { type: FrameType.Range, body: range }));
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
  return type === FrameType.Reply ? 'the reply has no value' : `frame of type ${type}`;
}
