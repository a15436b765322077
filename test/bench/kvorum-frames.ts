/** Frames of kvorum's protocol, built once by the real codec. */

import { NO_NODE } from '../../include/node.ts';
import {
  CLIENT_FRAME_LENGTH_MAX,
  ConnectionRole,
  ErrorCode,
  PROTOCOL_VERSION,
} from '../../include/rpc.ts';
import { writeHello } from '../../src/rpc/connection-codec.ts';
import { FrameWriter } from '../../src/rpc/frame-writer.ts';
import { SegmentPool } from '../../src/rpc/segment-pool.ts';

/** Runs `write` on a frame writer and returns the bytes it made. */
export function framesOf(write: (writer: FrameWriter) => void): Buffer {
  const writer = new FrameWriter(
    new SegmentPool(),
    CLIENT_FRAME_LENGTH_MAX,
    ErrorCode.RequestTooLarge,
    () => undefined,
  );
  write(writer);
  const parts: Buffer[] = [];
  for (let part = writer.take(); part !== undefined; part = writer.take()) {
    parts.push(part.bytes.subarray(0, part.usedBytes));
  }
  return Buffer.concat(parts);
}

/** What a client that will talk to any cluster says first. */
export function helloFrame(): Buffer {
  return framesOf((writer) =>
    writeHello(writer, {
      version: PROTOCOL_VERSION,
      role: ConnectionRole.Client,
      clusterId: 0n,
      nodeId: NO_NODE,
      targetId: NO_NODE,
    }),
  );
}
