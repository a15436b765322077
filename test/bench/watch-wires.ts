/**
 * Watches of one key, as the generator speaks them: of what comes only how much it is is counted.
 */

import { FRAME_HEADER_BYTES, FRAME_LENGTH_BYTES, FrameType } from '../../include/rpc.ts';
import { decodeError, decodeStamp, writePong } from '../../src/rpc/connection-codec.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { ETCD_WATCH_METHOD, etcdWatchMessage } from './etcd-messages.ts';
import { EtcdStream, messageFrame } from './etcd-stream.ts';
import { framesOf, helloFrame } from './kvorum-frames.ts';
import { findField } from './protobuf.ts';
import type { SystemName } from './wires.ts';

const TYPE_OFFSET = 4;
const ID_OFFSET = 6;

/** Fields of etcd's WatchResponse. */
const CREATED_FIELD = 3;
const CANCELED_FIELD = 4;
const EVENTS_FIELD = 11;

/** One connection's side. */
export type WatchWire = {
  /** What a new connection sends first: it creates the watches too. */
  readonly opening: Buffer;
  /**
   * Reads the whole frames at the start of `bytes` (borrowed); returns how many bytes they are.
   *
   * @param created called for each watch
   * @param told called for each event of a watch
   */
  readonly read: (bytes: Buffer, created: () => void, told: () => void) => number;
  /** What the protocol itself owes the server, taken once; undefined for nothing. */
  readonly takeOwed: () => Buffer | undefined;
};

/** Makes a connection with some watches of a key, from now on. */
export function createWatchWire(
  system: SystemName,
  key: Buffer,
  count: number,
  authority: string,
): WatchWire {
  return system === 'etcd' ? createEtcd(key, count, authority) : createKvorum(key, count);
}

function createEtcd(key: Buffer, count: number, authority: string): WatchWire {
  const stream = new EtcdStream(ETCD_WATCH_METHOD, authority);
  const creation = messageFrame(etcdWatchMessage(key));
  return {
    opening: Buffer.concat([stream.opening, ...new Array<Buffer>(count).fill(creation)]),
    read: (bytes, created, told) =>
      stream.read(bytes, (message, start, end) => {
        if (findField(message, start, end, CANCELED_FIELD) >= 0) {
          throw new Error('a watch was cancelled');
        }
        if (findField(message, start, end, CREATED_FIELD) >= 0) created();
        else if (findField(message, start, end, EVENTS_FIELD) >= 0) told();
      }),
    takeOwed: () => stream.takeOwed(),
  };
}

function createKvorum(key: Buffer, count: number): WatchWire {
  const creations = framesOf((writer) => {
    for (let watchId = 1; watchId <= count; watchId += 1) {
      const options = { prevKv: false, noPut: false, noDelete: false, progressNotify: false };
      const body = { watchId, key, rangeEnd: Buffer.alloc(0), startRevision: 0, ...options };
      writeRequest(writer, watchId, { type: FrameType.WatchCreate, body });
    }
  });
  let owed: Buffer | undefined;
  return {
    opening: Buffer.concat([helloFrame(), creations]),
    read: (bytes, created, told) => {
      let at = 0;
      while (bytes.length - at >= FRAME_HEADER_BYTES) {
        const end = at + FRAME_LENGTH_BYTES + bytes.readUInt32BE(at);
        if (end > bytes.length) break;
        const start = at + FRAME_HEADER_BYTES;
        switch (bytes[at + TYPE_OFFSET]) {
          case FrameType.Reply:
            created();
            break;
          case FrameType.WatchEvents:
            told();
            break;
          case FrameType.Ping: {
            const stamp = decodeStamp(bytes, start, end);
            owed = framesOf((writer) =>
              writePong(writer, bytes.readUInt32BE(at + ID_OFFSET), stamp),
            );
            break;
          }
          case FrameType.Error:
            throw decodeError(bytes, start, end);
        }
        at = end;
      }
      return at;
    },
    takeOwed: () => {
      const bytes = owed;
      owed = undefined;
      return bytes;
    },
  };
}
