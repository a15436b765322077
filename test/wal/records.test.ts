/** The decoder of a payload believes nothing. */

import t from 'tap';
import {
  type Entry,
  type SnapshotMeta,
  WAL_CONFIGURATION_MEMBERS_MAX,
} from '../../include/node.ts';
import { addEntry, addMarker, createGroup, sealGroup } from '../../src/node/wal/group.ts';
import { GROUP_HEADER_BYTES } from '../../src/node/wal/group-header.ts';
import { decodeRecords, encodeMarker, MarkerKind } from '../../src/node/wal/records.ts';
import { createRandom } from '../../src/random.ts';
import { entries, hardState } from './log-fixture.ts';

const META: SnapshotMeta = {
  index: 2 ** 33 + 5,
  term: 2 ** 32 + 1,
  configuration: { voters: [0, 1, 0xffff_fffe], outgoing: [3], learners: [4, 5] },
};

const ENTRY: Entry = { ...entries(1, 1)[0]!, index: 2 ** 40 + 1, term: 2 ** 33 + 3 };

/** A payload of an entry, a marker and an entry, and where each record ends. */
function payloadOf(): { payload: Buffer; ends: number[] } {
  const group = createGroup();
  const ends: number[] = [];
  addEntry(group, ENTRY);
  ends.push(group.payloadBytes);
  addMarker(group, MarkerKind.Anew, META);
  ends.push(group.payloadBytes);
  addEntry(group, ENTRY);
  ends.push(group.payloadBytes);
  const place = { group: 1, flags: 0, hardState: hardState(1), offset: 0, salt: 1 };
  const bytes = Buffer.concat(sealGroup(group, { ...place, allocatedBytes: 4096 }));
  return { payload: bytes.subarray(GROUP_HEADER_BYTES, GROUP_HEADER_BYTES + ends[2]!), ends };
}

/** Decodes; what was found, and the fault if there is one. */
function decode(payload: Buffer) {
  const found: unknown[] = [];
  const fault = decodeRecords(payload, {
    entry: (entry) => {
      found.push(entry);
      return undefined;
    },
    marker: (kind, meta) => {
      found.push([kind, meta]);
      return undefined;
    },
  });
  return { found, fault };
}

t.test('entries and markers come back, with counters of more than 32 bits', async (t) => {
  const { payload } = payloadOf();
  t.strictSame(decode(payload), {
    found: [ENTRY, [MarkerKind.Anew, META], ENTRY],
    fault: undefined,
  });
});

t.test('a payload cut at any byte gives whole records and a fault', async (t) => {
  const { payload, ends } = payloadOf();
  for (let length = 0; length < payload.length; length += 1) {
    const { found, fault } = decode(payload.subarray(0, length));
    const whole = ends.filter((end) => end <= length).length;
    const isRight =
      found.length === whole && (fault === undefined) === [0, ...ends].includes(length);
    if (!isRight) t.fail(`cut at ${length}`);
  }
});

t.test('spoilt payloads never throw', async (t) => {
  const random = createRandom(5);
  const { payload } = payloadOf();
  let faults = 0;
  for (let count = 0; count < 20_000; count += 1) {
    const spoilt = Buffer.from(payload);
    for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
      spoilt[random.below(spoilt.length)] = random.below(256);
    }
    if (decode(spoilt).fault !== undefined) faults += 1;
  }
  t.ok(faults > 1000);
});

t.test('a record that the visitor refuses ends the decoding where it stands', async (t) => {
  const { payload, ends } = payloadOf();
  const accept = () => undefined;
  const refuse = () => 'no';
  t.strictSame(decodeRecords(payload, { entry: refuse, marker: accept }), { offset: 0, why: 'no' });
  const second = decodeRecords(payload, { entry: accept, marker: refuse });
  t.strictSame(second, { offset: ends[0], why: 'no' });
});

t.test('a marker names as many members as its limit, and no more', async (t) => {
  const ids = (count: number) => Array.from({ length: count }, (_, slot) => slot);
  const meta = (count: number) => ({
    ...META,
    configuration: { voters: ids(count), outgoing: [], learners: [] },
  });
  const most = meta(WAL_CONFIGURATION_MEMBERS_MAX);
  const bytes = encodeMarker(MarkerKind.Cut, most);
  t.strictSame(decode(bytes), { found: [[MarkerKind.Cut, most]], fault: undefined });
  const beyond = meta(WAL_CONFIGURATION_MEMBERS_MAX + 1);
  t.throws(() => encodeMarker(MarkerKind.Cut, beyond), /a configuration has its limit/);
  bytes.writeUInt32BE(WAL_CONFIGURATION_MEMBERS_MAX + 1, 21);
  t.match(decode(bytes).fault, { offset: 0, why: /kind 65/ });
  bytes.writeUInt32BE(WAL_CONFIGURATION_MEMBERS_MAX, 21);
  bytes.writeUInt32BE(0xffff_ffff, 25);
  t.match(decode(bytes).fault, { offset: 0 });
});
