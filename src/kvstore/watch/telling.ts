/** A word to a client, if it listens. */

import type { WatchBatch } from '../../../include/kvstore.ts';
import type { StreamState, Watch } from './watch-state.ts';

/** Whether the stream's client takes more; if not, nothing is told until it has drained. */
export function canTell(stream: StreamState): boolean {
  if (!stream.isBlocked) stream.isBlocked = stream.sink.isFull();
  return !stream.isBlocked;
}

/** Tells a watch a batch. */
export function tell(watch: Watch, batch: WatchBatch): void {
  watch.isTorn = batch.isFragment;
  watch.hasNews = true;
  watch.stream.sink.events(watch.id, batch);
}
