/**
 * Puts, gets, compare-and-swaps and keep-alives in closed loop: how many a second, how long each
 * takes, what they cost.
 *
 * The systems take turns, window by window, and the median of a line's windows is shown: what else
 * the machine does meanwhile hits both alike. Only one is under load at a time.
 *
 * Where clients connect is each system's better choice, tried for every line: all to the leader, or
 * spread over the nodes. Writes and keep-alives of kvorum always go to the leader, as its client
 * library sends them.
 *
 * What reads (gets, compares) is measured after a restart of the nodes. Right after many puts etcd
 * 3.4 answers each read with a copy of a buffer that the puts have grown, which makes it several
 * times slower until it is restarted; one line shows that state too.
 */

import { type Bench, fill, grantLeases, median, progress, sleep, undisturbed } from './bench.ts';
import type { Cluster } from './cluster.ts';
import type { LoadResult } from './load.ts';
import { cpuMicros, type Memory, memoryOfLargest } from './proc.ts';
import { Operation } from './wire.ts';
import type { SystemName } from './wires.ts';

/** Where clients connect. */
export type Placement = 'leader' | 'spread';

/** One line: what is asked by how many. */
export type Workload = {
  readonly label: string;
  readonly operation: Operation;
  readonly connectionCount: number;
  readonly inflightPerConnection: number;
  /** Keys asked about; those of the options when left out. */
  readonly keyCount?: number;
};

/** What one system made of a workload: medians of its windows. */
export type Cell = {
  readonly placement: Placement;
  readonly perSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly serverCpuMicros: number;
  readonly generatorCpuMicros: number;
  readonly failedCount: number;
  readonly memory: Memory;
};

/** A line of the table. */
export type Row = {
  readonly workload: Workload;
  readonly cells: ReadonlyMap<SystemName, Cell>;
};

/** The lines, and what the nodes use while nobody asks anything. */
export type Throughput = {
  readonly rows: readonly Row[];
  /** CPU of all three nodes, in hundredths of one core. */
  readonly idleCpuPercent: ReadonlyMap<SystemName, number>;
};

const SHAPES = [
  { label: '1 client', connectionCount: 1, inflightPerConnection: 1 },
  { label: '100 clients', connectionCount: 100, inflightPerConnection: 1 },
  { label: '1,000 clients', connectionCount: 1_000, inflightPerConnection: 1 },
  { label: '10 x 100 in flight', connectionCount: 10, inflightPerConnection: 100 },
] as const;

/** Keys that are swapped, and leases that are renewed. */
const HOT_KEYS = 1_000;

/** Milliseconds for what filling left behind: flushes, garbage. */
const SETTLE_MS = 300;

const IDLE_MS = 2_000;

const PUTS = SHAPES.map((shape) => workloadOf('puts', Operation.Put, shape));
const GETS_AFTER_PUTS = workloadOf(
  'linearizable gets after puts',
  Operation.GetLinearizable,
  SHAPES[1],
);
const GETS = [
  ...SHAPES.map((shape) => workloadOf('linearizable gets', Operation.GetLinearizable, shape)),
  ...SHAPES.map((shape) => workloadOf('serializable gets', Operation.GetSerializable, shape)),
];

const SWAPS = [SHAPES[1], SHAPES[3]].map((shape) => ({
  ...workloadOf('compare-and-swaps', Operation.CompareAndSwap, shape),
  keyCount: HOT_KEYS,
}));
const KEEP_ALIVES = {
  ...workloadOf('keep-alives', Operation.KeepAlive, SHAPES[3]),
  keyCount: HOT_KEYS,
};

/** What only a leader of kvorum answers; its client library asks it at once. */
const LEADERS_OPERATIONS: ReadonlySet<Operation> = new Set([
  Operation.Put,
  Operation.CompareAndSwap,
  Operation.KeepAlive,
]);

/** Starts the clusters, fills them, measures the lines asked for. */
export async function measureThroughput(bench: Bench): Promise<Throughput> {
  const clusters: Cluster[] = [];
  for (const system of bench.options.systems) {
    const cluster = await bench.startCluster(system);
    clusters.push(cluster);
    await fill(bench, cluster, bench.options.keyCount);
  }
  const idleCpuPercent = await measureIdle(clusters);

  const rows: Row[] = [];
  const { parts } = bench.options;
  if (parts.has('puts')) {
    for (const workload of PUTS) rows.push(await measureRow(bench, clusters, workload));
    if (parts.has('gets')) rows.push(await measureRow(bench, clusters, GETS_AFTER_PUTS));
  }
  for (const cluster of clusters) {
    await cluster.stopAll();
    cluster.startAll();
    await cluster.settled();
  }
  if (parts.has('gets')) {
    for (const workload of GETS) rows.push(await measureRow(bench, clusters, workload));
  }
  if (parts.has('txns')) {
    for (const workload of SWAPS) rows.push(await measureRow(bench, clusters, workload));
  }
  if (parts.has('keepalives')) {
    for (const cluster of clusters) await grantLeases(bench, cluster, HOT_KEYS);
    rows.push(await measureRow(bench, clusters, KEEP_ALIVES));
  }
  for (const cluster of clusters) {
    await cluster.stopAll();
    bench.destroyCluster(cluster);
  }
  return { rows, idleCpuPercent };
}

function workloadOf(label: string, operation: Operation, shape: (typeof SHAPES)[number]): Workload {
  return { ...shape, operation, label: `${label}, ${shape.label}` };
}

async function measureIdle(clusters: readonly Cluster[]): Promise<Map<SystemName, number>> {
  await sleep(SETTLE_MS);
  const started = clusters.map((cluster) => cpuMicros(cluster.pids));
  await sleep(IDLE_MS);
  return new Map(
    clusters.map((cluster, slot) => {
      const micros = cpuMicros(cluster.pids) - started[slot]!;
      return [cluster.system.name, micros / 10 / IDLE_MS];
    }),
  );
}

async function measureRow(
  bench: Bench,
  clusters: readonly Cluster[],
  workload: Workload,
): Promise<Row> {
  const placements: Placement[] = [];
  for (const cluster of clusters) placements.push(await choosePlacement(bench, cluster, workload));

  const results: LoadResult[][] = clusters.map(() => []);
  const { warmupMs, windowMs, windowCount } = bench.options;
  for (let window = 0; window < windowCount; window += 1) {
    for (const [slot, cluster] of clusters.entries()) {
      const times = { warmupMs, windowMs, seed: window + 2 };
      const result = await runWindow(bench, cluster, workload, placements[slot]!, times);
      results[slot]!.push(result);
    }
  }
  const cells = clusters.map((cluster, slot) => {
    const cell = cellOf(results[slot]!, placements[slot]!, memoryOfLargest(cluster.pids));
    return [cluster.system.name, cell] as const;
  });
  const told = cells.map(([name, cell]) => `${name} ${Math.round(cell.perSecond)}/s`).join(', ');
  progress(`${workload.label}: ${told}`);
  return { workload, cells: new Map(cells) };
}

async function choosePlacement(
  bench: Bench,
  cluster: Cluster,
  workload: Workload,
): Promise<Placement> {
  const isLeaders = LEADERS_OPERATIONS.has(workload.operation);
  if (cluster.system.name === 'kvorum' && isLeaders) return 'leader';
  const times = {
    warmupMs: bench.options.warmupMs / 2,
    windowMs: bench.options.windowMs / 2,
    seed: 1,
  };
  const leader = await runWindow(bench, cluster, workload, 'leader', times);
  const spread = await runWindow(bench, cluster, workload, 'spread', times);
  return spread.answeredCount > leader.answeredCount ? 'spread' : 'leader';
}

async function runWindow(
  bench: Bench,
  cluster: Cluster,
  workload: Workload,
  placement: Placement,
  times: { warmupMs: number; windowMs: number; seed: number },
): Promise<LoadResult> {
  const { operation, connectionCount, inflightPerConnection } = workload;
  const keyCount = workload.keyCount ?? bench.options.keyCount;
  return await undisturbed(async () => {
    const leaderSlot = await cluster.settled();
    return await bench.generator.run({
      system: cluster.system.name,
      ports: placement === 'leader' ? [cluster.ports[leaderSlot]!] : cluster.ports,
      keyCount,
      firstKey: operation === Operation.CompareAndSwap ? bench.takeKeys(keyCount) : 0,
      valueBytes: bench.options.valueBytes,
      serverPids: cluster.pids,
      ...{ operation, connectionCount, inflightPerConnection },
      ...times,
    });
  });
}

function cellOf(results: readonly LoadResult[], placement: Placement, memory: Memory): Cell {
  const middle = (value: (result: LoadResult) => number): number => median(results.map(value));
  const failed = results.find((result) => result.failedCount > 0);
  if (failed !== undefined) progress(`a request failed: ${failed.lastFailure}`);
  return {
    placement,
    perSecond: middle((result) => (result.answeredCount / result.elapsedMs) * 1_000),
    p50Micros: middle((result) => result.p50Micros),
    p99Micros: middle((result) => result.p99Micros),
    serverCpuMicros: middle((result) => result.serverCpuMicros / result.answeredCount),
    generatorCpuMicros: middle((result) => result.generatorCpuMicros / result.answeredCount),
    failedCount: results.reduce((sum, result) => sum + result.failedCount, 0),
    memory,
  };
}
