/**
 * What no crash leaves behind is refused, and never read as something else: every cut, every
 * flipped byte, lost, foreign and exchanged files, holes.
 */

import { join } from 'node:path';
import t from 'tap';
import { type Entry, FaultKind, WAL_BLOCK_BYTES, WAL_EXTEND_BYTES } from '../../include/node.ts';
import type { Disk } from '../../src/node/disk.ts';
import {
  addEntry,
  addMarker,
  createGroup,
  type Group,
  sealGroup,
} from '../../src/node/wal/group.ts';
import { groupBytes } from '../../src/node/wal/group-header.ts';
import { readGroups } from '../../src/node/wal/read-segment.ts';
import { MarkerKind } from '../../src/node/wal/records.ts';
import { type Recovered, recoverLog } from '../../src/node/wal/recover.ts';
import { decodeSegmentHead, segmentName } from '../../src/node/wal/segment-head.ts';
import type { FaultDisk } from '../fault-disk.ts';
import {
  createDisk,
  DIRECTORY,
  entries,
  faultOf,
  hardState,
  INITIAL,
  openLog,
  reopen,
  show,
} from './log-fixture.ts';

/** Room for a head, an opening group, three groups of one block and the seal. */
const SMALL = { segmentBytes: 6 * WAL_BLOCK_BYTES };
const OWNER = { clusterId: 0xfeed_beefn, nodeId: 2 };

/** A file of a log, and where each of its groups starts and how long its payload is. */
type File = {
  readonly path: string;
  readonly bytes: Buffer;
  readonly groups: readonly { readonly offset: number; readonly end: number }[];
  /** Behind the last group. */
  readonly end: number;
  readonly nextGroup: number;
  readonly salt: number;
};

/** Eight groups of two entries over three segments, all acknowledged, then a crash. */
function build(): { files: File[]; all: Entry[]; disk: FaultDisk } {
  const disk = createDisk();
  const log = openLog(disk, SMALL);
  const all = entries(1, 16, 1, 60);
  for (let index = 0; index < all.length; index += 2) {
    log.wal.append(hardState(1), all.slice(index, index + 2), true);
    disk.finishAll();
  }
  disk.crashProcess();
  return { files: disk.paths().map((path) => examine(disk, path)), all, disk };
}

function examine(disk: FaultDisk, path: string): File {
  const bytes = disk.contentOf(path);
  const head = decodeSegmentHead(bytes, path, path.slice(DIRECTORY.length + 1), OWNER);
  const groups: { offset: number; end: number }[] = [];
  const extent = readGroups(bytes, head, path, (_header, payload, offset) => {
    groups.push({ offset, end: offset + 64 + payload.length });
  });
  return { path, bytes, groups, end: extent.end, nextGroup: extent.nextGroup, salt: head.salt };
}

/** A disk with these files. */
function diskOf(files: readonly File[]): FaultDisk {
  const disk = createDisk();
  for (const { path, bytes } of files) disk.replace(path, bytes);
  return disk;
}

/** The files, each cut behind what it uses: short, so that thousands of changes can be tried. */
function shortened(files: readonly File[]): Map<string, Buffer> {
  return new Map(
    files.map(({ path, bytes, end }) => [
      path,
      Buffer.from(bytes.subarray(0, end + WAL_BLOCK_BYTES)),
    ]),
  );
}

/** Recovers from files that nothing is written to: what there is, or the kind of fault. */
function recoverFrom(files: ReadonlyMap<string, Buffer>): Recovered | string {
  const paths = [...files.keys()];
  const contentOf = (file: number) => files.get(paths[file] ?? '') ?? Buffer.alloc(0);
  const disk: Disk = {
    ...createDisk().disk,
    listNow: () => paths.map((path) => path.slice(DIRECTORY.length + 1)),
    openNow: (path) => paths.indexOf(path),
    sizeNow: (file) => contentOf(file).length,
    readNow: (file, target) => contentOf(file).copy(target),
    closeNow: () => {},
    writeNow: () => {},
  };
  let recovered: Recovered | undefined;
  const fault = faultOf(() => {
    const options = { ...OWNER, disk, directory: DIRECTORY, mayCreate: false, initial: INITIAL };
    recovered = recoverLog({ ...options, randomBelow: () => 0 }).recovered;
  });
  return recovered ?? fault?.kind ?? 'nothing';
}

/** Opens the log: what it recovered, or the kind of fault. */
function attempt(disk: FaultDisk): Recovered | string {
  let recovered: Recovered | undefined;
  const fault = faultOf(() => {
    recovered = openLog(disk).recovered;
  });
  disk.crashProcess();
  return recovered ?? fault?.kind ?? 'nothing';
}

/** Writes a group behind the last one of a file, as a log with a bug might. */
function addGroup(disk: FaultDisk, file: File, group: Group, skip = 0): void {
  const offset = file.end + skip * WAL_BLOCK_BYTES;
  const place = {
    group: file.nextGroup + skip,
    flags: 0,
    hardState: hardState(1),
    offset,
    salt: file.salt,
    allocatedBytes: WAL_EXTEND_BYTES,
  };
  const bytes = Buffer.concat(sealGroup(group, place));
  const content = disk.contentOf(file.path);
  const grown = Buffer.alloc(Math.max(content.length, offset + bytes.length));
  content.copy(grown);
  bytes.copy(grown, offset);
  disk.replace(file.path, grown);
}

t.test('every flipped byte is refused, or harmless, or cuts the last group alone', async (t) => {
  const { files, all } = build();
  t.equal(files.length, 3);
  const whole = show(all);
  const withoutLast = show(all.slice(0, -2));
  const counts = { refused: 0, harmless: 0, cut: 0 };
  for (const [slot, file] of files.entries()) {
    const contents = shortened(files);
    const content = contents.get(file.path)!;
    const lastGroup = slot === files.length - 1 ? (file.groups.at(-1)?.offset ?? 0) : Infinity;
    for (let offset = 0; offset < content.length; offset += 1) {
      for (const mask of [1 << (offset % 8), 0xff]) {
        content[offset]! ^= mask;
        const result = recoverFrom(contents);
        content[offset]! ^= mask;
        if (typeof result === 'string') {
          counts.refused += 1;
          continue;
        }
        const found = show(result.entries);
        const isWhole = found.length === whole.length;
        counts[isWhole ? 'harmless' : 'cut'] += 1;
        const isRight =
          JSON.stringify(found) === JSON.stringify(isWhole ? whole : withoutLast) &&
          result.hardState.term === 1 &&
          (isWhole || (offset >= lastGroup && (result.torn?.droppedBytes ?? 0) > 0));
        if (!isRight) throw new Error(`segment ${slot} offset ${offset} mask ${mask}`);
      }
    }
  }
  t.ok(counts.refused > 2 * 64 * 8, 'headers and payloads of acknowledged groups');
  t.ok(counts.cut >= 2 * (64 + 2 * 81 - 12), 'the last group');
  t.ok(counts.harmless > 0, 'padding');
});

t.test('every cut of the newest segment leaves whole groups, and is told', async () => {
  const { files, all } = build();
  const last = files.at(-1)!;
  const contents = shortened(files);
  for (let length = 0; length < last.end + WAL_BLOCK_BYTES; length += 1) {
    contents.set(last.path, last.bytes.subarray(0, length));
    const result = recoverFrom(contents);
    const whole = last.groups.filter(({ end }) => end <= length).length;
    const kept = show(all.slice(0, 16 - (last.groups.length - whole) * 2));
    const isRight =
      whole === 0
        ? result === FaultKind.LogCorrupt
        : typeof result !== 'string' &&
          JSON.stringify(show(result.entries)) === JSON.stringify(kept) &&
          result.torn !== undefined;
    if (!isRight) throw new Error(`cut at ${length}`);
  }
});

t.test('a log goes on where it was cut', async (t) => {
  const { files } = build();
  const last = files.at(-1)!;
  const second = last.groups[1]!;
  for (const length of [second.offset, second.offset + 1, second.end - 1, second.end, last.end]) {
    const disk = diskOf(files);
    disk.replace(last.path, last.bytes.subarray(0, length));
    const log = openLog(disk, SMALL);
    const count = log.recovered.entries.length;
    t.match(log.recovered.torn, { path: last.path });
    log.wal.append(undefined, entries(count + 1, 1), true);
    const again = reopen(disk, log, SMALL).recovered;
    t.equal(again.entries.length, count + 1);
    t.equal(again.torn, undefined);
  }
});

t.test('every cut of an older segment that loses a group is refused', async () => {
  const { files, all } = build();
  for (const file of files.slice(0, -1)) {
    const contents = shortened(files);
    const needed = file.groups.at(-1)!.end;
    for (let length = 0; length < file.end + WAL_BLOCK_BYTES; length += 1) {
      contents.set(file.path, file.bytes.subarray(0, length));
      const result = recoverFrom(contents);
      const isRight =
        length < needed
          ? result === FaultKind.LogCorrupt
          : typeof result !== 'string' && result.entries.length === all.length;
      if (!isRight) throw new Error(`${file.path} cut at ${length}`);
    }
  }
});

t.test('a missing segment is refused, the oldest, a middle one and the newest', async (t) => {
  const { files } = build();
  for (const file of files) {
    const disk = diskOf(files);
    disk.lose(file.path);
    const fault = faultOf(() => openLog(disk));
    t.match(fault, { kind: FaultKind.LogCorrupt, message: /missing/ }, file.path);
  }
});

t.test('a hole is refused where a good group follows, and cut where none does', async (t) => {
  const { files, disk } = build();
  const last = files.at(-1)!;
  for (const [slot, { offset }] of last.groups.entries()) {
    const holed = Buffer.from(last.bytes);
    holed.fill(0, offset, offset + WAL_BLOCK_BYTES);
    disk.replace(last.path, holed);
    const fault = faultOf(() => openLog(disk));
    if (slot < last.groups.length - 1) t.match(fault, { kind: FaultKind.LogCorrupt, offset });
    else t.equal(fault, undefined, 'an empty place behind the last group is no trace of one');
  }
});

t.test('an unfinished group is cut whatever parts of it are there', async (t) => {
  const { files, all } = build();
  const last = files.at(-1)!;
  const next = entries(17, 3, 1, 5000);
  const blocks = groupBytes(3 * 5021) / WAL_BLOCK_BYTES;
  for (let kept = 1; kept < 2 ** blocks - 1; kept += 1) {
    const disk = diskOf(files);
    disk.replace(last.path, last.bytes);
    const group = createGroup();
    for (const entry of next) addEntry(group, entry);
    addGroup(disk, last, group);
    const content = disk.contentOf(last.path);
    for (let block = 0; block < blocks; block += 1) {
      const at = last.end + block * WAL_BLOCK_BYTES;
      if ((kept & (1 << block)) === 0) content.fill(0, at, at + WAL_BLOCK_BYTES);
    }
    disk.replace(last.path, content);
    const log = openLog(disk);
    t.strictSame(show(log.recovered.entries), show(all), `blocks ${kept.toString(2)}`);
    t.match(log.recovered.torn, { path: last.path, offset: last.end });
    log.wal.append(undefined, entries(17, 1), true);
    disk.finishAll();
    disk.crashPower();
    const again = openLog(disk).recovered;
    t.equal(again.torn, undefined, 'the rest of it is wiped');
    t.equal(again.entries.length, 17);
  }
});

t.test('a good group of a number that cannot be there is refused', async (t) => {
  const { files, disk } = build();
  const last = files.at(-1)!;
  addGroup(disk, last, createGroup(), 1);
  t.match(
    faultOf(() => openLog(disk)),
    { kind: FaultKind.LogCorrupt, offset: last.end },
  );
});

t.test('a group of another segment or of another place is never taken', async (t) => {
  const { files, all } = build();
  const last = files.at(-1)!;
  for (const source of files) {
    for (const { offset } of source.groups) {
      const disk = diskOf(files);
      const content = Buffer.from(last.bytes);
      source.bytes.copy(content, last.end, offset, offset + WAL_BLOCK_BYTES);
      disk.replace(last.path, content);
      const result = attempt(disk);
      t.notSame(typeof result, 'string');
      if (typeof result !== 'string') t.strictSame(show(result.entries), show(all));
    }
  }
});

t.test('segments that were exchanged or renamed are refused', async (t) => {
  const { files } = build();
  const [one, two] = [files[0]!, files[1]!];
  const exchanged = diskOf(files);
  exchanged.replace(one.path, two.bytes);
  exchanged.replace(two.path, one.bytes);
  t.match(
    faultOf(() => openLog(exchanged)),
    { kind: FaultKind.LogCorrupt, message: /renamed/ },
  );

  const renamed = diskOf(files);
  renamed.replace(join(DIRECTORY, segmentName(4, 17)), two.bytes);
  t.match(
    faultOf(() => openLog(renamed)),
    { kind: FaultKind.LogCorrupt },
  );
});

t.test('the log of another cluster, node or format is refused by name', async (t) => {
  const { files } = build();
  const disk = diskOf(files);
  const cluster = faultOf(() => openLog(disk, { clusterId: 1n }));
  t.match(cluster, { kind: FaultKind.LogForeign, message: /cluster feedbeef, this is node 2/ });
  const node = faultOf(() => openLog(disk, { nodeId: 3 }));
  t.match(node, { kind: FaultKind.LogForeign, message: /log of node 2 .* this is node 3/ });

  const newer = Buffer.from(files[0]!.bytes);
  newer.writeUInt32BE(2, 8);
  disk.replace(files[0]!.path, newer);
  t.match(
    faultOf(() => openLog(disk)),
    { kind: FaultKind.LogNewer, message: /log format 2/ },
  );
});

t.test(
  'records that cannot stand where they stand are refused, though their checksum is right',
  async (t) => {
    const meta = (index: number, term = 1) => ({ ...INITIAL, index, term });
    const wrongs: readonly (readonly [string, (group: Group) => void])[] = [
      ['a gap', (group) => addEntry(group, entries(18, 1)[0]!)],
      ['an entry below the marker', (group) => addEntry(group, entries(0, 1)[0]!)],
      ['a cut beyond the log', (group) => addMarker(group, MarkerKind.Cut, meta(17))],
      ['a cut of another term', (group) => addMarker(group, MarkerKind.Cut, meta(3, 2))],
      [
        'a marker below the newest',
        (group) => {
          addMarker(group, MarkerKind.Cut, meta(5));
          addMarker(group, MarkerKind.Anew, meta(4));
        },
      ],
    ];
    for (const [name, spoil] of wrongs) {
      const { files, disk } = build();
      const last = files.at(-1)!;
      const group = createGroup();
      spoil(group);
      addGroup(disk, last, group);
      const fault = faultOf(() => openLog(disk));
      t.equal(fault?.kind, FaultKind.LogCorrupt, name);
      t.ok((fault?.offset ?? 0) >= last.end + 64, name);
    }
  },
);

t.test('a fault names file, offset and remedy', async (t) => {
  const { files, disk } = build();
  const first = files[0]!;
  const spoilt = Buffer.from(first.bytes);
  spoilt[first.groups[1]!.offset + 70]! ^= 1;
  disk.replace(first.path, spoilt);
  const message = faultOf(() => openLog(disk))?.message ?? '';
  t.ok(message.includes(first.path));
  t.match(message, /at offset 8192: the log is damaged: group 2 is not whole/);
  t.match(message, /restore the file, or remove this member/);
});

t.test('an unreadable directory is a fault with its cause', async (t) => {
  const disk = createDisk();
  const listNow = () => {
    throw new Error('no such luck');
  };
  const fault = faultOf(() => openLog(disk, { disk: { ...disk.disk, listNow } }));
  t.match(fault, { kind: FaultKind.DiskFailed, path: DIRECTORY, cause: { message: /luck/ } });
});
