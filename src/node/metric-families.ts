/**
 * What a member measures about itself, under the names that dashboards and alerts for etcd know
 * where they mean the same; what only kvorum has begins with kvorum_. Made when somebody asks.
 */

import {
  DISK_SECONDS_BOUNDS,
  LOOP_SECONDS_BOUNDS,
  type MetricFamily,
  REQUEST_SECONDS_BOUNDS,
} from '../../include/metrics.ts';
import { NO_NODE, type NodeStatus, Role } from '../../include/node.ts';
import { counter, gauge, histogram } from '../metrics.ts';
import type { Member } from './member.ts';
import { REQUEST_NAMES } from './node-metrics.ts';

/** All families of a member but those of network and process. */
export function memberFamilies(member: Member, status: NodeStatus): MetricFamily[] {
  return [
    ...clusterFamilies(member, status),
    ...diskFamilies(member),
    ...storeFamilies(member, status),
    ...loadFamilies(member),
  ];
}

function clusterFamilies({ metrics, proposals }: Member, status: NodeStatus): MetricFamily[] {
  const version = [{ labels: [['server_version', status.version]], value: 1 }] as const;
  return [
    gauge('etcd_server_has_leader', 'Whether a leader is known.', status.leader !== NO_NODE),
    gauge('etcd_server_is_leader', 'Whether this member leads.', status.role === Role.Leader),
    gauge('etcd_server_is_learner', 'Whether this member is a learner.', status.isLearner),
    counter(
      'etcd_server_leader_changes_seen_total',
      'Leaders seen since the start.',
      metrics.leaderChanges,
    ),
    gauge('kvorum_server_term', 'The current term.', status.term),
    gauge('kvorum_server_log_index', 'The last entry of the log.', status.lastIndex),
    gauge(
      'etcd_server_proposals_committed_total',
      'The last entry committed, as far as known here.',
      status.commitIndex,
    ),
    gauge(
      'etcd_server_proposals_applied_total',
      'The last entry applied here.',
      status.appliedIndex,
    ),
    gauge(
      'etcd_server_proposals_pending',
      'Writes of clients that wait for their entry.',
      proposals.count,
    ),
    counter(
      'etcd_server_proposals_failed_total',
      'Writes of clients that were not carried out, or of which nobody knows.',
      metrics.proposalsFailed,
    ),
    gauge('kvorum_version', 'The version that runs.', version),
  ];
}

function diskFamilies({ metrics, options: { wal } }: Member): MetricFamily[] {
  return [
    histogram(
      'etcd_disk_wal_fsync_duration_seconds',
      'Synced writes of the log.',
      DISK_SECONDS_BOUNDS,
      [metrics.logWrites.sample()],
    ),
    counter(
      'etcd_disk_wal_write_bytes_total',
      'Bytes written to the log.',
      metrics.logWrittenBytes,
    ),
    gauge('kvorum_wal_pending_bytes', 'Bytes given to the log and not synced.', wal.pendingBytes),
    gauge('kvorum_wal_segments', 'Files of the log.', wal.segmentCount),
    histogram(
      'etcd_disk_backend_commit_duration_seconds',
      'Flushes of the store, synced.',
      DISK_SECONDS_BOUNDS,
      [metrics.flushes.sample()],
    ),
  ];
}

function storeFamilies({ metrics, store }: Member, status: NodeStatus): MetricFamily[] {
  const { streams, watches, lagging } = store.watches.counts();
  return [
    gauge('etcd_mvcc_db_total_size_in_bytes', "Size of the store's file.", status.dbSizeBytes),
    gauge(
      'etcd_mvcc_db_total_size_in_use_in_bytes',
      "Bytes in use of the store's file.",
      status.dbSizeInUseBytes,
    ),
    gauge(
      'etcd_server_quota_backend_bytes',
      'Bytes in use above which the store is full.',
      status.quotaBytes,
    ),
    gauge('kvorum_store_unflushed_bytes', 'Applied and not flushed.', store.unflushedBytes()),
    gauge('etcd_debugging_mvcc_keys_total', 'Keys there are.', store.keyCount()),
    gauge('etcd_debugging_mvcc_current_revision', 'The newest revision.', status.revision),
    gauge(
      'etcd_debugging_mvcc_compact_revision',
      'The oldest revision that can be read; 0 before the first compaction.',
      status.compactRevision,
    ),
    counter('etcd_mvcc_put_total', 'Puts applied, those in transactions too.', metrics.puts),
    counter('etcd_mvcc_delete_total', 'Deletions applied, likewise.', metrics.deletions),
    counter('etcd_mvcc_txn_total', 'Transactions applied.', metrics.txns),
    counter('etcd_mvcc_range_total', 'Ranges read.', metrics.ranges),
    gauge('etcd_debugging_mvcc_watch_stream_total', 'Connections that watch.', streams),
    gauge('etcd_debugging_mvcc_watcher_total', 'Watches.', watches),
    gauge('etcd_debugging_mvcc_slow_watcher_total', 'Watches that lag.', lagging),
    counter('etcd_debugging_mvcc_events_total', 'Events told to watches.', metrics.watchEvents),
  ];
}

function loadFamilies({ metrics, reads, serving }: Member): MetricFamily[] {
  return [
    counter('etcd_server_slow_apply_total', 'Entries slow to apply.', metrics.slowApplies),
    counter(
      'etcd_server_read_indexes_failed_total',
      'Linearizable reads that were given up.',
      metrics.readsFailed,
    ),
    counter('kvorum_slow_requests_total', 'Requests slow to answer.', metrics.slowRequests),
    counter(
      'kvorum_refused_requests_total',
      'Requests refused since too many waited.',
      metrics.refusedRequests,
    ),
    gauge('kvorum_apply_backlog', 'Committed entries that wait to be applied.', serving.backlog),
    gauge('kvorum_reads_waiting', 'Reads that wait for a read index.', reads.count),
    gauge('kvorum_reads_under_way', 'Reads that take several turns.', serving.readingsCount),
    histogram(
      'kvorum_event_loop_delay_seconds',
      'By how much ticks come late.',
      LOOP_SECONDS_BOUNDS,
      [metrics.loopDelays.sample()],
    ),
    histogram(
      'kvorum_request_duration_seconds',
      'From a request to its answer, within the node.',
      REQUEST_SECONDS_BOUNDS,
      REQUEST_NAMES.map(([type, name]) => metrics.requestsOf(type)!.sample([['type', name]])),
    ),
  ];
}
