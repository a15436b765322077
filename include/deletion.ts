/**
 * Deletions of many keys: one revision, carried out step by step. Part of include/kvstore.ts, which
 * exports it.
 *
 * Such a deletion takes its revision when it is applied, and from then on nobody sees the keys;
 * they are removed between other entries, so that no heartbeat and no client waits for a million of
 * them. Meanwhile its keys must not be written: whoever applies entries asks first (touches), and
 * waits with the entry and all behind it. Everything else goes on.
 *
 * Guarantees: what is read, counted, compared and watched is the same as if all had been removed at
 * once, on every member, however far each has come; a restart or a snapshot goes on with the rest.
 * Watches are told of the revision once it is whole; those of other keys do not wait for it.
 */

import type { ErrorCode } from './errors.ts';
import type { DeleteRangeResult } from './key-values.ts';
import type { SessionMark } from './session.ts';

/** More keys than so many are deleted step by step: this many take 5 to 10 ms. */
export const DELETE_AT_ONCE_KEYS_MAX = 1_000;

/** Most keys one step removes: a step takes 1 or 2 ms. */
export const DELETE_STEP_KEYS_MAX = 250;

/** Deletions under way at which further ones wait. */
export const DELETIONS_MAX = 16;

/**
 * Most bytes of keys and values that a deletion carried out step by step answers. With more it
 * takes effect, and is told AnswerForgotten.
 */
export const DELETE_ANSWER_BYTES_MAX: number = 64 * 1024 * 1024;

/** The answer to a deletion that is carried out step by step, until it has ended. */
export type DeletionUnderWay = {
  /** The revision made. */
  readonly revision: number;
  readonly isUnderWay: true;
};

/** What a deletion of a range came to that was carried out step by step. */
export type EndedDeletion = {
  /** The revision made. */
  readonly revision: number;
  /** A refusal: AnswerForgotten. */
  readonly answer: DeleteRangeResult | ErrorCode;
};

/** The deletions of a store that are under way. */
export type Deletions = {
  readonly count: () => number;
  /** Whether the deletion that made a revision is among them. */
  readonly has: (revision: number) => boolean;
  /** Whether a write of keys, named as in a request, must wait. */
  readonly touches: (keys: { readonly key: Buffer; readonly rangeEnd: Buffer }) => boolean;
  /** Whether a grant or the end of a lease must wait. */
  readonly touchesLease: (id: bigint) => boolean;
  /** Whether a write of a session is answered from memory, so that it writes nothing. */
  readonly isAnswered: (mark: SessionMark) => boolean;
  /** Removes some of the keys, a few milliseconds at most. Returns whether more is left. */
  readonly step: () => boolean;
  /** The deletions of ranges that ended since the last call. */
  readonly takeEnded: () => readonly EndedDeletion[];
};
