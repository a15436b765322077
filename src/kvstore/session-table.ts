/**
 * What is kept of sessions: in memory, and written beside the state's record at each flush.
 *
 *   Sessions     session u64          -> seconds u64 | last index u64 | acknowledged u64
 *                session u64, n u64   -> the answers to writes 256 n up to 256 n + 255, each
 *                                        sequence u64 | length u32 | answer (answer-codec.ts)
 *
 * So a write of a session costs no write of its own, unless very many sessions write: then those
 * that changed first are written before the flush, which would hold up the event loop. Answers lie
 * in blocks: a client with thousands of writes in flight costs a flush tens of pairs, and one that
 * never acknowledges costs it what changed since the last, not all that is remembered.
 */

import { crc32 } from 'node:zlib';
import { type ByteMap, Table } from '../../include/kvstore.ts';
import type { Arena } from './arena.ts';
import { areCounters, isCounter, readCounter, writeCounter } from './key-record.ts';
import { ALL_PAIRS } from './pair-cursor.ts';

/** Writes whose answers share a pair of the table. */
const BLOCK_WRITES = 256;

const SESSION_KEY_BYTES = 8;
const HEAD_BYTES = 24;
const HEAD_OFFSETS = [0, 8, 16];

/** Bytes of an answer in a block besides its own. */
const ANSWER_HEAD_BYTES = 12;

/** Changed sessions that wait for a flush: to write so many takes a millisecond or two. */
export const CHANGED_SESSIONS_MAX = 1_024;

/** A session that has not ended. */
export type OpenSession = {
  readonly session: number;
  readonly ttlSeconds: number;
  lastIndex: number;
  acknowledged: number;
  /** The answers remembered, encoded, by the number of their write. */
  readonly answers: Map<number, Buffer>;
  /** Bytes of these answers. */
  answerBytes: number;
};

/** The sessions of a store. */
export type Sessions = {
  /** Those that have not ended, by id, ascending. */
  readonly open: Map<number, OpenSession>;
  /** The sessions that differ from the table, ended ones too, each with its blocks that do. */
  readonly changed: Map<number, Set<number>>;
};

/** Makes a session as it is when it is opened. */
export function createSession(
  session: number,
  ttlSeconds: number,
  lastIndex: number,
  acknowledged: number,
): OpenSession {
  return { session, ttlSeconds, lastIndex, acknowledged, answers: new Map(), answerBytes: 0 };
}

/** Notes that a session differs from the table. Returns its blocks that do, to be added to. */
export function noteChange(sessions: Sessions, session: number): Set<number> {
  let blocks = sessions.changed.get(session);
  if (blocks === undefined) {
    blocks = new Set();
    sessions.changed.set(session, blocks);
  }
  return blocks;
}

/** The block that holds the answer to a write. */
export function blockOf(sequence: number): number {
  return Math.floor(sequence / BLOCK_WRITES);
}

/**
 * Reads the sessions of a map that was just opened.
 *
 * @returns undefined when the table holds something else
 */
export function loadSessions(map: ByteMap): Sessions | undefined {
  const open = new Map<number, OpenSession>();
  let isWhole = true;
  map.scan(Table.Sessions, ALL_PAIRS, (key, record) => {
    isWhole = loadRecord(open, key, record);
    return isWhole;
  });
  return isWhole ? { open, changed: new Map() } : undefined;
}

/**
 * Writes into a map what changed since the last time, what changed first before the rest.
 * @param leftCount changed sessions that may be left
 */
export function saveSessions(
  sessions: Sessions,
  map: ByteMap,
  arena: Arena,
  leftCount: number,
): void {
  const { changed } = sessions;
  for (const [id, blocks] of changed) {
    if (changed.size <= leftCount) return;
    changed.delete(id);
    const session = sessions.open.get(id);
    if (session === undefined) {
      deleteSession(map, arena, id);
    } else {
      map.put(Table.Sessions, headKey(arena, id), encodeHead(arena, session));
      for (const block of blocks) saveBlock(map, arena, session, block);
    }
  }
}

/** A checksum of what sessions mean, continued from another. */
export function hashSessions(sessions: Sessions, arena: Arena, start: number): number {
  let hash = start;
  for (const session of sessions.open.values()) {
    hash = crc32(headKey(arena, session.session), hash);
    hash = crc32(encodeHead(arena, session), hash);
    const sequences = [...session.answers.keys()].sort((a, b) => a - b);
    hash = crc32(encodeAnswers(arena, session, sequences), hash);
  }
  return hash;
}

function saveBlock(map: ByteMap, arena: Arena, session: OpenSession, block: number): void {
  const key = blockKey(arena, session.session, block);
  const sequences = sequencesOf(session, block);
  if (sequences.length === 0) map.delete(Table.Sessions, key);
  else map.put(Table.Sessions, key, encodeAnswers(arena, session, sequences));
}

/** The writes of a block whose answers are remembered, ascending. */
function sequencesOf({ answers }: OpenSession, block: number): number[] {
  if (answers.size < BLOCK_WRITES) {
    const sequences: number[] = [];
    for (const sequence of answers.keys()) {
      if (blockOf(sequence) === block) sequences.push(sequence);
    }
    return sequences.sort((a, b) => a - b);
  }
  const all = Array.from({ length: BLOCK_WRITES }, (_, slot) => block * BLOCK_WRITES + slot);
  return all.filter((sequence) => answers.has(sequence));
}

/** Scanned for, since nobody knows which of its blocks are in the table. */
function deleteSession(map: ByteMap, arena: Arena, id: number): void {
  const keys: Buffer[] = [];
  const from = Buffer.from(headKey(arena, id));
  const bounds = { from, to: Buffer.from(headKey(arena, id + 1)), reverse: false };
  map.scan(Table.Sessions, bounds, (key) => {
    keys.push(key);
    return true;
  });
  for (const key of keys) map.delete(Table.Sessions, key);
}

function encodeAnswers(arena: Arena, session: OpenSession, sequences: readonly number[]): Buffer {
  let sizeBytes = 0;
  for (const sequence of sequences) {
    sizeBytes += ANSWER_HEAD_BYTES + session.answers.get(sequence)!.length;
  }
  let offset = arena.reserve(sizeBytes);
  const { bytes, view } = arena;
  for (const sequence of sequences) {
    const answer = session.answers.get(sequence)!;
    writeCounter(view, offset, sequence);
    view.setUint32(offset + 8, answer.length);
    bytes.set(answer, offset + ANSWER_HEAD_BYTES);
    offset += ANSWER_HEAD_BYTES + answer.length;
  }
  return arena.piece();
}

/** Takes one pair of the table; returns whether it can be one. */
function loadRecord(open: Map<number, OpenSession>, key: Buffer, record: Buffer): boolean {
  if (key.length < SESSION_KEY_BYTES) return false;
  const id = readCounter(key, 0);
  const session = open.get(id);
  if (session !== undefined) return loadBlock(session, record);
  if (key.length !== SESSION_KEY_BYTES || record.length !== HEAD_BYTES) return false;
  if (!isCounter(key, 0) || !areCounters(record, HEAD_OFFSETS)) return false;
  open.set(id, decodeHead(id, record));
  return true;
}

function loadBlock(session: OpenSession, bytes: Buffer): boolean {
  for (let offset = 0; offset < bytes.length; ) {
    const start = offset + ANSWER_HEAD_BYTES;
    if (start > bytes.length || !isCounter(bytes, offset)) return false;
    const sizeBytes = bytes.readUInt32BE(offset + 8);
    if (start + sizeBytes > bytes.length) return false;
    // A copy, so that one answer does not keep a whole block.
    const answer = Buffer.from(bytes.subarray(start, start + sizeBytes));
    session.answers.set(readCounter(bytes, offset), answer);
    session.answerBytes += sizeBytes;
    offset = start + sizeBytes;
  }
  return true;
}

function encodeHead(arena: Arena, session: OpenSession): Buffer {
  const offset = arena.reserve(HEAD_BYTES);
  writeCounter(arena.view, offset, session.ttlSeconds);
  writeCounter(arena.view, offset + 8, session.lastIndex);
  writeCounter(arena.view, offset + 16, session.acknowledged);
  return arena.piece();
}

function decodeHead(id: number, bytes: Buffer): OpenSession {
  return createSession(id, readCounter(bytes, 0), readCounter(bytes, 8), readCounter(bytes, 16));
}

function headKey(arena: Arena, id: number): Buffer {
  const offset = arena.reserve(SESSION_KEY_BYTES);
  writeCounter(arena.view, offset, id);
  return arena.piece();
}

function blockKey(arena: Arena, id: number, block: number): Buffer {
  const offset = arena.reserve(2 * SESSION_KEY_BYTES);
  writeCounter(arena.view, offset, id);
  writeCounter(arena.view, offset + SESSION_KEY_BYTES, block);
  return arena.piece();
}
