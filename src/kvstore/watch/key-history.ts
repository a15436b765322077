/**
 * The revisions of one key from some revision on, oldest first, in pieces: what a lagging watch of
 * a single key reads, whatever else happened in the store.
 *
 * A chain leads from new to old (key-record.ts). Its numbering makes it possible to come to any
 * number in a few jumps, so a piece costs its own length and some jumps.
 */

import {
  KEY_BYTES_MAX,
  Table,
  WATCH_BATCH_BYTES,
  type WatchEvent,
} from '../../../include/kvstore.ts';
import { assert } from '../../assert.ts';
import { chainIndexOf, headKey, headMain, readCounter } from '../key-record.ts';
import { jumpKey, jumpMain, prevKey, prevMain } from '../revision-record.ts';
import type { StoreState } from '../store-state.ts';
import { isWanted, toEvent, withPrevKv } from './revision-events.ts';
import { tell } from './telling.ts';
import { type Watch, WatchOption } from './watch-state.ts';

/** Bytes of revisions that take as long as visiting one more. */
const VISIT_BYTES = 1024;

/** A revision of the key. */
export type KeyRevision = { readonly main: number; readonly record: Buffer };

/** Some revisions of a key. */
export type KeyHistory = {
  readonly revisions: readonly KeyRevision[];
  /** There are newer ones. */
  readonly hasMore: boolean;
};

/** A revision in its chain. */
type Link = KeyRevision & { readonly number: number; readonly key: Buffer };

/**
 * Tells a watch of a single key some of what it has missed, and moves it behind that.
 * @param countMax most revisions to read
 * @returns how many revisions were visited, large ones counted as several
 */
export function tellKeyHistory(state: StoreState, watch: Watch, countMax: number): number {
  const { options } = watch;
  const hasPrevKv = (options & WatchOption.PrevKv) !== 0;
  const bytesMax = hasPrevKv ? WATCH_BATCH_BYTES / 2 : WATCH_BATCH_BYTES;
  const key = Buffer.from(watch.key, 'latin1');
  const history = readKeyHistory(state, key, watch.nextMain, countMax, bytesMax);
  const { revisions, hasMore } = history;
  let visits = 2;
  const events: WatchEvent[] = [];
  for (const { main, record } of revisions) {
    visits += 1 + record.length / VISIT_BYTES;
    if (!isWanted(options, record)) continue;
    const event = toEvent(record, main);
    events.push(hasPrevKv ? withPrevKv(state, record, event) : event);
  }
  watch.nextMain = (hasMore ? revisions.at(-1)!.main : state.revision) + 1;
  watch.nextSub = 0;
  const { revision } = state;
  if (events.length > 0) tell(watch, { revision, events, isFragment: false });
  return visits;
}

/**
 * Reads the oldest revisions of a key that are not below `from`.
 * @param from not below the compacted revision: what is older may be gone
 * @param countMax most revisions
 * @param bytesMax bytes of revisions after which no more are read; one always is
 */
export function readKeyHistory(
  state: StoreState,
  key: Buffer,
  from: number,
  countMax: number,
  bytesMax: number,
): KeyHistory {
  const chain = findChain(state, key);
  if (chain === undefined || headMain(chain) < from) return { revisions: [], hasMore: false };
  const head = linkAt(state, headKey(chain), chainIndexOf(chain));
  const first = findFirst(state, head, from);
  // How large the revisions are is not known before: guess, then take fewer.
  let count = Math.min(countMax, head.number - first.number + 1);
  for (;;) {
    const last = first.number + count - 1;
    const revisions = readBack(state, findNumber(state, head, last), first.number, bytesMax);
    if (revisions !== undefined) return { revisions, hasMore: last < head.number };
    count = Math.ceil(count / 4);
  }
}

function findChain(state: StoreState, key: Buffer): Buffer | undefined {
  if (key.length > KEY_BYTES_MAX) return undefined;
  const live = state.map.get(Table.Keys, key);
  if (live !== undefined || state.tombstoneCount === 0) return live;
  return state.map.get(Table.Tombstones, key);
}

function linkAt(state: StoreState, key: Buffer, number: number): Link {
  const record = state.map.get(Table.Revisions, key);
  assert(record !== undefined, 'a chain leads through revisions that are there', number);
  return { key, number, main: readCounter(key, 0), record };
}

/** The number that number `number` of a chain jumps to; 0 for none. */
function jumpNumber(number: number): number {
  return (number & (number - 1)) >>> 0;
}

function findFirst(state: StoreState, head: Link, from: number): Link {
  let link = head;
  for (;;) {
    const { record, number } = link;
    if (jumpMain(record) >= from && jumpMain(record) > 0) {
      link = linkAt(state, jumpKey(record), jumpNumber(number));
    } else if (prevMain(record) >= from && prevMain(record) > 0) {
      link = linkAt(state, prevKey(record), number - 1);
    } else {
      return link;
    }
  }
}

function findNumber(state: StoreState, head: Link, number: number): Link {
  let link = head;
  while (link.number > number) {
    const jump = jumpNumber(link.number);
    link =
      jump >= number
        ? linkAt(state, jumpKey(link.record), jump)
        : linkAt(state, prevKey(link.record), link.number - 1);
  }
  return link;
}

/** Reads from a link back to a number; undefined when that is too much. */
function readBack(
  state: StoreState,
  last: Link,
  firstNumber: number,
  bytesMax: number,
): KeyRevision[] | undefined {
  const revisions: KeyRevision[] = [last];
  let sizeBytes = last.record.length;
  let link = last;
  while (link.number > firstNumber) {
    link = linkAt(state, prevKey(link.record), link.number - 1);
    revisions.push(link);
    sizeBytes += link.record.length;
    if (sizeBytes > bytesMax) return undefined;
  }
  return revisions.reverse();
}
