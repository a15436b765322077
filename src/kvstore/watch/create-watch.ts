/** A request becomes a watch, or is refused. */

import { KEY_BYTES_MAX, STREAM_WATCHES_MAX, type WatchRequest } from '../../../include/kvstore.ts';
import { ErrorCode } from '../../../include/rpc.ts';
import { SINGLE_KEY, type StreamState, type Watch, WatchOption } from './watch-state.ts';

/** The smallest key; as a range's end it means that there is none. */
const ZERO_BYTE = '\0';

/** Bounds of a range may be one byte longer than any key. */
const BOUND_BYTES_MAX = KEY_BYTES_MAX + 1;

/**
 * Makes a watch that is in no cohort.
 * @param revision the store's newest
 * @returns the watch, or why it is refused
 */
export function createWatch(
  stream: StreamState,
  id: number,
  request: WatchRequest,
  revision: number,
): Watch | ErrorCode {
  const { key, rangeEnd, startRevision } = request;
  if (key.length > BOUND_BYTES_MAX || rangeEnd.length > BOUND_BYTES_MAX) {
    return ErrorCode.KeyTooLong;
  }
  const first = key.length === 0 ? ZERO_BYTE : key.toString('latin1');
  const end = endOf(rangeEnd);
  if (end !== undefined && end !== SINGLE_KEY && end <= first) return ErrorCode.WatchRangeEmpty;
  if (stream.watches.has(id)) return ErrorCode.WatchExists;
  if (stream.watches.size >= STREAM_WATCHES_MAX) return ErrorCode.TooManyWatches;
  return {
    id,
    stream,
    key: first,
    end,
    options: optionsOf(request),
    nextMain: startRevision === 0 ? revision + 1 : startRevision,
    nextSub: 0,
    group: undefined,
    slot: 0,
    isTorn: false,
    hasNews: false,
  };
}

function endOf(rangeEnd: Buffer): string | undefined {
  if (rangeEnd.length === 0) return SINGLE_KEY;
  const end = rangeEnd.toString('latin1');
  return end === ZERO_BYTE ? undefined : end;
}

function optionsOf({ prevKv, noPut, noDelete }: WatchRequest): number {
  return (
    (prevKv ? WatchOption.PrevKv : 0) |
    (noPut ? WatchOption.NoPut : 0) |
    (noDelete ? WatchOption.NoDelete : 0)
  );
}
