/**
 * What stands in a group's payload: entries and markers, one after the other.
 *
 * Entry, big-endian: kind u8 (its EntryType) | data bytes u32 | term u64 | index u64 | data.
 * Marker: kind u8 | body bytes u32 | index u64 | term u64 | configuration (src/configuration.ts).
 * An entry whose index is not above the last one replaces everything from there on.
 */

import {
  type Configuration,
  ENTRY_DATA_BYTES_MAX,
  ENTRY_OVERHEAD_BYTES,
  type Entry,
  EntryType,
  type SnapshotMeta,
  WAL_CONFIGURATION_MEMBERS_MAX,
} from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import { decodeConfiguration, encodeConfiguration } from '../../configuration.ts';
import { readCounter, writeCounter } from './counter.ts';

/** The kinds of marker; entries take the numbers below. */
export const MarkerKind = {
  /** The log starts anew behind a snapshot: all that stands before the marker is void. */
  Anew: 0x40,
  /** Entries up to the marker's index are no longer needed; those after it stay. */
  Cut: 0x41,
} as const;
/** One of the values of MarkerKind. */
export type MarkerKind = (typeof MarkerKind)[keyof typeof MarkerKind];

/** Takes a payload's records in order; returns why one cannot stand there, or undefined. */
export type RecordVisitor = {
  readonly entry: (entry: Entry) => string | undefined;
  readonly marker: (kind: MarkerKind, meta: SnapshotMeta) => string | undefined;
};

/** A record that cannot be read or cannot stand where it stands. */
export type RecordFault = { readonly offset: number; readonly why: string };

const MARKER_OVERHEAD_BYTES = 1 + 4;
const MARKER_FIXED_BYTES = 8 + 8;

/** Encodes a marker. */
export function encodeMarker(kind: MarkerKind, meta: SnapshotMeta): Buffer {
  const count = countIds(meta.configuration);
  assert(count <= WAL_CONFIGURATION_MEMBERS_MAX, 'a configuration has its limit', count);
  const configuration = encodeConfiguration(meta.configuration);
  const head = Buffer.alloc(MARKER_OVERHEAD_BYTES + MARKER_FIXED_BYTES);
  const view = new DataView(head.buffer, head.byteOffset);
  view.setUint8(0, kind);
  view.setUint32(1, MARKER_FIXED_BYTES + configuration.length);
  writeCounter(view, 5, meta.index);
  writeCounter(view, 13, meta.term);
  return Buffer.concat([head, configuration]);
}

/**
 * Reads a payload whose checksum was right.
 *
 * @param payload given away: the data of the entries are views of it
 * @returns undefined when every record was read and taken
 */
export function decodeRecords(payload: Buffer, visitor: RecordVisitor): RecordFault | undefined {
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < MARKER_OVERHEAD_BYTES) return { offset: at, why: 'a cut record' };
    const kind = payload.readUInt8(at);
    const sizeBytes = payload.readUInt32BE(at + 1);
    if (isEntryType(kind)) {
      const start = at + ENTRY_OVERHEAD_BYTES;
      if (sizeBytes > ENTRY_DATA_BYTES_MAX || start + sizeBytes > payload.length) {
        return { offset: at, why: `an entry of ${sizeBytes} bytes` };
      }
      const entry: Entry = {
        index: readCounter(payload, at + 13),
        term: readCounter(payload, at + 5),
        type: kind,
        data: payload.subarray(start, start + sizeBytes),
      };
      const why = visitor.entry(entry);
      if (why !== undefined) return { offset: at, why };
      at = start + sizeBytes;
    } else {
      const start = at + MARKER_OVERHEAD_BYTES;
      const meta = isMarkerKind(kind) ? decodeMeta(payload, start, sizeBytes) : undefined;
      if (!isMarkerKind(kind) || meta === undefined) {
        return { offset: at, why: `a record of kind ${kind} and ${sizeBytes} bytes` };
      }
      const why = visitor.marker(kind, meta);
      if (why !== undefined) return { offset: at, why };
      at = start + sizeBytes;
    }
  }
  return undefined;
}

function isEntryType(kind: number): kind is EntryType {
  return kind === EntryType.Empty || kind === EntryType.Command || kind === EntryType.Configuration;
}

function isMarkerKind(kind: number): kind is MarkerKind {
  return kind === MarkerKind.Anew || kind === MarkerKind.Cut;
}

function decodeMeta(payload: Buffer, start: number, sizeBytes: number): SnapshotMeta | undefined {
  const end = start + sizeBytes;
  if (end > payload.length || sizeBytes < MARKER_FIXED_BYTES) return undefined;
  const configuration = decodeConfiguration(payload.subarray(start + MARKER_FIXED_BYTES, end));
  if (configuration === undefined) return undefined;
  if (countIds(configuration) > WAL_CONFIGURATION_MEMBERS_MAX) return undefined;
  return {
    index: readCounter(payload, start),
    term: readCounter(payload, start + 8),
    configuration,
  };
}

/** Ids of all lists; a roster has no more members than they name. */
function countIds({ voters, outgoing, learners }: Configuration): number {
  return voters.length + outgoing.length + learners.length;
}
