/**
 * The write-ahead log while a node runs.
 *
 * Group commit: one write is under way at most; what is appended meanwhile gathers and goes in the
 * next one. There is no promise, closure or object for an entry or an append.
 *
 * Invariants: the group under way is the disk's alone; `#written` is what the disk is known to
 * hold, `#appended` what was asked for; groups are written in the order they gathered. After a
 * failed write nothing is written any more: the owner hears of it once and ends the node.
 * Limits: entries ENTRY_DATA_BYTES_MAX; what gathers is bounded by the caller, who sees
 * pendingBytes.
 */

import { dirname } from 'node:path';
import {
  type Entry,
  FaultKind,
  type HardState,
  type LogIndex,
  NodeFault,
  type SnapshotMeta,
  WAL_BLOCK_BYTES,
  WAL_GROUP_BYTES_MAX,
  WAL_SEGMENT_BYTES,
} from '../../../include/node.ts';
import { assert } from '../../assert.ts';
import type { Disk, FileId } from '../disk.ts';
import { type MadeSegment, makeSegment } from './begin-segment.ts';
import {
  addEntry,
  addMarker,
  allocatedAfter,
  createGroup,
  type Group,
  resetGroup,
  sealGroup,
} from './group.ts';
import { GroupFlag, groupBytes } from './group-header.ts';
import { MarkerKind } from './records.ts';
import {
  type LogEnd,
  type Recovered,
  type RecoverOptions,
  recoverLog,
  SALT_BOUND,
} from './recover.ts';
import type { SegmentHead } from './segment-head.ts';
import { noteGroup, removableSegment, type Segment } from './segments.ts';

/** What a log is opened with. */
export type WalOptions = RecoverOptions & {
  /** Everything appended up to this ticket is on disk. Never called from within append. */
  readonly onSynced: (ticket: number) => void;
  /** The disk failed: nothing more will be synced. Called once; the node must end. */
  readonly onFatal: (fault: NodeFault) => void;
  /** Default WAL_SEGMENT_BYTES; smaller in tests. */
  readonly segmentBytes?: number;
};

/** What the log holds, or is asked to hold. */
type Contents = { hardState: HardState; base: SnapshotMeta; lastIndex: LogIndex };

/** Written groups kept for reuse: one gathers while one is under way. */
const SPARE_GROUPS_MAX = 2;

/**
 * Opens the log in a directory: recovers it, or makes a new one. Synchronous, for a node's start.
 *
 * @throws NodeFault LogMissing, LogCorrupt, LogForeign, LogNewer, DiskFailed
 */
export function openWal(options: WalOptions): { wal: Wal; recovered: Recovered } {
  const { recovered, end } = recoverLog(options);
  return { wal: new Wal(options, recovered, end), recovered };
}

/** The log on disk. Made by openWal. */
export class Wal {
  readonly #options: WalOptions;
  readonly #disk: Disk;
  readonly #segmentBytes: number;
  readonly #segments: Segment[];
  #file: FileId;
  #salt: number;
  #offset: number;
  #allocatedBytes: number;
  #nextGroup: number;

  readonly #written: Contents;
  readonly #appended: Contents;
  #gathering: Group = createGroup();
  readonly #full: Group[] = [];
  readonly #spare: Group[] = [];
  #underWay: Group | undefined;
  #ticket = 0;
  #pendingBytes = 0;

  #isRemoving = false;
  #isClosing = false;
  #isClosingWritten = false;
  #isClosed = false;
  #hasFailed = false;
  #onClosed: (() => void) | undefined;
  readonly #onWritten = (error: Error | null): void => this.#groupWritten(error);

  constructor(options: WalOptions, recovered: Recovered, end: LogEnd) {
    const { hardState, snapshot: base } = recovered;
    const lastIndex = base.index + recovered.entries.length;
    this.#options = options;
    this.#disk = options.disk;
    this.#segmentBytes = options.segmentBytes ?? WAL_SEGMENT_BYTES;
    this.#segments = end.segments;
    this.#file = end.file;
    this.#salt = end.salt;
    this.#offset = end.offset;
    this.#allocatedBytes = end.allocatedBytes;
    this.#nextGroup = end.nextGroup;
    this.#written = { hardState, base, lastIndex };
    this.#appended = { hardState, base, lastIndex };
    this.#removeSegments();
  }

  /** Bytes appended and not yet synced. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The last index appended, synced or not. */
  get lastIndex(): LogIndex {
    return this.#appended.lastIndex;
  }

  /** The index the log starts behind. */
  get baseIndex(): LogIndex {
    return this.#appended.base.index;
  }

  /** How many segments the log has on disk. */
  get segmentCount(): number {
    return this.#segments.length;
  }

  /**
   * Takes what a Ready asks to persist. Entries may overwrite a suffix of the log.
   *
   * @param entries kept until they are synced; contiguous
   * @param mustSync false when only the commit index changed: it goes along with the next group,
   *   and the ticket is answered then
   * @returns the ticket that onSynced answers, with this or a higher number
   */
  append(hardState: HardState | undefined, entries: readonly Entry[], mustSync: boolean): number {
    assert(!this.#isClosing, 'a closed log takes nothing');
    const appended = this.#appended;
    if (hardState !== undefined) {
      assert(hardState.term >= appended.hardState.term, 'terms never fall', hardState.term);
      appended.hardState = hardState;
    }
    const first = entries[0];
    if (first !== undefined) {
      assert(first.index > appended.base.index, 'a marker is never overwritten', first.index);
      assert(first.index <= appended.lastIndex + 1, 'the log has no gap', first.index);
      this.#addEntries(entries, first.index);
    }
    return this.#issueTicket(mustSync);
  }

  /**
   * Starts the log anew behind a snapshot that came from the leader: all entries are void. The
   * store must hold the snapshot already. Segments that are no longer needed are removed.
   *
   * @returns a ticket, as append does
   */
  saveSnapshot(meta: SnapshotMeta): number {
    assert(!this.#isClosing, 'a closed log takes nothing');
    assert(meta.index >= this.#appended.base.index, 'markers never go back', meta.index);
    this.#addMarker(MarkerKind.Anew, meta);
    this.#appended.lastIndex = meta.index;
    return this.#issueTicket(true);
  }

  /**
   * Says that entries up to `meta.index` are no longer needed, once the store has flushed them;
   * those after it stay. Whole segments are removed when that is synced, never the one in use.
   *
   * @param meta the term of the entry at `index`, and the configuration as of it
   * @returns a ticket, as append does
   */
  cutBefore(meta: SnapshotMeta): number {
    assert(!this.#isClosing, 'a closed log takes nothing');
    assert(meta.index >= this.#appended.base.index, 'markers never go back', meta.index);
    assert(meta.index <= this.#appended.lastIndex, 'a cut leaves no gap', meta.index);
    if (meta.index > this.#appended.base.index) this.#addMarker(MarkerKind.Cut, meta);
    return this.#issueTicket(true);
  }

  /** Syncs what is pending, says that the stop was orderly, closes the file, then calls back. */
  close(onClosed: () => void): void {
    assert(!this.#isClosing, 'a log is closed once');
    this.#isClosing = true;
    this.#onClosed = onClosed;
    if (this.#hasFailed) this.#finishClosing();
    else this.#pump();
  }

  #addEntries(entries: readonly Entry[], firstIndex: LogIndex): void {
    let group = this.#gathering;
    let sizeBytes = group.payloadBytes;
    for (let slot = 0; slot < entries.length; slot += 1) {
      const entry = entries[slot]!;
      assert(entry.index === firstIndex + slot, 'entries have no gap', entry.index);
      if (group.payloadBytes >= WAL_GROUP_BYTES_MAX) {
        this.#pendingBytes += group.payloadBytes - sizeBytes;
        group = this.#nextGathering();
        sizeBytes = 0;
      }
      addEntry(group, entry);
    }
    this.#pendingBytes += group.payloadBytes - sizeBytes;
    this.#appended.lastIndex = firstIndex + entries.length - 1;
  }

  #addMarker(kind: MarkerKind, meta: SnapshotMeta): void {
    const group =
      this.#gathering.payloadBytes >= WAL_GROUP_BYTES_MAX ? this.#nextGathering() : this.#gathering;
    const sizeBytes = group.payloadBytes;
    addMarker(group, kind, meta);
    this.#pendingBytes += group.payloadBytes - sizeBytes;
    this.#appended.base = meta;
  }

  #issueTicket(mustSync: boolean): number {
    this.#ticket += 1;
    this.#gathering.ticket = this.#ticket;
    if (mustSync) {
      this.#gathering.mustSync = true;
      this.#pump();
    }
    return this.#ticket;
  }

  #nextGathering(): Group {
    this.#gathering.mustSync = true;
    this.#full.push(this.#gathering);
    this.#gathering = this.#spare.pop() ?? createGroup();
    return this.#gathering;
  }

  /** Starts the next write, if there is something to write and nothing is under way. */
  #pump(): void {
    if (this.#underWay !== undefined || this.#hasFailed) return;
    if (this.#full.length === 0 && this.#gathering.mustSync) this.#nextGathering();
    const group = this.#full.shift();
    if (group !== undefined) {
      this.#start(group, GroupFlag.None);
    } else if (this.#isClosing && !this.#isClosingWritten) {
      this.#isClosingWritten = true;
      this.#nextGathering();
      this.#start(this.#full.pop()!, GroupFlag.Closing);
    } else if (this.#isClosing && !this.#isRemoving) {
      this.#finishClosing();
    }
  }

  #start(group: Group, flags: number): void {
    this.#underWay = group;
    const sealBytes = WAL_BLOCK_BYTES;
    const fits = this.#offset + groupBytes(group.payloadBytes) + sealBytes <= this.#segmentBytes;
    if (fits) this.#write(group, flags);
    else this.#rollOver(group, flags);
  }

  #write(group: Group, flags: number): void {
    const { hardState } = this.#appended;
    const pieces = sealGroup(group, {
      group: this.#nextGroup,
      flags,
      hardState,
      offset: this.#offset,
      salt: this.#salt,
      allocatedBytes: this.#allocatedBytes,
    });
    this.#written.hardState = hardState;
    this.#disk.write(this.#file, pieces, this.#offset, this.#onWritten);
  }

  #groupWritten(error: Error | null): void {
    const group = this.#underWay;
    assert(group !== undefined, 'only a group under way can be written');
    if (error !== null) {
      this.#fail(error, 'a write to the log failed', this.#offset);
      return;
    }
    this.#offset += groupBytes(group.payloadBytes);
    this.#allocatedBytes = allocatedAfter(this.#offset, this.#allocatedBytes);
    this.#nextGroup += 1;
    this.#pendingBytes -= group.payloadBytes;
    if (group.lastIndex >= 0) this.#written.lastIndex = group.lastIndex;
    noteGroup(this.#segments, group.voidFrom, group.lastIndex);
    if (group.base !== undefined) this.#written.base = group.base;
    const { ticket } = group;
    resetGroup(group);
    if (this.#spare.length < SPARE_GROUPS_MAX) this.#spare.push(group);
    this.#underWay = undefined;

    this.#removeSegments();
    // First the disk, then the owner: the next write runs while the owner answers for this one.
    this.#pump();
    if (ticket > 0) this.#options.onSynced(ticket);
  }

  /**
   * Begins the next segment, then writes `group` into it. Its name appears when it is whole; the
   * old one is sealed after that, so that a sealed segment without a successor is damage.
   */
  #rollOver(group: Group, flags: number): void {
    const { clusterId, nodeId, directory, randomBelow } = this.#options;
    const newest = this.#segments.at(-1);
    assert(newest !== undefined, 'a log has a segment');
    const head: SegmentHead = {
      clusterId,
      nodeId,
      salt: randomBelow(SALT_BOUND),
      sequence: newest.sequence + 1,
      firstIndex: this.#written.lastIndex + 1,
      firstGroup: this.#nextGroup,
    };
    makeSegment(this.#disk, directory, head, this.#written, (error, made) => {
      if (error !== null) return this.#fail(error, 'a segment could not be made');
      this.#seal(() => {
        this.#enter(made);
        this.#write(group, flags);
      });
    });
  }

  /** Writes the last words of the segment in use. */
  #seal(then: () => void): void {
    const seal = createGroup();
    const pieces = sealGroup(seal, {
      group: this.#nextGroup,
      flags: GroupFlag.Sealing,
      hardState: this.#written.hardState,
      offset: this.#offset,
      salt: this.#salt,
      allocatedBytes: this.#allocatedBytes,
    });
    this.#disk.write(this.#file, pieces, this.#offset, (error) => {
      if (error === null) then();
      else this.#fail(error, 'a segment could not be sealed', this.#offset);
    });
  }

  #enter({ head, path, file, beginning }: MadeSegment): void {
    this.#disk.closeNow(this.#file);
    this.#segments.push({ sequence: head.sequence, path, lastIndex: 0 });
    this.#file = file;
    this.#salt = head.salt;
    this.#offset = beginning.end;
    this.#allocatedBytes = beginning.allocatedBytes;
    this.#nextGroup = head.firstGroup + 1;
  }

  /** Removes segments that are not needed, oldest first, one by one: no crash leaves a gap. */
  #removeSegments(): void {
    if (this.#isRemoving || this.#hasFailed) return;
    const segment = removableSegment(this.#segments, this.#written.base);
    if (segment === undefined) return;
    this.#isRemoving = true;
    this.#segments.shift();
    this.#disk.remove(segment.path, (error) => {
      this.#isRemoving = false;
      if (error !== null) return this.#fail(error, 'a segment could not be removed');
      this.#removeSegments();
      if (this.#isClosing) this.#pump();
    });
  }

  #fail(cause: Error, what: string, offset?: number): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const path = this.#segments.at(-1)?.path ?? dirname(this.#options.directory);
    const remedy = 'free space or mend the disk, then start the node again';
    const where = { path, remedy, cause, ...(offset === undefined ? {} : { offset }) };
    this.#options.onFatal(new NodeFault(FaultKind.DiskFailed, `${what}: ${cause.message}`, where));
    if (this.#isClosing) this.#finishClosing();
  }

  #finishClosing(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#disk.closeNow(this.#file);
    this.#onClosed?.();
  }
}
