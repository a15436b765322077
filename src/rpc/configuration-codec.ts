/**
 * A configuration at the end of a body: the rest of it. Byte table: docs/PROTOCOL.md 11.
 */

import type { Configuration } from '../../include/node.ts';
import { decodeConfiguration, encodeConfiguration } from '../configuration.ts';
import { type BodyReader, malformed } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Puts a configuration into the open frame, as the last thing there. */
export function putConfiguration(writer: FrameWriter, configuration: Configuration): void {
  writer.bytes(encodeConfiguration(configuration));
}

/** Reads the rest of an open body as a configuration. @throws KvorumError FrameMalformed */
export function readConfiguration(body: BodyReader): Configuration {
  const configuration = decodeConfiguration(body.rest());
  if (configuration === undefined) throw malformed('configuration', 'it cannot be understood');
  return configuration;
}
