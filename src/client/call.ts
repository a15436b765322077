/**
 * A request under way, from the moment it is asked until its promise settles.
 *
 *   Waiting --> Parked --> Queued --> Sent --> Done
 *      ^----------^----------+----------'
 *
 * Waiting: a write without a number, while a session is opened. Parked: waits for its next attempt.
 * Queued: at a link that connects or is full; not sent. Sent: in the table of a link; it may take
 * effect. Only what may be repeated, or is known to have had no effect, goes back from Sent.
 */

import {
  type Command,
  ErrorCode,
  FrameType,
  type KvorumError,
  type Reply,
  type Request,
  Retry,
} from '../../include/rpc.ts';
import type { Session } from './session.ts';
import { isReadTxn } from './transactions.ts';

/** A node that gives no answer is asked why before the deadline: so long before it at most. */
export const PROBE_MS_MAX = 500;

/** The part of a request's time that is left for that question. */
const PROBE_PART = 0.2;

/** Where a call stands. */
export const CallState = { Parked: 0, Queued: 1, Sent: 2, Done: 3, Waiting: 4 } as const;
/** One of the values of CallState. */
export type CallState = (typeof CallState)[keyof typeof CallState];

/**
 * What repeating a request does, and so which node is asked and whether a session numbers it.
 *
 * Read: nothing; any node answers. Renewal: nothing more than once; the leader answers. Write: its
 * effect again, unless it is numbered; the leader takes it.
 */
export const CallKind = { Read: 0, Renewal: 1, Write: 2 } as const;
/** One of the values of CallKind. */
export type CallKind = (typeof CallKind)[keyof typeof CallKind];

/**
 * A request under way.
 *
 * @typeParam Place where it can be queued or sent: a link, which knows calls and not the reverse
 */
export type Call<Place> = {
  /** As it travels: of a write in a session its number is part of it. */
  request: Request;
  /** The write that a session numbers; undefined for what travels without a number. */
  readonly write: Command | undefined;
  readonly kind: CallKind;
  /** The one node to ask; undefined for any. */
  readonly only: Place | undefined;
  readonly startedMs: number;
  /** Milliseconds until it fails; infinite for what the client asks on its own account. */
  readonly timeoutMs: number;
  /** Told the answer, and who gave it. */
  readonly resolve: (reply: Reply, place: Place) => void;
  readonly reject: (error: KvorumError) => void;
  state: CallState;
  /** Where it is queued or sent; undefined while it is nowhere. */
  link: Place | undefined;
  /** The session that it is numbered in; undefined while it has no number. */
  session: Session | undefined;
  /** An attempt ended without an answer: it may have taken effect. */
  isDoubtful: boolean;
  /** Redirects followed in a row. */
  hopCount: number;
  /** Attempts that failed, which the back-off grows with. */
  failedCount: number;
  /** The next moment at which something is due: a new attempt, a question why, or the deadline. */
  dueMs: number;
  /** It was asked why no answer comes. */
  isProbed: boolean;
};

/** What repeating a request does. */
export function kindOf(request: Request): CallKind {
  switch (request.type) {
    case FrameType.LeaseKeepAlive:
    case FrameType.LeaseTimeToLive:
    case FrameType.SessionOpen: // one opened in vain ends by itself
    case FrameType.AlarmSet:
      return CallKind.Renewal;
    case FrameType.MoveLeader:
    case FrameType.MemberChange:
    case FrameType.Once:
      return CallKind.Write;
    default:
      return writeOf(request) === undefined ? CallKind.Read : CallKind.Write;
  }
}

/** The write that a session can number; undefined if it is none. */
export function writeOf(request: Request): Command | undefined {
  switch (request.type) {
    case FrameType.Put:
    case FrameType.DeleteRange:
    case FrameType.Compact:
    case FrameType.LeaseGrant:
    case FrameType.LeaseRevoke:
      return request;
    case FrameType.Txn:
      return isReadTxn(request.body) ? undefined : request;
    default:
      return undefined;
  }
}

/** Makes a call that was not sent yet. */
export function createCall<Place>(
  asked: Pick<
    Call<Place>,
    'request' | 'write' | 'only' | 'startedMs' | 'timeoutMs' | 'resolve' | 'reject' | 'failedCount'
  >,
): Call<Place> {
  return {
    request: asked.request,
    write: asked.write,
    kind: kindOf(asked.request),
    only: asked.only,
    startedMs: asked.startedMs,
    timeoutMs: asked.timeoutMs,
    resolve: asked.resolve,
    reject: asked.reject,
    state: CallState.Parked,
    link: undefined,
    session: undefined,
    isDoubtful: false,
    hopCount: 0,
    failedCount: asked.failedCount,
    dueMs: asked.startedMs,
    isProbed: false,
  };
}

/** When an answer is overdue: the deadline, or before it the moment to ask why none comes. */
export function overdueMs<Place>(call: Call<Place>): number {
  const deadlineMs = call.startedMs + call.timeoutMs;
  if (call.isProbed) return deadlineMs;
  return deadlineMs - Math.min(PROBE_MS_MAX, call.timeoutMs * PROBE_PART);
}

/** Whether no other node may be asked, and this one only once. */
export function isOnlyFor<Place>(call: Call<Place>, place: Place): boolean {
  return call.only === place && call.timeoutMs < Number.POSITIVE_INFINITY;
}

/** Whether a call may be sent again although nobody knows what became of it. */
export function isRepeatable<Place>(call: Call<Place>): boolean {
  return call.kind !== CallKind.Write || call.session !== undefined;
}

/** Whether a call that was refused may be sent again. */
export function mayAskAgain<Place>(call: Call<Place>, { retry, code }: KvorumError): boolean {
  // A full disk refuses before it looks at numbers: an earlier copy may have taken effect.
  if (call.isDoubtful && code === ErrorCode.NoSpace) return true;
  return retry === Retry.Safe || (retry === Retry.Unknown && isRepeatable(call));
}

/** Whether a call may have taken effect. */
export function isUncertain<Place>(call: Call<Place>): boolean {
  return call.kind === CallKind.Write && (call.isDoubtful || call.state === CallState.Sent);
}
