/**
 * The history of a key: what it was at the oldest revision there is, then every change up to now.
 *
 * The changes come from a watch that starts at the oldest revision. Which one that is, a node tells
 * by ending a watch that starts before it. A compaction that comes between is met by beginning
 * anew, as long as nothing was told.
 */

import {
  type Bytes,
  type CallOptions,
  type HistoryEntry,
  WatchError,
  type Watcher,
  type WatchOptions,
} from '../../include/client.ts';
import { EventKind, type KeyValue } from '../../include/kvstore.ts';
import { ErrorCode, FrameType, KvorumError } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import { type Ask, pickRange } from './ask.ts';
import { rangeRequest } from './requests.ts';

/** What reading a history needs of a client. */
export type HistorySource = {
  readonly ask: Ask;
  readonly watch: (key: Bytes, options: WatchOptions) => Watcher;
  readonly clock: Clock;
};

/** Milliseconds until a node that is behind is asked again how far it is. */
const BEHIND_PAUSE_MS = 20;

/** Times that a compaction may come between before it is told. */
const OVERTAKEN_MAX = 8;

/** Every revision of a key that is not compacted, oldest first, up to now. */
export async function* readHistory(
  source: HistorySource,
  key: Bytes,
  how: CallOptions,
): AsyncGenerator<HistoryEntry> {
  const end = (await readAt(source, key, how, 0)).revision;
  let oldest = 0;
  for (let overtakenCount = 0; ; overtakenCount += 1) {
    let hasTold = false;
    try {
      for await (const entry of historyFrom(source, key, how, oldest, end)) {
        hasTold = true;
        yield entry;
      }
      return;
    } catch (error) {
      const isOvertaken = error instanceof KvorumError && error.code === ErrorCode.Compacted;
      if (!isOvertaken || hasTold || overtakenCount >= OVERTAKEN_MAX) throw error;
      oldest = error instanceof WatchError ? error.compactRevision : 0;
    }
  }
}

/**
 * What the key was at revision `oldest`, if any, and what became of it.
 *
 * @param oldest 0 for the first revision there ever was
 */
async function* historyFrom(
  source: HistorySource,
  key: Bytes,
  how: CallOptions,
  oldest: number,
  end: number,
): AsyncGenerator<HistoryEntry> {
  const base = oldest === 0 ? undefined : (await readAt(source, key, how, oldest)).pair;
  let isBaseTold = base === undefined;
  for await (const entry of changesUpTo(source, key, oldest + 1, end)) {
    // Told once the watch is known to have begun: it follows without a gap.
    if (!isBaseTold && base !== undefined) yield entryOf(base);
    isBaseTold = true;
    if (entry !== undefined) yield entry;
  }
}

/** The changes of a key in revisions `start` to `end`; undefined where a batch has none. */
async function* changesUpTo(
  { watch, clock }: HistorySource,
  key: Bytes,
  start: number,
  end: number,
): AsyncGenerator<HistoryEntry | undefined> {
  const watcher = watch(key, { startRevision: start, progressNotify: true });
  const askProgress = (): void => {
    // Its answer comes as a batch without events; its failure ends the iteration.
    watcher.progress().catch(() => {});
  };
  askProgress();
  for await (const { revision, events } of watcher) {
    if (events.length === 0) {
      yield undefined;
      if (revision < end) clock.after(BEHIND_PAUSE_MS, askProgress);
    }
    for (const { kind, kv } of events) {
      if (kv.modRevision > end) return;
      if (kind === EventKind.Put) yield entryOf(kv);
      else yield { revision: kv.modRevision, kind: 'delete', kv: undefined };
    }
    if (revision >= end) return;
  }
}

async function readAt(
  source: HistorySource,
  key: Bytes,
  how: CallOptions,
  revision: number,
): Promise<{ readonly revision: number; readonly pair: KeyValue | undefined }> {
  const body = rangeRequest(key, { revision });
  const reply = await source.ask(how, () => ({ type: FrameType.Range, body }), pickRange);
  return { revision: reply.revision, pair: reply.kvs[0] };
}

function entryOf(kv: KeyValue): HistoryEntry {
  return { revision: kv.modRevision, kind: 'put', kv };
}
