/** What a store remembers between requests, and the record that makes it durable. */

import {
  type Alarm,
  type AppliedPosition,
  type ByteMap,
  type ByteMapSnapshot,
  DELETE_AT_ONCE_KEYS_MAX,
  DELETE_STEP_KEYS_MAX,
  type EndedDeletion,
  NEVER_COMPACTED,
  StoreError,
  Table,
} from '../../include/kvstore.ts';
import { assert } from '../assert.ts';
import { decodeConfiguration, encodeConfiguration } from '../configuration.ts';
import { loadAlarms } from './alarm-record.ts';
import { Arena } from './arena.ts';
import { loadClusterVersion } from './cluster-version.ts';
import { type Deletion, decodeDeletions, encodeDeletions } from './deletion-record.ts';
import { areCounters, readCounter, writeCounter } from './key-record.ts';
import { loadSessions, type Sessions, saveSessions } from './session-table.ts';

/** The state of a store beside its tables. */
export type StoreState = {
  readonly map: ByteMap;
  readonly arena: Arena;
  /** The newest revision. An empty store is at 1. */
  revision: number;
  /** The oldest revision that can be read. */
  compactRevision: number;
  /** How far the removal of compacted revisions has come: all up to this revision are done. */
  sweptMain: number;
  sweptSub: number;
  /** Pairs in Keys: a count of everything need not visit them. */
  keyCount: number;
  /** Pairs in Tombstones: while there are none, nobody looks. */
  tombstoneCount: number;
  readonly sessions: Sessions;
  /** The deletions under way, by their revisions. */
  readonly deletions: Deletion[];
  /** Those of ranges that ended, until somebody asks. Not kept. */
  endedDeletions: EndedDeletion[];
  /** The alarms that are raised. Replaced, not changed. */
  alarms: readonly Alarm[];
  /** The version that all members of the cluster speak. */
  clusterVersion: number;
  readonly limits: StoreLimits;
  /** The last entry applied. */
  applied: AppliedPosition;
  /** Effects were applied that setApplied has not accounted for: no moment for a flush. */
  hasOpenEffects: boolean;
};

/** What is done in one turn of the event loop. */
export type StoreLimits = {
  /** The same on all members: what sessions remember depends on it. */
  readonly deleteAtOnceKeysMax: number;
  readonly deleteStepKeysMax: number;
  /** Keys that one step of a read visits. */
  readonly readVisitsMax: number;
};

/** Those of a node. */
export const STORE_LIMITS: StoreLimits = {
  deleteAtOnceKeysMax: DELETE_AT_ONCE_KEYS_MAX,
  deleteStepKeysMax: DELETE_STEP_KEYS_MAX,
  readVisitsMax: 500,
};

/** The sub of a revision that is swept whole. */
export const SUB_MAX = 0xffff_ffff;

/** Version of the layout of all tables. */
const FORMAT_VERSION = 3;

const STATE_KEY = Buffer.from('state');
const FIXED_BYTES = 4 + 8 + 8 + 8 + 4 + 8 + 8 + 8 + 8 + 4;
const COUNTER_OFFSETS = [4, 12, 20, 32, 40, 48, 56];

/** Where a store starts. */
const NOTHING_APPLIED: AppliedPosition = Object.freeze({
  index: 0,
  term: 0,
  configuration: Object.freeze({ voters: [], outgoing: [], learners: [] }),
});

/**
 * Reads the state of a map that was just opened; that of an empty store when there is none.
 * @param path where the map is, for messages
 * @throws StoreError when another version wrote it, or none
 */
export function loadState(
  map: ByteMap,
  path: string,
  limits: StoreLimits = STORE_LIMITS,
): StoreState {
  const record = map.get(Table.Meta, STATE_KEY);
  const saved = record === undefined ? undefined : decodeState(record, path);
  const sessions = loadSessions(map);
  if (sessions === undefined) throw malformed(path, 'names sessions');
  const alarms = loadAlarms(map);
  if (alarms === undefined) throw malformed(path, 'names alarms');
  return {
    map,
    arena: new Arena(),
    revision: 1,
    compactRevision: NEVER_COMPACTED,
    sweptMain: 0,
    sweptSub: SUB_MAX,
    keyCount: 0,
    tombstoneCount: 0,
    sessions,
    deletions: [],
    endedDeletions: [],
    alarms,
    clusterVersion: loadClusterVersion(map),
    limits,
    applied: NOTHING_APPLIED,
    hasOpenEffects: false,
    ...saved,
  };
}

/** What a view of a map stands for: the entry, and the revision. */
export function standOf(view: ByteMapSnapshot): Pick<StoreState, 'applied' | 'revision'> {
  const record = view.get(Table.Meta, STATE_KEY);
  if (record === undefined) return { applied: NOTHING_APPLIED, revision: 1 };
  const { applied, revision } = decodeState(record, 'snapshot');
  return { applied, revision };
}

/** Whether a key of Meta is that of the state's record. */
export function isStateKey(key: Buffer): boolean {
  return key.equals(STATE_KEY);
}

/** Writes the state into the map, to reach the disk in the same flush as its effects. */
export function saveState(state: StoreState): void {
  assert(!state.hasOpenEffects, 'every effect belongs to an applied entry before it is flushed');
  saveSessions(state.sessions, state.map, state.arena, 0);
  state.map.put(Table.Meta, STATE_KEY, encodeState(state));
}

function encodeState(state: StoreState): Buffer {
  const { index, term, configuration } = state.applied;
  const bytes = Buffer.alloc(FIXED_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(0, FORMAT_VERSION);
  writeCounter(view, 4, state.revision);
  // NEVER_COMPACTED is -1, and counters are not negative.
  writeCounter(view, 12, state.compactRevision + 1);
  writeCounter(view, 20, state.sweptMain);
  view.setUint32(28, state.sweptSub);
  writeCounter(view, 32, state.keyCount);
  writeCounter(view, 40, state.tombstoneCount);
  writeCounter(view, 48, index);
  writeCounter(view, 56, term);
  const deletions = encodeDeletions(state.deletions);
  view.setUint32(64, deletions.length);
  return Buffer.concat([bytes, deletions, encodeConfiguration(configuration)]);
}

/**
 * Reads the state's record.
 * @param path where it was found, for messages
 * @throws StoreError when another version wrote it
 */
export function decodeState(
  bytes: Buffer,
  path: string,
): Omit<
  StoreState,
  | 'map'
  | 'arena'
  | 'sessions'
  | 'endedDeletions'
  | 'alarms'
  | 'clusterVersion'
  | 'limits'
  | 'hasOpenEffects'
> {
  const version = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  if (version !== FORMAT_VERSION) {
    const what = `has format ${version}, this kvorum reads ${FORMAT_VERSION}`;
    const message = `the store ${path} ${what}; run the version that wrote it`;
    throw new StoreError(message, path);
  }
  if (bytes.length < FIXED_BYTES) throw malformed(path, 'has a length');
  if (!areCounters(bytes, COUNTER_OFFSETS)) throw malformed(path, 'has a number');
  const deletionsEnd = FIXED_BYTES + bytes.readUInt32BE(64);
  const deletions = decodeDeletions(bytes.subarray(FIXED_BYTES, deletionsEnd));
  if (deletions === undefined) throw malformed(path, 'names deletions');
  const configuration = decodeConfiguration(bytes.subarray(deletionsEnd));
  if (configuration === undefined) throw malformed(path, 'names members');
  const revision = readCounter(bytes, 4);
  if (deletions.some(({ main }) => main > revision)) throw malformed(path, 'names deletions');
  return {
    revision,
    compactRevision: readCounter(bytes, 12) - 1,
    sweptMain: readCounter(bytes, 20),
    sweptSub: bytes.readUInt32BE(28),
    keyCount: readCounter(bytes, 32),
    tombstoneCount: readCounter(bytes, 40),
    deletions,
    applied: { index: readCounter(bytes, 48), term: readCounter(bytes, 56), configuration },
  };
}

function malformed(path: string, what: string): StoreError {
  const remedy = 'put a backup back, or empty the data directory and add the member again';
  return new StoreError(
    `the state of the store ${path} ${what} that cannot be understood; ${remedy}`,
    path,
  );
}
