/**
 * A cluster's configuration in bytes: the data of a Configuration entry, and part of a snapshot's
 * first frame. Byte table: docs/PROTOCOL.md 11.
 */

import type { Configuration, NodeId } from '../../include/node.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

const ID_BYTES = 4;

/** Puts a configuration into the open frame. */
export function putConfiguration(writer: FrameWriter, configuration: Configuration): void {
  putIds(writer, configuration.voters);
  putIds(writer, configuration.outgoing);
  putIds(writer, configuration.learners);
}

/** Reads a configuration from an open body. @throws KvorumError FrameMalformed */
export function readConfiguration(body: BodyReader): Configuration {
  const voters = readIds(body, 'voters');
  const outgoing = readIds(body, 'outgoing voters');
  const learners = readIds(body, 'learners');
  return { voters, outgoing, learners };
}

function putIds(writer: FrameWriter, ids: readonly NodeId[]): void {
  writer.u32(ids.length);
  for (const id of ids) writer.node(id);
}

function readIds(body: BodyReader, field: string): readonly NodeId[] {
  const count = body.count(field, ID_BYTES);
  const ids: NodeId[] = [];
  let previous = -1;
  for (let slot = 0; slot < count; slot += 1) {
    const id = body.node(field);
    if (id <= previous) throw malformed(field, `${id} after ${previous} is not ascending`);
    ids.push(id);
    previous = id;
  }
  return ids;
}
