/**
 * What a request that failed in the client says: where it was tried, why each place did not serve,
 * what is known.
 */

import { ErrorCode, FrameType, KvorumError, Retry } from '../../include/rpc.ts';
import { CallKind, CallState, isUncertain } from './call.ts';
import type { Link, LinkCall } from './link.ts';

/** Most nodes named in one error. */
const NAMED_MAX = 16;

/**
 * The deadline has passed.
 *
 * @param asked what was under way for it: itself, or the opening of the session it waited for
 * @param links the nodes that may have been tried
 * @returns DeadlineExceeded, or Unreachable when no node was even connected to: nothing took effect
 */
export function deadlineError(
  call: LinkCall,
  asked: LinkCall,
  links: readonly Link[],
): KvorumError {
  const tried = call.only === undefined ? links : [call.only];
  const sinceMs = call.startedMs;
  const reasons = tried.map((link) => reasonOf(link, asked, sinceMs)).filter((each) => each !== '');
  const named = reasons.slice(0, NAMED_MAX).join('; ');
  const more = reasons.length > NAMED_MAX ? ` and ${reasons.length - NAMED_MAX} more` : '';
  // A node that is gone now may have been there when the request was sent.
  const isHeard = tried.some((link) => link.isReady || link.heardMs >= call.startedMs);
  const isReached = isHeard || isUncertain(call);

  const head = isReached
    ? 'context deadline exceeded'
    : 'context deadline exceeded: no endpoint could be reached';
  const why = named === '' ? '' : `: ${named}${more}`;
  const code = isReached ? ErrorCode.DeadlineExceeded : ErrorCode.Unreachable;
  return new KvorumError(code, `${head}${why}${outcomeOf(call)}`);
}

/** The connection broke while the answer was awaited. */
export function lostError(call: LinkCall, reason: string): KvorumError {
  const where = call.link?.endpoint.name ?? '';
  const why = reason.startsWith(where) ? reason : `${where}: ${reason}`;
  return new KvorumError(ErrorCode.ConnectionLost, `connection lost: ${why}${outcomeOf(call)}`);
}

/** The node's own error; where nobody knows whether a write took effect, it says so. */
export function refusedError(call: LinkCall, error: KvorumError): KvorumError {
  if (call.kind !== CallKind.Write) return error;
  if (error.retry !== Retry.Unknown && error.code !== ErrorCode.SessionExpired) return error;
  return new KvorumError(error.code, `${error.message}${outcomeOf(call)}`, { cause: error });
}

/** What is known of a write. */
function outcomeOf(call: LinkCall): string {
  if (call.kind !== CallKind.Write) return '';
  return isUncertain(call) ? '; nobody knows whether it took effect' : '; it did not take effect';
}

/** Why a link did not serve; empty when nothing is known. */
function reasonOf(link: Link, asked: LinkCall, sinceMs: number): string {
  const { name } = link.endpoint;
  if (asked.link === link && asked.state === CallState.Sent) {
    const isKnown = link.unreached !== '' && link.unreachedMs >= sinceMs;
    const unreached = isKnown ? `, it does not reach ${link.unreached}` : '';
    const before = failureOf(link, sinceMs) === '' ? '' : `, before that: ${link.failure}`;
    return `${name}: no answer to ${requestName(asked)}${unreached}${before}`;
  }
  if (asked.link === link) return `${name}: no connection yet`;
  const failure = failureOf(link, sinceMs);
  return failure === '' || failure.startsWith(name) ? failure : `${name}: ${failure}`;
}

/** What the node last failed with since then; empty if it did not. */
function failureOf(link: Link, sinceMs: number): string {
  return link.failureMs < sinceMs ? '' : link.failure;
}

function requestName(call: LinkCall): string {
  return call.request.type === FrameType.Range ? 'the read' : 'the request';
}
