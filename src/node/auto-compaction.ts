/**
 * Compaction without anybody asking for it (etcd --auto-compaction-mode). The leader proposes it;
 * every member notes revisions as time goes by, so that a new leader knows what was how long ago.
 *
 * - periodic: every retention, or hourly if that is longer, to what was noted a retention ago or a
 *   little more; the first time after a whole retention. Revisions are noted ten times as often.
 * - revision: every 5 minutes, to the retention below the current revision.
 *
 * Source: etcd 3.4 to 3.6.
 */

import type { AutoCompaction } from '../../include/node.ts';

const HOUR_MS = 3_600_000;

/** Notes in the time between two compactions. */
const NOTES = 10;

/** Milliseconds between two compactions by count of revisions. */
const REVISION_INTERVAL_MS = 300_000;

/** What a member lends. */
export type AutoCompactorOptions = {
  readonly policy: AutoCompaction;
  readonly nowMs: () => number;
  readonly revision: () => number;
  readonly compactRevision: () => number;
  readonly isLeader: () => boolean;
  /** Proposes a compaction; whether it was taken. */
  readonly compact: (revision: number) => boolean;
};

/** The compaction of one member by itself. */
export class AutoCompactor {
  readonly #options: AutoCompactorOptions;
  /** Milliseconds between two compactions, and between two looks. */
  readonly #intervalMs: number;
  readonly #lookMs: number;
  /** Revisions noted, the newest last; the first is a retention old, once there are enough. */
  readonly #noted: number[] = [];
  #nextLookMs: number;
  /** When the next compaction is due. */
  #dueMs: number;

  constructor(options: AutoCompactorOptions) {
    this.#options = options;
    const { policy, nowMs } = options;
    const isPeriodic = policy.mode === 'periodic';
    this.#intervalMs = isPeriodic ? Math.min(policy.retentionMs, HOUR_MS) : REVISION_INTERVAL_MS;
    this.#lookMs = isPeriodic ? this.#intervalMs / NOTES : REVISION_INTERVAL_MS;
    const startedMs = nowMs();
    this.#nextLookMs = startedMs + this.#lookMs;
    this.#dueMs = startedMs + (isPeriodic ? policy.retentionMs : REVISION_INTERVAL_MS);
    this.#note();
  }

  /** Compacts when that is due. */
  tick(): void {
    const { nowMs, isLeader, compact, compactRevision } = this.#options;
    const now = nowMs();
    if (now < this.#nextLookMs) return;
    this.#nextLookMs = now + this.#lookMs;
    if (now >= this.#dueMs && isLeader()) {
      const target = this.#target();
      // What is compacted already counts as done.
      const isDone = target <= Math.max(0, compactRevision());
      if (isDone || compact(target)) this.#dueMs = now + this.#intervalMs;
    }
    this.#note();
  }

  #target(): number {
    const { policy, revision } = this.#options;
    if (policy.mode === 'revision') return Math.max(0, revision() - policy.retention);
    return this.#noted[0] ?? 0;
  }

  #note(): void {
    const { policy, revision } = this.#options;
    if (policy.mode === 'revision') return;
    this.#noted.push(revision());
    const notesMax = Math.floor(policy.retentionMs / this.#lookMs) + 1;
    if (this.#noted.length > notesMax) this.#noted.shift();
  }
}
