/** A log on a fault disk, and the dumb twin that says what it must hold. */

import {
  type Entry,
  EntryType,
  type HardState,
  NO_NODE,
  NodeFault,
  type SnapshotMeta,
} from '../../include/node.ts';
import type { Recovered } from '../../src/node/wal/recover.ts';
import { openWal, type Wal, type WalOptions } from '../../src/node/wal/wal.ts';
import { createRandom } from '../../src/random.ts';
import { createFaultDisk, type FaultDisk } from '../fault-disk.ts';

export const DIRECTORY = '/data/wal';

/** Where a new log starts. */
export const INITIAL: SnapshotMeta = {
  index: 0,
  term: 0,
  configuration: { voters: [0, 1, 2], outgoing: [], learners: [] },
};

/** A log that is open, and what it told its owner. */
export type OpenLog = {
  readonly wal: Wal;
  readonly recovered: Recovered;
  readonly synced: number[];
  readonly faults: NodeFault[];
};

/** A fault disk from a seed. */
export function createDisk(seed = 1): FaultDisk {
  return createFaultDisk(createRandom(seed));
}

/** Opens the log on a disk. */
export function openLog(disk: FaultDisk, options: Partial<WalOptions> = {}): OpenLog {
  const synced: number[] = [];
  const faults: NodeFault[] = [];
  const { wal, recovered } = openWal({
    disk: disk.disk,
    directory: DIRECTORY,
    clusterId: 0xfeed_beefn,
    nodeId: 2,
    mayCreate: true,
    initial: INITIAL,
    randomBelow: createRandom(7).below,
    onSynced: (ticket) => synced.push(ticket),
    onFatal: (fault) => faults.push(fault),
    ...options,
  });
  return { wal, recovered, synced, faults };
}

/** Closes a log and opens it again. */
export function reopen(disk: FaultDisk, log: OpenLog, options: Partial<WalOptions> = {}): OpenLog {
  log.wal.close(() => {});
  disk.finishAll();
  return openLog(disk, options);
}

/** A vote and a term. */
export function hardState(term: number, commit = 0, vote = NO_NODE): HardState {
  return { term, vote, commit };
}

/** Entries from `index` on, each of `sizeBytes`, filled with a byte of term and index. */
export function entries(index: number, count: number, term = 1, sizeBytes = 20): Entry[] {
  return Array.from({ length: count }, (_, slot) => ({
    index: index + slot,
    term,
    type: EntryType.Command,
    data: Buffer.alloc(sizeBytes, (index + slot) * 31 + term * 7),
  }));
}

/** Entries as text, for comparisons that can be read. */
export function show(list: readonly Entry[]): string[] {
  return list.map(
    ({ index, term, type, data }) => `${index}/${term} ${type} ${data.length}x${data[0] ?? '-'}`,
  );
}

/** The log as a plain value. */
export type Twin = {
  readonly hardState: HardState;
  readonly base: SnapshotMeta;
  readonly entries: readonly Entry[];
};

/** The twin of a new log. */
export const NEW_TWIN: Twin = { hardState: hardState(0), base: INITIAL, entries: [] };

/** What the twin is after an append. */
export function twinAppend(
  twin: Twin,
  state: HardState | undefined,
  added: readonly Entry[],
): Twin {
  const first = added[0]?.index ?? Number.POSITIVE_INFINITY;
  return {
    hardState: state ?? twin.hardState,
    base: twin.base,
    entries: [...twin.entries.filter(({ index }) => index < first), ...added],
  };
}

/** What the twin is when the log is cut. */
export function twinCut(twin: Twin, base: SnapshotMeta): Twin {
  return { ...twin, base, entries: twin.entries.filter(({ index }) => index > base.index) };
}

/** Last index of the twin. */
export function twinLast(twin: Twin): number {
  return twin.entries.at(-1)?.index ?? twin.base.index;
}

/** Everything but the hard state, as text. */
export function showTwin(base: SnapshotMeta, list: readonly Entry[]): string {
  return JSON.stringify([base.index, base.term, base.configuration, show(list)]);
}

/** The fault that `run` throws; undefined when it throws none. Other errors pass. */
export function faultOf(run: () => unknown): NodeFault | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof NodeFault) return error;
    throw error;
  }
  return undefined;
}
