/**
 * Pairs of key and value, as replies and watch events carry them. Byte table: docs/PROTOCOL.md 6.
 *
 * Keys and values read are views of the frame: copy what is kept for long.
 */

import type { KeyValue } from '../../include/kvstore.ts';
import type { BodyReader } from './body-reader.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Bytes of a pair besides key and value: four counters, two lengths. */
const PAIR_BYTES_MIN = 40;

const NO_PAIRS: readonly KeyValue[] = Object.freeze([]);

/** Puts a pair into the open frame. */
export function putPair(writer: FrameWriter, pair: KeyValue): void {
  writer.u64(pair.createRevision);
  writer.u64(pair.modRevision);
  writer.u64(pair.version);
  writer.lease(pair.lease);
  writer.u32(pair.key.length);
  writer.u32(pair.value.length);
  writer.bytes(pair.key);
  writer.bytes(pair.value);
}

/** Reads a pair. @throws KvorumError FrameMalformed */
export function readPair(body: BodyReader): KeyValue {
  const createRevision = body.u64('create revision');
  const modRevision = body.u64('mod revision');
  const version = body.u64('version');
  const lease = body.lease('lease');
  const keyBytes = body.u32('key length');
  const valueBytes = body.u32('value length');
  const key = body.bytes('key', keyBytes);
  const value = body.bytes('value', valueBytes);
  return { key, value, createRevision, modRevision, version, lease };
}

/** Puts pairs behind their number. */
export function putPairs(writer: FrameWriter, pairs: readonly KeyValue[]): void {
  writer.u32(pairs.length);
  for (let slot = 0; slot < pairs.length; slot += 1) putPair(writer, pairs[slot]!);
}

/** Reads pairs behind their number. @throws KvorumError FrameMalformed */
export function readPairs(body: BodyReader): readonly KeyValue[] {
  const count = body.count('pairs', PAIR_BYTES_MIN);
  if (count === 0) return NO_PAIRS;
  const pairs: KeyValue[] = [];
  for (let slot = 0; slot < count; slot += 1) pairs.push(readPair(body));
  return pairs;
}
