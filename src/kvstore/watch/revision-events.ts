/** What a watch is told of a revision's record. */

import { EventKind, type KeyValue, Table, type WatchEvent } from '../../../include/kvstore.ts';
import {
  isDeletion,
  NO_VALUE,
  prevKey,
  prevMain,
  storedKey,
  storedValue,
  toKeyValue,
} from '../revision-record.ts';
import type { StoreState } from '../store-state.ts';
import { WatchOption } from './watch-state.ts';

/** Whether a watch with these options is told of the revision. */
export function isWanted(options: number, record: Buffer): boolean {
  return (options & (isDeletion(record) ? WatchOption.NoDelete : WatchOption.NoPut)) === 0;
}

/** The event of revision `main`, without the pair before it. Its buffers are views. */
export function toEvent(record: Buffer, main: number): WatchEvent {
  if (!isDeletion(record)) {
    const kv = toKeyValue(record, main, storedValue(record));
    return { kind: EventKind.Put, kv, prevKv: undefined };
  }
  const kv: KeyValue = {
    key: storedKey(record),
    value: NO_VALUE,
    createRevision: 0,
    modRevision: main,
    version: 0,
    lease: 0n,
  };
  return { kind: EventKind.Delete, kv, prevKv: undefined };
}

/**
 * The event with the pair as of the revision before it, unless there was none, it is a creation, or
 * that revision is compacted. What an earlier operation of the same transaction made of the key is
 * no revision; a key that it deleted and put again is created (etcd's isCreateEvent).
 */
export function withPrevKv(state: StoreState, record: Buffer, event: WatchEvent): WatchEvent {
  const { createRevision, modRevision: revision } = event.kv;
  if (createRevision === revision || revision - 1 < state.compactRevision) return event;
  let main = revision;
  let before: Buffer | undefined = record;
  while (before !== undefined && main === revision) {
    main = prevMain(before);
    before = main === 0 ? undefined : state.map.get(Table.Revisions, prevKey(before));
  }
  if (before === undefined || isDeletion(before)) return event;
  return { ...event, prevKv: toKeyValue(before, main, storedValue(before)) };
}

/** Bytes of an event's keys and values. */
export function sizeOf({ kv, prevKv }: WatchEvent): number {
  const prevBytes = prevKv === undefined ? 0 : prevKv.key.length + prevKv.value.length;
  return kv.key.length + kv.value.length + prevBytes;
}
