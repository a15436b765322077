/**
 * What the log may forget, in memory and on disk (Raft thesis 5.1): a tail stays for followers that
 * lag; the file on disk is cut only behind what the store has made durable.
 */

import { LOG_KEPT_BYTES_MAX, LOG_KEPT_ENTRIES_MAX, type LogIndex } from '../../include/node.ts';
import type { Store } from '../kvstore/store.ts';
import * as core from './raft/raft.ts';
import type { Wal } from './wal/wal.ts';

/** How much of the log is kept; smaller in tests. */
export type LogKept = { readonly entriesMax: number; readonly bytesMax: number };

/** What a node keeps by default. */
export const LOG_KEPT: LogKept = {
  entriesMax: LOG_KEPT_ENTRIES_MAX,
  bytesMax: LOG_KEPT_BYTES_MAX,
};

/** Forgets what the limits say, as far as it may go. Returns where the log on disk now starts. */
export function trimLog(raft: core.Raft, wal: Wal, store: Store, kept: LogKept): LogIndex {
  core.compactTo(raft, kept.entriesMax, kept.bytesMax, store.durableApplied());
  const index = core.startIndex(raft);
  if (index > wal.baseIndex) {
    const term = core.startTerm(raft);
    wal.cutBefore({ index, term, configuration: core.configurationAt(raft, index) });
  }
  return wal.baseIndex;
}
