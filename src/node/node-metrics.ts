/**
 * What a member counts while it works. Everything is preallocated: counting is an addition, timing
 * a few compares more; no name or label is touched before somebody asks (metric-families.ts).
 */

import { OpKind, type TxnOpResult } from '../../include/kvstore.ts';
import {
  DISK_SECONDS_BOUNDS,
  LOOP_SECONDS_BOUNDS,
  REQUEST_SECONDS_BOUNDS,
} from '../../include/metrics.ts';
import { TICK_MS } from '../../include/node.ts';
import { FrameType } from '../../include/rpc.ts';
import { Histogram } from '../metrics.ts';
import type { ApplyResult } from './apply-command.ts';

/** Types of requests whose time is measured, and what each is called. */
export const REQUEST_NAMES: readonly (readonly [type: FrameType, name: string])[] = [
  [FrameType.Put, 'put'],
  [FrameType.Range, 'range'],
  [FrameType.DeleteRange, 'delete_range'],
  [FrameType.Compact, 'compact'],
  [FrameType.Txn, 'txn'],
  [FrameType.LeaseGrant, 'lease_grant'],
  [FrameType.LeaseRevoke, 'lease_revoke'],
  [FrameType.LeaseKeepAlive, 'lease_keep_alive'],
  [FrameType.LeaseTimeToLive, 'lease_time_to_live'],
  [FrameType.SessionOpen, 'session_open'],
  [FrameType.MemberList, 'member_list'],
];

/** The counters of one member, since it started. */
export class NodeMetrics {
  /** Seconds of each synced write of the log, and the bytes of all of them. */
  readonly logWrites = new Histogram(DISK_SECONDS_BOUNDS);
  logWrittenBytes = 0;
  /** Seconds of each flush of the store. */
  readonly flushes = new Histogram(DISK_SECONDS_BOUNDS);
  /** Seconds by which each tick came late: what held up the event loop. */
  readonly loopDelays = new Histogram(LOOP_SECONDS_BOUNDS);

  leaderChanges = 0;
  proposalsFailed = 0;
  readsFailed = 0;
  slowApplies = 0;
  slowRequests = 0;
  /** Refused with TooManyRequests. */
  refusedRequests = 0;

  puts = 0;
  deletions = 0;
  txns = 0;
  ranges = 0;

  /** Told to watches; one told to many counts for each. */
  watchEvents = 0;

  /** The first tick is not late. */
  #tickedMs = Number.POSITIVE_INFINITY;
  /** Seconds from a request to its answer, by the request's type. */
  readonly #requests: readonly (Histogram | undefined)[];

  constructor() {
    const requests: (Histogram | undefined)[] = Array.from({ length: 256 }, () => undefined);
    for (const [type] of REQUEST_NAMES) requests[type] = new Histogram(REQUEST_SECONDS_BOUNDS);
    this.#requests = requests;
  }

  /** A tick came: what it is late by, something held up the event loop. */
  ticked(nowMs: number): void {
    const lateMs = nowMs - this.#tickedMs - TICK_MS;
    this.#tickedMs = nowMs;
    this.loopDelays.observe(Math.max(0, lateMs) / 1_000);
  }

  /** A request was answered after so long; counted `times` times. */
  answered(type: FrameType, tookMs: number, times = 1): void {
    this.#requests[type]?.observe(tookMs / 1_000, times);
  }

  /** The times of requests of a type. */
  requestsOf(type: FrameType): Histogram | undefined {
    return this.#requests[type];
  }

  /** A write was applied: what it did is counted, as etcd counts it. */
  applied(type: FrameType, result: ApplyResult): void {
    if (typeof result === 'number') return;
    if (type === FrameType.Put) this.puts += 1;
    else if (type === FrameType.DeleteRange) this.deletions += 1;
    else if (type === FrameType.Txn && 'results' in result) {
      this.txns += 1;
      this.#countOperations(result.results);
    }
  }

  #countOperations(results: readonly TxnOpResult[]): void {
    for (const { kind, result } of results) {
      if (kind === OpKind.Put) this.puts += 1;
      else if (kind === OpKind.DeleteRange) this.deletions += 1;
      else if (kind === OpKind.Range) this.ranges += 1;
      else this.#countOperations(result.results);
    }
  }
}
