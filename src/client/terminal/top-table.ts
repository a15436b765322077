/** `kvorum top`: one row a node, with what it did since the last look. */

import type { StatusReply } from '../../../include/rpc.ts';
import { type NodeSample, numberOf, quantileOf, rateOf } from '../node-rates.ts';
import type { SurveyedNode } from '../survey.ts';
import { formatByteSize } from './byte-size.ts';
import { statusRows } from './cluster-status.ts';
import { hexId } from './printer.ts';
import { drawTable } from './table.ts';

/** A node and what it measured, last time and now; undefined where it did not answer. */
export type TopNode = SurveyedNode & {
  readonly before: NodeSample | undefined;
  readonly now: NodeSample | undefined;
};

const HEADERS: readonly string[] = [
  ...['id', 'address', 'role', 'applied/s', 'lag', 'reads/s', 'waiting'],
  ...['put p50', 'put p99', 'read p99', 'sync p99', 'loop p99', 'refused/s', 'db in use', 'keys'],
];

const REQUESTS = 'kvorum_request_duration_seconds';

/** Draws the table. */
export function drawTop(nodes: readonly TopNode[]): string {
  const rows = statusRows(nodes);
  return drawTable(
    HEADERS,
    nodes.map((node, slot) => {
      const { id, address, role, lag } = rows[slot]!;
      const name = id === undefined ? '?' : hexId(id);
      const { status } = node;
      if (status === undefined || node.now === undefined) return [name, address, role];
      return [name, address, role, ...work(node.before, node.now, status, lag)];
    }),
  );
}

function work(
  before: NodeSample | undefined,
  now: NodeSample,
  status: StatusReply,
  lag: number | undefined,
): string[] {
  const rate = (name: string): string =>
    before === undefined ? '' : wholeText(rateOf(before, now, name));
  const quantile = (name: string, part: number, type?: string): string => {
    if (before === undefined) return '';
    const wanted = type === undefined ? undefined : (['type', type] as const);
    return secondsText(quantileOf(before, now, name, part, wanted));
  };
  const waiting =
    (numberOf(now, 'etcd_server_proposals_pending') ?? 0) +
    (numberOf(now, 'kvorum_reads_waiting') ?? 0);
  return [
    rate('etcd_server_proposals_applied_total'),
    wholeText(lag),
    rate('etcd_mvcc_range_total'),
    wholeText(waiting),
    quantile(REQUESTS, 0.5, 'put'),
    quantile(REQUESTS, 0.99, 'put'),
    quantile(REQUESTS, 0.99, 'range'),
    quantile('etcd_disk_wal_fsync_duration_seconds', 0.99),
    quantile('kvorum_event_loop_delay_seconds', 0.99),
    rate('kvorum_refused_requests_total'),
    formatByteSize(status.dbSizeInUseBytes),
    wholeText(numberOf(now, 'etcd_debugging_mvcc_keys_total')),
  ];
}

function wholeText(value: number | undefined): string {
  return value === undefined ? '' : String(Math.round(value));
}

/** `0.42ms`, `12ms`, `1.5s`; nothing where nothing was measured. */
function secondsText(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const ms = seconds * 1_000;
  if (ms >= 1_000) return `${seconds.toFixed(1)}s`;
  return ms >= 10 ? `${Math.round(ms)}ms` : `${ms.toFixed(2)}ms`;
}
