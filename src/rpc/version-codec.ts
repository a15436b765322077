/** The entry that raises a cluster's version. Byte table: docs/PROTOCOL.md 11. */

import type { ClusterVersionRequest } from '../../include/rpc.ts';
import type { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Puts the data of a ClusterVersion entry, behind its type. */
export function putClusterVersion(writer: FrameWriter, { version }: ClusterVersionRequest): void {
  writer.u16(version);
}

/** Reads the data of a ClusterVersion entry, behind its type. @throws KvorumError FrameMalformed */
export function readClusterVersion(body: BodyReader): ClusterVersionRequest {
  return { version: body.u16('version') };
}
