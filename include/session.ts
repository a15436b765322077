/**
 * Sessions: writes that take effect once however often they are sent (Raft thesis 6.3). Part of
 * include/kvstore.ts, which exports it.
 *
 * A client opens a session, which is an entry of the log, and numbers its writes. The state machine
 * remembers the answer to each write until the client says that it has it; a write that comes again
 * gets the answer of the first time. Writes of one session may be in flight together and may be
 * applied in any order.
 *
 * A session that was not used for its time ends (ExpireRequest in include/lease.ts); writes of it
 * are then refused with SessionExpired, since nobody knows any more what they did.
 */

import type { LogIndex } from './raft.ts';

/** Default seconds without a write after which a session ends. */
export const SESSION_TTL_SECONDS = 60;

/** Most seconds of a session's time. */
export const SESSION_TTL_SECONDS_MAX = 86_400;

/** Most sessions of a store, about 500 bytes each; further ones are refused (TooManySessions). */
export const SESSIONS_MAX = 1_000_000;

/**
 * Most answers a session remembers: a write further ahead of what is acknowledged is refused with
 * SessionFull. As many as a client may have requests under way.
 */
export const SESSION_ANSWERS_MAX = 65_536;

/**
 * Most bytes of an answer that is remembered. Of a larger one only the fact is: the write sent
 * again is told AnswerForgotten, it took effect.
 */
export const SESSION_ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Most bytes of all answers that a session remembers: of what comes beyond only the fact is, as of
 * one that is too large.
 */
export const SESSION_ANSWERS_BYTES_MAX = 4 * 1024 * 1024;

/** Opens a session. */
export type SessionOpenRequest = { readonly ttlSeconds: number };

/** The answer to an opening. It makes no revision. */
export type SessionOpenResult = {
  readonly revision: number;
  /** The session's id: the index of the entry that opened it. */
  readonly session: number;
  readonly ttlSeconds: number;
};

/** What a write of a session carries. */
export type SessionMark = {
  readonly session: number;
  /** The write's number, from 1, never used twice in a session. */
  readonly sequence: number;
  /**
   * The client has the answers to all writes up to this number, or has given them up: they are
   * forgotten, and what still comes of them is refused. Below `sequence`.
   */
  readonly acknowledged: number;
};

/** What a store tells of a session to who counts its time. */
export type Session = {
  readonly session: number;
  readonly ttlSeconds: number;
  /** The last entry that used it. */
  readonly lastIndex: LogIndex;
};
