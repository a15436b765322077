/** What a member is made of. */

import type { MetricFamily } from '../../include/metrics.ts';
import type { Roster, Upkeep } from '../../include/node.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../kvstore/store.ts';
import type { Random } from '../random.ts';
import type { LevelledLog } from './levelled-log.ts';
import type { LogKept } from './log-trim.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type * as core from './raft/raft.ts';
import type { Transport } from './transport.ts';
import type { Wal } from './wal/wal.ts';

/** What a member is made of. */
export type MemberOptions = {
  readonly clusterId: bigint;
  readonly version: string;
  /** The newest protocol version that it speaks. */
  readonly protocolVersion: number;
  /** What is known of the members while no configuration says it. */
  readonly roster: Roster;
  readonly raft: core.Raft;
  readonly wal: Wal;
  readonly store: Store;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Draws the ids of leases. */
  readonly random: Random;
  readonly log: LevelledLog;
  readonly metrics: NodeMetrics;
  /** Milliseconds from which on a request is logged with its parts. */
  readonly slowRequestMs: number;
  /** What is measured of network and process, by whoever made them. */
  readonly measureOthers: () => readonly MetricFamily[];
  /** Least seconds of a lease. */
  readonly leaseTtlSecondsMin: number;
  /** Milliseconds between two notes of progress of a quiet watch; WATCH_PROGRESS_MS if left out. */
  readonly watchProgressMs?: number;
  /** Whether the disk has no room: no writes are taken from clients then. */
  readonly isDiskFull: () => boolean;
  readonly upkeep: Upkeep;
  /** How much of the log stays for followers that lag. */
  readonly logKept: LogKept;
  /** The member was removed from the cluster: to be stopped. May be told more than once. */
  readonly onRemoved: () => void;
  /** The member cannot go on: the disk failed, or an invariant broke. */
  readonly onFatal: (cause: unknown) => void;
};
