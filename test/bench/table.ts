/** The results as text. */

import type { Backup } from './backup.ts';
import { CLIENTS, type Effect, perSecond } from './effect.ts';
import type { Failover } from './failover.ts';
import type { GatewayCell, GatewayRow } from './gateways.ts';
import type { LoadResult } from './load.ts';
import type { Options } from './options.ts';
import type { Memory } from './proc.ts';
import type { PairTimes, Removal } from './removal.ts';
import type { Restart } from './restart.ts';
import { type Rolling, WRITERS } from './rolling.ts';
import type { Cell, Row, Throughput } from './throughput.ts';
import { WATCHERS, type Watching } from './watchers.ts';
import type { SystemName } from './wires.ts';

const MIB = 1024 * 1024;

/** What a figure reads when it was not measured. */
const NONE = '-';

/** A group of columns: kvorum, etcd and, where it makes sense, the one over the other. */
type Group = {
  readonly title: string;
  readonly value: (cell: Cell) => number;
  readonly text: (value: number) => string;
  readonly hasRatio: boolean;
};

const GROUPS: readonly Group[] = [
  { title: 'ops/s', value: (cell) => cell.perSecond, text: whole, hasRatio: true },
  { title: 'p50 ms', value: (cell) => cell.p50Micros / 1_000, text: short, hasRatio: true },
  { title: 'p99 ms', value: (cell) => cell.p99Micros / 1_000, text: short, hasRatio: true },
  { title: 'server us/op', value: (cell) => cell.serverCpuMicros, text: short, hasRatio: true },
  { title: 'client us/op', value: (cell) => cell.generatorCpuMicros, text: short, hasRatio: false },
  { title: 'RSS MiB', value: (cell) => cell.memory.rssBytes / MIB, text: whole, hasRatio: false },
  { title: 'anon MiB', value: (cell) => cell.memory.anonBytes / MIB, text: whole, hasRatio: false },
];

/** Puts and gets. */
export function throughputTable(throughput: Throughput): string {
  const { rows, idleCpuPercent } = throughput;
  const titles = [''];
  const heads = [''];
  for (const group of GROUPS) {
    titles.push(group.title, '', ...(group.hasRatio ? [''] : []));
    heads.push('kvorum', 'etcd', ...(group.hasRatio ? ['ratio'] : []));
  }
  titles.push('clients at', '');
  heads.push('kvorum', 'etcd');
  const lines = rows.map((row) => [row.workload.label, ...rowCells(row)]);
  const idle = [...idleCpuPercent].map(([name, percent]) => `${name} ${percent.toFixed(1)} %`);
  return `${align([titles, heads, ...lines])}
ratio: kvorum / etcd. server us/op: CPU time of all three nodes. RSS, anon: the largest node; anon
is what no file backs. clients at: the better for that system of all at the leader, or spread over
the nodes. Idle nodes, all three: ${idle.join(', ')} of a core.
`;
}

/** Watch fan-out. */
export function watchersTable(cells: ReadonlyMap<SystemName, Watching>): string {
  const rows = [['', 'kvorum', 'etcd', 'ratio']];
  const add = (label: string, value: (cell: Watching) => number): void => {
    rows.push(pair(label, cells, value, short));
  };
  const watchers = `${WATCHERS.toLocaleString('en')} watchers of a key`;
  add(`${watchers}, put to half of them told, p50 ms`, (cell) => cell.halfP50Micros / 1_000);
  add(`${watchers}, put to the last of them told, p50 ms`, (cell) => cell.lastP50Micros / 1_000);
  add(`${watchers}, put to the last of them told, p99 ms`, (cell) => cell.lastP99Micros / 1_000);
  add(`${watchers}, events/s`, (cell) => cell.eventsPerSecond);
  add(`${watchers}, server us/event`, (cell) => cell.serverCpuMicros);
  const placed = [...cells].map(([name, cell]) => `${name} ${cell.placement}`);
  return `${align(rows)}watchers at: ${placed.join(', ')}\n`;
}

/** etcd's API, at both. */
export function gatewaysTable(rows: readonly GatewayRow[]): string {
  const titles = ['', 'ops/s', '', '', 'server us/op', '', ''];
  const heads = ['', ...Array(2).fill(['kvorum', 'etcd', 'ratio']).flat()];
  const lines = rows.map(({ label, cells }) => {
    const perSecond = pair(label, cells, (cell: GatewayCell) => cell.perSecond, whole);
    const cost = pair(label, cells, (cell: GatewayCell) => cell.serverCpuMicros, short);
    return [...perSecond, ...cost.slice(1)];
  });
  return `${align([titles, heads, ...lines])}clients at the leader's port for clients of etcd\n`;
}

/** Failover and restart. */
export function eventsTable(
  failovers: ReadonlyMap<SystemName, Failover>,
  restarts: ReadonlyMap<SystemName, Restart>,
  restartKeyCount: number,
): string {
  const keys = restartKeyCount.toLocaleString('en');
  const rows = [['', 'kvorum', 'etcd', 'ratio']];
  const addFailover = (label: string, value: (failover: Failover) => number): void => {
    rows.push(pair(label, failovers, value, whole));
  };
  const addRestart = (label: string, value: (restart: Restart) => number): void => {
    rows.push(pair(label, restarts, value, whole));
  };
  if (failovers.size > 0) {
    addFailover('kill -9 of the leader to next write, median ms', (failover) => failover.medianMs);
    addFailover('kill -9 of the leader to next write, worst ms', (failover) => failover.worstMs);
  }
  if (restarts.size > 0) {
    addRestart(`start with ${keys} keys to first read, median ms`, (restart) => restart.medianMs);
    addRestart(`start with ${keys} keys to first read, worst ms`, (restart) => restart.worstMs);
    for (const [label, memory] of [
      ['written', (restart: Restart): Memory => restart.memoryFilled],
      ['restarted', (restart: Restart): Memory => restart.memoryRestarted],
    ] as const) {
      addRestart(`${keys} keys ${label}, RSS MiB`, (restart) => memory(restart).rssBytes / MIB);
      addRestart(`${keys} keys ${label}, anon MiB`, (restart) => memory(restart).anonBytes / MIB);
    }
  }
  return align(rows);
}

/** What operators do. */
export type Upkeep = {
  readonly rollings: ReadonlyMap<SystemName, Rolling>;
  readonly joins: ReadonlyMap<SystemName, Effect>;
  readonly backups: ReadonlyMap<SystemName, Backup>;
};

/** Rolling restarts, a new member, backups. */
export function upkeepTable({ rollings, joins, backups }: Upkeep, options: Options): string {
  const rows = [['', 'kvorum', 'etcd', 'ratio']];
  const add = <T>(
    results: ReadonlyMap<SystemName, T>,
    label: string,
    value: (result: T) => number,
    text = short,
  ): void => {
    if (results.size > 0) rows.push(pair(label, results, value, text));
  };
  const addEffect = <T>(
    results: ReadonlyMap<SystemName, T>,
    what: string,
    asked: string,
    effect: (result: T) => Effect,
  ): void => {
    add(results, `${what}, s`, (result) => effect(result).eventMs / 1_000);
    for (const when of ['before', 'meanwhile'] as const) {
      const load = (result: T): LoadResult => effect(result)[when];
      add(results, `  ${asked}/s ${when}`, (result) => perSecond(load(result)), whole);
      add(results, `  ${asked} ${when}, p50 ms`, (result) => load(result).p50Micros / 1_000);
      add(results, `  ${asked} ${when}, p99 ms`, (result) => load(result).p99Micros / 1_000);
    }
    add(results, `  ${asked}/s meanwhile, of before`, (result) => {
      return perSecond(effect(result).meanwhile) / perSecond(effect(result).before);
    });
    add(results, `  ${asked} failed`, (result) => effect(result).meanwhile.failedCount, whole);
  };
  add(rollings, 'rolling restart, longest without a write, median ms', (r) => r.pauseMedianMs);
  add(rollings, 'rolling restart, longest without a write, worst ms', (r) => r.pauseWorstMs);
  add(rollings, 'rolling restart, slowest put, ms', (r) => r.slowestMs);
  add(rollings, 'rolling restart, puts', (r) => r.putCount, whole);
  add(rollings, 'rolling restart, puts failed', (r) => r.failedCount, whole);
  add(rollings, 'rolling restart, s', (r) => r.elapsedMs / 1_000);
  addEffect(joins, 'a member added until it has caught up', 'puts', (effect) => effect);
  add(backups, 'backup while nobody asks, s', ({ aloneMs }) => aloneMs / 1_000);
  addEffect(backups, 'backup while a client puts', 'puts', ({ puts }) => puts);
  addEffect(backups, 'backup while a client gets', 'gets', ({ gets }) => gets);
  return `${align(rows)}${upkeepNote(options)}`;
}

/** Large removals. */
export function removalTable(removals: ReadonlyMap<SystemName, Removal>, keyCount: number): string {
  const rows = [['', 'kvorum', 'etcd', 'ratio']];
  const addTimes = (when: string, times: (removal: Removal) => PairTimes): void => {
    rows.push(pair(`  put and get ${when}, p50 ms`, removals, (r) => times(r).p50Ms, short));
    rows.push(pair(`  put and get ${when}, p99 ms`, removals, (r) => times(r).p99Ms, short));
    rows.push(pair(`  put and get ${when}, worst ms`, removals, (r) => times(r).worstMs, short));
    rows.push(pair(`  put and get ${when}, failed`, removals, (r) => times(r).failedCount, whole));
  };
  const keys = keyCount.toLocaleString('en');
  addTimes('before', ({ before }) => before);
  rows.push(pair(`deletion of ${keys} keys, s`, removals, (r) => r.deletion.eventMs / 1e3, short));
  addTimes('meanwhile', ({ deletion }) => deletion.times);
  rows.push(pair('compaction of it, s', removals, (r) => r.compaction.eventMs / 1e3, short));
  addTimes('meanwhile', ({ compaction }) => compaction.times);
  return `${align(rows)}put and get: one after the other, by a client of the leader, in JSON\n`;
}

function upkeepNote({ statePairCount, stateValueBytes }: Options): string {
  const mib = (statePairCount * stateValueBytes) / MIB;
  const pairs = `${statePairCount.toLocaleString('en')} values of ${stateValueBytes} bytes`;
  return `rolling restart: each node in turn, under ${WRITERS} writers of one client. Else: a state
of ${whole(mib)} MiB (${pairs}), a client of ${CLIENTS} connections to the leader.
`;
}

function rowCells(row: Row): string[] {
  const kvorum = row.cells.get('kvorum');
  const etcd = row.cells.get('etcd');
  const texts: string[] = [];
  for (const { value, text, hasRatio } of GROUPS) {
    const ours = kvorum === undefined ? Number.NaN : value(kvorum);
    const theirs = etcd === undefined ? Number.NaN : value(etcd);
    texts.push(text(ours), text(theirs), ...(hasRatio ? [ratio(ours, theirs)] : []));
  }
  return [...texts, kvorum?.placement ?? NONE, etcd?.placement ?? NONE];
}

function pair<T>(
  label: string,
  results: ReadonlyMap<SystemName, T>,
  value: (result: T) => number,
  text: (value: number) => string,
): string[] {
  const of = (name: SystemName): number => {
    const result = results.get(name);
    return result === undefined ? Number.NaN : value(result);
  };
  const [ours, theirs] = [of('kvorum'), of('etcd')];
  return [label, text(ours), text(theirs), ratio(ours, theirs)];
}

/** Columns as wide as their widest text, the first to the left, the others to the right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[rows.length - 1]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length)),
  );
  const lines = rows.map((row) =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function whole(value: number): string {
  return Number.isNaN(value) ? NONE : Math.round(value).toLocaleString('en');
}

/** Three digits that count. */
function short(value: number): string {
  if (Number.isNaN(value)) return NONE;
  return value >= 100 ? whole(value) : value.toPrecision(value < 1 ? 2 : 3);
}

function ratio(ours: number, theirs: number): string {
  const value = ours / theirs;
  return Number.isNaN(value) ? NONE : value.toFixed(2);
}
