/**
 * The changes of one key from some place on, oldest first, in pieces: what a lagging watch of a
 * single key reads, whatever else happened in the store.
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
import type { Deletion } from '../deletion-record.ts';
import { chainIndexOf, encodeRevisionKey, headKey, readCounter } from '../key-record.ts';
import { removes } from '../live-keys.ts';
import { jumpKey, prevKey } from '../revision-record.ts';
import type { StoreState } from '../store-state.ts';
import { isWanted, toEvent, withPrevKv } from './revision-events.ts';
import { tell } from './telling.ts';
import { type Watch, WatchOption } from './watch-state.ts';

/** Bytes of revisions that take as long as visiting one more. */
const VISIT_BYTES = 1024;

/** A change of the key. */
type KeyRevision = { readonly main: number; readonly sub: number; readonly record: Buffer };

/** Some changes of a key. */
type KeyHistory = {
  readonly revisions: readonly KeyRevision[];
  /** Whether there are newer ones. */
  readonly hasMore: boolean;
  /** Whether the next one is of the same revision as the last. */
  readonly isTorn: boolean;
};

/** A change in its chain. */
type Link = KeyRevision & { readonly number: number; readonly key: Buffer };

/**
 * Tells a watch of a single key some of what it has missed, and moves it behind that.
 * @param last the last revision that is known to be whole for its key
 * @param countMax most changes to read
 * @returns how many were visited, large ones counted as several
 */
export function tellKeyHistory(
  state: StoreState,
  watch: Watch,
  last: number,
  countMax: number,
): number {
  const { options } = watch;
  const { revision } = state;
  const hasPrevKv = (options & WatchOption.PrevKv) !== 0;
  const bytesMax = hasPrevKv ? WATCH_BATCH_BYTES / 2 : WATCH_BATCH_BYTES;
  const history = readKeyHistory(state, watch, countMax, bytesMax);
  let visits = 2;
  const events: WatchEvent[] = [];
  for (const { main, record } of history.revisions) {
    visits += 1 + record.length / VISIT_BYTES;
    if (!isWanted(options, record)) continue;
    const event = toEvent(record, main);
    events.push(hasPrevKv ? withPrevKv(state, record, event) : event);
  }
  const told = history.hasMore ? history.revisions.at(-1) : undefined;
  watch.nextMain = told === undefined ? last + 1 : told.main;
  watch.nextSub = told === undefined ? 0 : told.sub + 1;
  const isFragment = history.isTorn;
  if (events.length > 0 || (watch.isTorn && !isFragment)) {
    tell(watch, { revision, events, isFragment });
  }
  return visits;
}

/** The deletion under way that will remove the key of a watch, which has not been told of it. */
export function deletionAhead(state: StoreState, watch: Watch): Deletion | undefined {
  if (state.deletions.length === 0) return undefined;
  const key = Buffer.from(watch.key, 'latin1');
  const record = key.length > KEY_BYTES_MAX ? undefined : state.map.get(Table.Keys, key);
  if (record === undefined) return undefined;
  return state.deletions.find(
    (deletion) => deletion.main >= watch.nextMain && removes(deletion, key, record),
  );
}

/**
 * Reads the oldest changes of a watch's key from its place on, which is not below the compacted
 * revision: what is older may be gone.
 * @param countMax most changes
 * @param bytesMax bytes of changes after which no more are read; one always is
 */
function readKeyHistory(
  state: StoreState,
  watch: Watch,
  countMax: number,
  bytesMax: number,
): KeyHistory {
  const chain = findChain(state, Buffer.from(watch.key, 'latin1'));
  const from = encodeRevisionKey(Math.max(watch.nextMain, 1), watch.nextSub);
  if (chain === undefined || headKey(chain).compare(from) < 0) {
    return { revisions: [], hasMore: false, isTorn: false };
  }
  const head = linkAt(state, headKey(chain), chainIndexOf(chain));
  const first = findFirst(state, head, from);
  // How large the changes are is not known before: guess, then take fewer.
  let count = Math.min(countMax, head.number - first.number + 1);
  for (;;) {
    const number = first.number + count - 1;
    const hasMore = number < head.number;
    const next = hasMore ? findNumber(state, head, number + 1) : undefined;
    const last = next === undefined ? head : linkAt(state, prevKey(next.record), number);
    const revisions = readBack(state, last, first.number, bytesMax);
    if (revisions !== undefined) return { revisions, hasMore, isTorn: next?.main === last.main };
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
  return { key, number, main: readCounter(key, 0), sub: key.readUInt32BE(8), record };
}

/**
 * The number that number `number` of a chain jumps to; 0 for none. A chain that started anew has
 * older links, which count down from its first: their jumps follow another numbering.
 */
function jumpNumber(number: number): number {
  return number > 1 ? (number & (number - 1)) >>> 0 : 0;
}

function findFirst(state: StoreState, head: Link, from: Buffer): Link {
  let link = head;
  for (;;) {
    const { record } = link;
    const jump = jumpNumber(link.number);
    if (jump > 0 && jumpKey(record).compare(from) >= 0) {
      link = linkAt(state, jumpKey(record), jump);
    } else if (prevKey(record).compare(from) >= 0) {
      link = linkAt(state, prevKey(record), link.number - 1);
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
      jump > 0 && jump >= number
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
