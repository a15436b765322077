/** Decoders of what lies on disk: the log's segments, groups, records and entries. */

import { type Entry, EntryType, NO_NODE, NodeFault, WAL_BLOCK_BYTES } from '../../include/node.ts';
import { assert } from '../../src/assert.ts';
import { decodeConfiguration, encodeConfiguration } from '../../src/configuration.ts';
import {
  addEntry,
  addMarker,
  createGroup,
  resetGroup,
  sealGroup,
} from '../../src/node/wal/group.ts';
import { GROUP_HEADER_BYTES, GroupFlag } from '../../src/node/wal/group-header.ts';
import { judgeTail, readGroups } from '../../src/node/wal/read-segment.ts';
import { MarkerKind } from '../../src/node/wal/records.ts';
import { createReplay, replayGroup } from '../../src/node/wal/replay.ts';
import {
  damaged,
  decodeSegmentHead,
  encodeSegmentHead,
  segmentName,
} from '../../src/node/wal/segment-head.ts';
import type { Random } from '../../src/random.ts';
import { drawBytes, drawConfiguration } from '../rpc/draw.ts';
import { readOrRefuse, type Target } from './target.ts';

const OWNER = { clusterId: 7n, nodeId: 1 };
const PATH = 'segment';
const HARD_STATE = { term: 5, vote: NO_NODE, commit: 0 };
const INITIAL = { index: 0, term: 0, configuration: { voters: [1], outgoing: [], learners: [] } };
const HEAD = {
  ...OWNER,
  salt: 99,
  sequence: 1,
  firstIndex: 1,
  firstGroup: 1,
};

/** One group for all cases: it has a large buffer. */
const group = createGroup();

function drawGroup(random: Random, firstIndex: number): void {
  resetGroup(group);
  const count = 1 + random.below(4);
  for (let slot = 0; slot < count; slot += 1) {
    const data = drawBytes(random);
    const entry: Entry = { index: firstIndex + slot, term: 5, type: EntryType.Command, data };
    addEntry(group, entry);
  }
}

/** The bytes of a group, without the zeros that follow it. */
function sealed(number: number, flags: number, offset: number): Buffer {
  const place = { group: number, flags, hardState: HARD_STATE, offset, salt: HEAD.salt };
  const pieces = sealGroup(group, { ...place, allocatedBytes: Number.MAX_SAFE_INTEGER });
  return Buffer.concat(pieces);
}

const payload: Target = {
  name: 'records of the log, of right checksum',
  draw: (random) => {
    drawGroup(random, 1);
    if (random.below(3) === 0) {
      const configuration = drawConfiguration(random);
      addMarker(group, MarkerKind.Anew, { index: 9, term: 5, configuration });
    }
    const { payloadBytes } = group;
    const bytes = sealed(1, GroupFlag.None, 0);
    return bytes.subarray(GROUP_HEADER_BYTES, GROUP_HEADER_BYTES + payloadBytes);
  },
  read: (bytes) => {
    const replay = createReplay(HARD_STATE, INITIAL);
    replay.lastIndex = 0;
    const header = {
      group: 1,
      payloadBytes: bytes.length,
      payloadCrc: 0,
      flags: GroupFlag.None,
      hardState: HARD_STATE,
    };
    const fault = replayGroup(replay, header, bytes, 1);
    assert(fault === undefined || fault.why !== '', 'a fault says why');
    return fault === undefined;
  },
};

const segment: Target = {
  name: 'segment of the log',
  draw: (random) => {
    const parts = [encodeSegmentHead(HEAD)];
    let offset = WAL_BLOCK_BYTES;
    let index = 1;
    resetGroup(group);
    addMarker(group, MarkerKind.Cut, INITIAL);
    parts.push(sealed(1, GroupFlag.Opening, offset));
    for (let number = 2; number < 4; number += 1) {
      offset += parts.at(-1)!.length;
      drawGroup(random, index);
      index = group.lastIndex + 1;
      parts.push(sealed(number, GroupFlag.None, offset));
    }
    return Buffer.concat(parts);
  },
  read: (bytes) =>
    readOrRefuse(() => {
      const head = decodeSegmentHead(bytes, PATH, segmentName(1, 1), OWNER);
      const replay = createReplay(HARD_STATE, INITIAL);
      const extent = readGroups(bytes, head, PATH, (header, records, offset) => {
        const fault = replayGroup(replay, header, records, head.firstIndex);
        if (fault !== undefined) throw damaged(PATH, offset + fault.offset, fault.why);
      });
      judgeTail(bytes, head, PATH, extent);
    }, [NodeFault]),
};

const configuration: Target = {
  name: 'configuration',
  draw: (random) => encodeConfiguration(drawConfiguration(random)),
  read: (bytes) => decodeConfiguration(bytes) !== undefined,
};

/** All of them. */
export const DISK_TARGETS: readonly Target[] = [payload, segment, configuration];
