/**
 * What the log may forget, in memory and on disk (Raft thesis 5.1): a tail stays for followers that
 * lag; the file on disk is cut only behind what the store has made durable.
 */

import {
  LOG_CATCH_UP_BYTES_MAX,
  LOG_KEPT_BYTES_MAX,
  LOG_KEPT_ENTRIES_MAX,
  TRIM_INTERVAL_MS,
} from '../../include/node.ts';
import type { Clock } from '../clock.ts';
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

/** What the trimming of a member's log needs. */
export type LogTrimOptions = {
  readonly raft: core.Raft;
  readonly wal: Wal;
  readonly store: Store;
  readonly logKept: LogKept;
  readonly clock: Pick<Clock, 'nowMs'>;
};

/** Trims the log of a member now and then. */
export class LogTrim {
  readonly #options: LogTrimOptions;
  #trimmedMs = 0;

  constructor(options: LogTrimOptions) {
    this.#options = options;
  }

  /**
   * Forgets what the limits say, as far as it may go, if it is time to. Only when the log on disk
   * has all that the core has handed out: of a snapshot that was just accepted the core knows
   * before the disk does.
   */
  run(): void {
    const { raft, wal, store, logKept, clock } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#trimmedMs < TRIM_INTERVAL_MS) return;
    this.#trimmedMs = nowMs;
    const limits = { ...logKept, catchUpBytesMax: LOG_CATCH_UP_BYTES_MAX };
    core.compactTo(raft, limits, store.durableApplied());
    const index = core.startIndex(raft);
    if (index > wal.baseIndex) {
      const term = core.startTerm(raft);
      wal.cutBefore({ index, term, configuration: core.configurationAt(raft, index) });
    }
  }
}
