/**
 * Sessions: writes that take effect once (Raft thesis 6.3; include/session.ts).
 *
 * Invariant: a session remembers the answer to each write above `acknowledged` that it applied, or
 * the fact that there was one, so that no write of an open session is ever applied twice.
 */

import {
  SESSION_ANSWERS_BYTES_MAX,
  SESSION_ANSWERS_MAX,
  SESSION_TTL_SECONDS_MAX,
  SESSIONS_MAX,
  type Session,
  type SessionMark,
  type SessionOpenRequest,
  type SessionOpenResult,
} from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { type Answer, decodeAnswer, encodeAnswer } from './answer-codec.ts';
import type { Deletion } from './deletion-record.ts';
import {
  blockOf,
  createSession,
  noteChange,
  type OpenSession,
  type Sessions,
} from './session-table.ts';
import type { StoreState } from './store-state.ts';

/** Opens a session. A time out of bounds is brought within them. */
export function openSession(
  state: StoreState,
  request: SessionOpenRequest,
): SessionOpenResult | ErrorCode {
  state.hasOpenEffects = true;
  const { sessions, revision } = state;
  if (sessions.open.size >= SESSIONS_MAX) return ErrorCode.TooManySessions;
  const session = state.applied.index + 1;
  const ttlSeconds = Math.min(Math.max(request.ttlSeconds, 1), SESSION_TTL_SECONDS_MAX);
  assert(!sessions.open.has(session), 'an entry opens one session', session);
  sessions.open.set(session, createSession(session, ttlSeconds, session, 0));
  noteChange(sessions, session);
  return { revision, session, ttlSeconds };
}

/** Ends a session: what it remembers is forgotten. */
export function endSession(sessions: Sessions, session: number): void {
  sessions.open.delete(session);
  noteChange(sessions, session);
}

/** What a store tells of a session; undefined when there is none. */
export function findSession({ sessions }: StoreState, id: number): Session | undefined {
  const session = sessions.open.get(id);
  return session === undefined ? undefined : describe(session);
}

/** Visits every session. */
export function visitSessions(state: StoreState, visit: (session: Session) => void): void {
  for (const session of state.sessions.open.values()) visit(describe(session));
}

function describe({ session, ttlSeconds, lastIndex }: OpenSession): Session {
  return { session, ttlSeconds, lastIndex };
}

/** Applies a write of a session, or answers what it came to when it was applied. */
export function once(state: StoreState, mark: SessionMark, apply: () => Answer): Answer {
  state.hasOpenEffects = true;
  const session = state.sessions.open.get(mark.session);
  if (session === undefined) return ErrorCode.SessionExpired;
  session.lastIndex = state.applied.index + 1;
  const changedBlocks = noteChange(state.sessions, mark.session);
  acknowledge(session, mark.acknowledged, changedBlocks);

  const { sequence } = mark;
  if (sequence <= session.acknowledged) return ErrorCode.AnswerGiven;
  const known = session.answers.get(sequence);
  if (known !== undefined) return decodeAnswer(known);
  if (sequence - session.acknowledged > SESSION_ANSWERS_MAX) return ErrorCode.SessionFull;

  const answer = apply();
  const isUnderWay = typeof answer === 'object' && 'isUnderWay' in answer;
  remember(session, sequence, isUnderWay ? noteDeletion(state, mark) : answer);
  changedBlocks.add(blockOf(sequence));
  return answer;
}

/**
 * Notes who asked for the deletion that just began. Returns what is remembered of it until it ends:
 * of the pairs that it removes, which are many, only the fact.
 */
function noteDeletion({ deletions }: StoreState, { session, sequence }: SessionMark): Answer {
  const deletion = deletions.at(-1);
  assert(deletion !== undefined, 'a deletion that began is under way');
  if (deletion.hasPrevKvs) return ErrorCode.AnswerForgotten;
  deletion.session = session;
  deletion.sequence = sequence;
  return { revision: deletion.main, isUnderWay: true };
}

/** Whether a write is answered without being applied. */
export function isAnswered({ sessions }: StoreState, mark: SessionMark): boolean {
  const session = sessions.open.get(mark.session);
  if (session === undefined) return true;
  return mark.sequence <= session.acknowledged || session.answers.has(mark.sequence);
}

/**
 * Remembers how a deletion ended, if it is remembered that it began. The answer is as long as the
 * one before: what else a session remembers must not depend on how far a member has come.
 */
export function rememberEnd({ sessions }: StoreState, deletion: Deletion): void {
  const { session: id, sequence, main: revision, sub: deleted } = deletion;
  const session = sessions.open.get(id);
  const known = session?.answers.get(sequence);
  if (session === undefined || known === undefined) return;
  const first = decodeAnswer(known);
  if (typeof first === 'number') return;
  const bytes = encodeAnswer({ revision, deleted, prevKvs: [] });
  assert(bytes?.length === known.length, 'a deletion under way has room for its answer');
  session.answers.set(sequence, bytes);
  noteChange(sessions, id).add(blockOf(sequence));
}

/** Forgets the answers that the client has. */
function acknowledge(session: OpenSession, upTo: number, changedBlocks: Set<number>): void {
  const { answers, acknowledged } = session;
  if (upTo <= acknowledged) return;
  session.acknowledged = upTo;
  const forget = (sequence: number): void => {
    const answer = answers.get(sequence);
    if (answer === undefined) return;
    answers.delete(sequence);
    session.answerBytes -= answer.length;
    changedBlocks.add(blockOf(sequence));
  };
  // A number may be far ahead of anything written.
  if (upTo - acknowledged <= answers.size) {
    for (let sequence = acknowledged + 1; sequence <= upTo; sequence += 1) forget(sequence);
  } else {
    for (const sequence of answers.keys()) if (sequence <= upTo) forget(sequence);
  }
}

/** Of an answer that is too large, or too much with the others, only the fact is remembered. */
function remember(session: OpenSession, sequence: number, answer: Answer): void {
  let bytes = encodeAnswer(answer);
  if (bytes === undefined || session.answerBytes + bytes.length > SESSION_ANSWERS_BYTES_MAX) {
    bytes = encodeAnswer(ErrorCode.AnswerForgotten);
    assert(bytes !== undefined, 'a fact is small enough to be remembered');
  }
  session.answers.set(sequence, bytes);
  session.answerBytes += bytes.length;
}
