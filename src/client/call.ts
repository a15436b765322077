/**
 * A request under way, from the moment it is asked until its promise settles.
 *
 *   Parked --> Queued --> Sent --> Done
 *     ^----------+----------'
 *
 * Parked: waits for its next attempt. Queued: at a link that connects or is full; not sent. Sent:
 * in the table of a link; it may take effect. Only a read, or what is known to have had no effect,
 * goes back from Sent.
 */

import { FrameType, type KvorumError, type Reply, type Request } from '../../include/rpc.ts';

/** Where a call stands. */
export const CallState = { Parked: 0, Queued: 1, Sent: 2, Done: 3 } as const;
/** One of the values of CallState. */
export type CallState = (typeof CallState)[keyof typeof CallState];

/**
 * A request under way.
 *
 * @typeParam Place where it can be queued or sent: a link, which knows calls and not the reverse
 */
export type Call<Place> = {
  readonly request: Request;
  /** It changes nothing: sending it again is always safe. */
  readonly isRead: boolean;
  /** The one node to ask; undefined for any. */
  readonly only: Place | undefined;
  readonly startedMs: number;
  readonly timeoutMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: KvorumError) => void;
  state: CallState;
  /** Where it is queued or sent; undefined while parked. */
  link: Place | undefined;
  /** Redirects followed in a row. */
  hopCount: number;
  /** Attempts that failed, which the back-off grows with. */
  failedCount: number;
  /** The next moment at which something is due: a new attempt, a question why, or the deadline. */
  dueMs: number;
  /** It was asked why no answer comes. */
  isProbed: boolean;
};

/** Whether a request changes nothing. */
export function isReadRequest(request: Request): boolean {
  return request.type === FrameType.Range || request.type === FrameType.Status;
}
