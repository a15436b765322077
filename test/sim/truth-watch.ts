/** Watches a member's store from within, and tells the truth of it. */

import type { WatchBatch, WatchEvent, WatchRequest } from '../../include/kvstore.ts';
import type { NodeId } from '../../include/node.ts';
import type { Store } from '../../src/kvstore/store.ts';
import type { Truth } from './truth.ts';

const WATCH_ID = 1;

/** Every key there is: from the smallest one on. */
const EVERYTHING = { key: Buffer.of(0), rangeEnd: Buffer.of(0) };

/** Tells of every revision that the store makes from now on. */
export function watchFromWithin(node: NodeId, store: Store, truth: Truth): void {
  const begin = (startRevision: number): void => {
    const request: WatchRequest = {
      ...EVERYTHING,
      startRevision,
      prevKv: false,
      noPut: false,
      noDelete: false,
      progressNotify: false,
    };
    stream.create(WATCH_ID, request);
  };
  const stream = store.watches.open({
    isFull: () => false,
    events: (_watchId, batch) => tellBatch(node, batch, truth),
    progress: () => {},
    // What it missed is compacted: it came by snapshot. The others have told of it.
    cancelled: (_watchId, _code, compactRevision) => {
      queueMicrotask(() => begin(Math.max(compactRevision, 1)));
    },
  });
  begin(Math.max(1, Math.min(truth.last, store.revision()) + 1));
}

function tellBatch(node: NodeId, { events }: WatchBatch, truth: Truth): void {
  let revision = 0;
  let gathered: WatchEvent[] = [];
  for (const event of events) {
    if (event.kv.modRevision !== revision && gathered.length > 0) {
      truth.tell(node, revision, gathered);
      gathered = [];
    }
    revision = event.kv.modRevision;
    gathered.push(event);
  }
  if (gathered.length > 0) truth.tell(node, revision, gathered);
}
