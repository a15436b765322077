/**
 * kvorum and etcd side by side: the same requests, one machine, one file system, every write
 * synced. `--help` tells the options; what is measured stands in throughput.ts, watchers.ts,
 * gateways.ts, failover.ts, restart.ts, rolling.ts, join.ts, backup.ts and removal.ts.
 *
 * The nodes, the load generator and whatever else runs share the machine: take the ratios.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Backup, measureBackup } from './backup.ts';
import { type Bench, progress } from './bench.ts';
import { Cluster } from './cluster.ts';
import type { Effect } from './effect.ts';
import { etcd, etcdVersion } from './etcd.ts';
import { type Failover, measureFailover } from './failover.ts';
import { measureGateways } from './gateways.ts';
import { Generator } from './generate.ts';
import { measureJoin } from './join.ts';
import { createKvorum } from './kvorum.ts';
import { type Options, type Part, readOptions, USAGE } from './options.ts';
import { measureRemoval, type Removal } from './removal.ts';
import { measureRestart, type Restart } from './restart.ts';
import { measureRolling, type Rolling } from './rolling.ts';
import {
  eventsTable,
  gatewaysTable,
  removalTable,
  throughputTable,
  upkeepTable,
  watchersTable,
} from './table.ts';
import { measureThroughput } from './throughput.ts';
import { measureWatchers } from './watchers.ts';
import type { SystemName } from './wires.ts';

const GIB = 1024 ** 3;

/** Parts that are lines of one table. */
const THROUGHPUT_PARTS = ['puts', 'txns', 'keepalives', 'gets'] as const;

/** Above the numbers of all keys that are filled in. */
const FRESH_KEYS_FROM = 1_000_000_000;

const options = readOptions(process.argv.slice(2));
if (options === undefined) {
  process.stdout.write(USAGE);
} else {
  await run(await withoutMissing(options));
}

/** Leaves etcd out where it is not installed. */
async function withoutMissing(asked: Options): Promise<Options> {
  if (!asked.systems.includes('etcd')) return asked;
  const version = etcdVersion();
  if (version !== undefined) {
    progress(`etcd ${version}`);
    return asked;
  }
  console.log('etcd is not installed (Debian: etcd-server): kvorum is measured alone.');
  return { ...asked, systems: asked.systems.filter((system) => system !== 'etcd') };
}

async function run(options: Options): Promise<void> {
  const directory = mkdtempSync(join(options.directory, 'kvorum-bench-'));
  const running = new Set<Cluster>();
  const generator = new Generator();
  let freshKey = FRESH_KEYS_FROM;
  const bench: Bench = {
    options,
    generator,
    takeKeys: (count) => {
      freshKey += count;
      return freshKey - count;
    },
    startCluster: async (name, extra) => {
      const kvorum = createKvorum({ ...options, hasGateways: extra === 'gateways' });
      const cluster = await Cluster.create(name === 'etcd' ? etcd : kvorum, directory);
      running.add(cluster);
      cluster.startAll();
      await cluster.settled();
      return cluster;
    },
    destroyCluster: (cluster) => {
      cluster.destroy();
      running.delete(cluster);
    },
  };
  const cleanUp = (): void => {
    generator.stop();
    for (const cluster of running) cluster.destroy();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', cleanUp);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      progress(`ended by ${signal}`);
      process.exit(1);
    });
  }
  try {
    await measureAll(bench);
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

async function measureAll(bench: Bench): Promise<void> {
  const { options } = bench;
  const { parts } = options;
  console.log(machine(options));
  if (THROUGHPUT_PARTS.some((part) => parts.has(part))) {
    console.log(throughputTable(await measureThroughput(bench)));
  }
  if (parts.has('watches')) console.log(watchersTable(await measureWatchers(bench)));
  if (parts.has('grpc') || parts.has('json')) {
    console.log(gatewaysTable(await measureGateways(bench)));
  }
  const failovers = new Map<SystemName, Failover>();
  const restarts = new Map<SystemName, Restart>();
  const rollings = new Map<SystemName, Rolling>();
  const joins = new Map<SystemName, Effect>();
  const backups = new Map<SystemName, Backup>();
  const removals = new Map<SystemName, Removal>();
  for (const system of options.systems) {
    await measureEvent(bench, 'failover', system, measureFailover, failovers);
    await measureEvent(bench, 'restart', system, measureRestart, restarts);
    await measureEvent(bench, 'rolling', system, measureRolling, rollings);
    await measureEvent(bench, 'join', system, measureJoin, joins);
    await measureEvent(bench, 'backup', system, measureBackup, backups);
    await measureEvent(bench, 'removal', system, measureRemoval, removals);
  }
  if (failovers.size + restarts.size > 0) {
    console.log(eventsTable(failovers, restarts, options.restartKeyCount));
  }
  if (rollings.size + joins.size + backups.size > 0) {
    console.log(upkeepTable({ rollings, joins, backups }, options));
  }
  if (removals.size > 0) console.log(removalTable(removals, options.restartKeyCount));
}

/** Measures something that happens to a fresh cluster, if it is asked for. */
async function measureEvent<T>(
  bench: Bench,
  part: Part,
  system: SystemName,
  measure: (bench: Bench, cluster: Cluster) => Promise<T>,
  results: Map<SystemName, T>,
): Promise<void> {
  if (!bench.options.parts.has(part)) return;
  // Both speak etcd's API there.
  const cluster = await bench.startCluster(system, part === 'removal' ? 'gateways' : undefined);
  results.set(system, await measure(bench, cluster));
  await cluster.stopAll();
  bench.destroyCluster(cluster);
}

function machine(options: Options): string {
  const memory = `${(totalmem() / GIB).toFixed(0)} GiB`;
  const load = loadavg()[0]!.toFixed(1);
  const what = options.binary ?? `node ${process.version} src/main.ts`;
  const { keyCount, valueBytes, windowCount, windowMs } = options;
  const model = cpus()[0]?.model ?? 'unknown';
  const keys = `${keyCount.toLocaleString('en')} keys, values of ${valueBytes} bytes`;
  return `${cpus().length} cores of ${model}, ${memory}, load ${load} before the start
kvorum is ${what}; three nodes each; ${keys};
medians of ${windowCount} windows of ${windowMs / 1_000} s
`;
}
