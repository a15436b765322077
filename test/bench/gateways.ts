/**
 * etcd's API at kvorum's client port beside etcd's own: gRPC as h2load drives it, JSON as wrk does.
 * One key is put and read again and again, at the leader; the systems take turns, window by window.
 */

import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, median, progress, sleep } from './bench.ts';
import type { Cluster } from './cluster.ts';
import { etcdRequestBody } from './etcd-messages.ts';
import { cpuMicros } from './proc.ts';
import { keyOf, Operation } from './wire.ts';
import type { SystemName } from './wires.ts';

const run = promisify(execFile);

/** What drives the load. */
export type GatewayTool = 'h2load' | 'wrk';

/** One line. */
type GatewayLoad = {
  readonly label: string;
  readonly tool: GatewayTool;
  readonly operation: typeof Operation.Put | typeof Operation.GetLinearizable;
  readonly connectionCount: number;
  readonly inflightPerConnection: number;
};

/** Medians of the windows. */
export type GatewayCell = {
  readonly perSecond: number;
  /** CPU of all three nodes. */
  readonly serverCpuMicros: number;
};

/** A line of the table. */
export type GatewayRow = {
  readonly label: string;
  readonly cells: ReadonlyMap<SystemName, GatewayCell>;
};

const SHAPES = [
  ['100 clients', 100, 1],
  ['10 x 100 in flight', 10, 100],
] as const;

const OPERATIONS = [
  ['puts', Operation.Put],
  ['ranges', Operation.GetLinearizable],
] as const;

const GRPC_LOADS: readonly GatewayLoad[] = OPERATIONS.flatMap(([what, operation]) =>
  SHAPES.map(([who, connectionCount, inflightPerConnection]) => ({
    ...{ label: `gRPC ${what}, ${who}`, tool: 'h2load' as const, operation },
    ...{ connectionCount, inflightPerConnection },
  })),
);

/** HTTP/1.1 has one request in flight. */
const JSON_LOADS: readonly GatewayLoad[] = OPERATIONS.map(([what, operation]) => ({
  ...{ label: `JSON ${what}, 100 clients`, tool: 'wrk' as const, operation },
  ...{ connectionCount: 100, inflightPerConnection: 1 },
}));

const WARMUP_SECONDS = 1;

/** Milliseconds a gateway may take to serve. */
const START_MS = 60_000;

/** Milliseconds for what a load left behind. */
const SETTLE_MS = 300;

/** Starts clusters and measures the lines of the parts that are asked for. */
export async function measureGateways(bench: Bench): Promise<GatewayRow[]> {
  const { parts, systems } = bench.options;
  const asked = [
    ...(parts.has('grpc') ? GRPC_LOADS : []),
    ...(parts.has('json') ? JSON_LOADS : []),
  ];
  const loads = asked.filter(({ tool }) => isThere(tool));
  if (loads.length === 0) return [];
  const clusters: Cluster[] = [];
  for (const system of systems) clusters.push(await bench.startCluster(system, 'gateways'));
  for (const cluster of clusters) await Promise.all(cluster.etcdPorts.map(gatewayServes));
  const rows: GatewayRow[] = [];
  for (const load of loads) rows.push(await measureLoad(bench, clusters, load));
  for (const cluster of clusters) bench.destroyCluster(cluster);
  return rows;
}

/** A gateway starts behind its node. */
async function gatewayServes(port: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_MS; waitedMs += SETTLE_MS) {
    const answer = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(SETTLE_MS);
  }
  throw new Error(`nobody answers at port ${port} after ${START_MS / 1_000} s`);
}

async function measureLoad(
  bench: Bench,
  clusters: readonly Cluster[],
  load: GatewayLoad,
): Promise<GatewayRow> {
  const windows: GatewayCell[][] = clusters.map(() => []);
  for (let window = 0; window < bench.options.windowCount; window += 1) {
    for (const [slot, cluster] of clusters.entries()) {
      windows[slot]!.push(await measureWindow(bench, cluster, load));
    }
  }
  const cells = clusters.map((cluster, slot) => {
    const perSecond = median(windows[slot]!.map((cell) => cell.perSecond));
    const serverCpuMicros = median(windows[slot]!.map((cell) => cell.serverCpuMicros));
    return [cluster.system.name, { perSecond, serverCpuMicros }] as const;
  });
  const told = cells.map(([name, { perSecond }]) => `${name} ${Math.round(perSecond)}/s`);
  progress(`${load.label}: ${told.join(', ')}`);
  return { label: load.label, cells: new Map(cells) };
}

async function measureWindow(
  bench: Bench,
  cluster: Cluster,
  load: GatewayLoad,
): Promise<GatewayCell> {
  const port = cluster.etcdPorts[await cluster.settled()]!;
  const bodyPath = writeBody(cluster.layout.directory, load, bench.options.valueBytes);
  const drive = load.tool === 'h2load' ? driveGrpc : driveJson;
  const seconds = Math.max(1, Math.round(bench.options.windowMs / 1_000));
  await drive(port, bodyPath, load, WARMUP_SECONDS);
  await sleep(SETTLE_MS);
  const before = cpuMicros(cluster.pids);
  const count = await drive(port, bodyPath, load, seconds);
  const usedMicros = cpuMicros(cluster.pids) - before;
  if (count === 0) throw new Error(`${cluster.system.name} answered nothing: ${load.label}`);
  return { perSecond: count / seconds, serverCpuMicros: usedMicros / count };
}

/** Requests that h2load had answered well. */
async function driveGrpc(
  port: number,
  bodyPath: string,
  { operation, connectionCount, inflightPerConnection }: GatewayLoad,
  seconds: number,
): Promise<number> {
  const method = operation === Operation.Put ? 'Put' : 'Range';
  const { stdout } = await run('h2load', [
    ...['-c', String(connectionCount), '-m', String(inflightPerConnection), '-D', String(seconds)],
    ...['-d', bodyPath, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    `http://127.0.0.1:${port}/etcdserverpb.KV/${method}`,
  ]);
  return countIn(stdout, / (\d+) succeeded, 0 failed, 0 errored/);
}

/** Requests that wrk had answered well. */
async function driveJson(
  port: number,
  bodyPath: string,
  { operation, connectionCount }: GatewayLoad,
  seconds: number,
): Promise<number> {
  const path = operation === Operation.Put ? 'put' : 'range';
  const { stdout } = await run('wrk', [
    ...[
      '-c',
      String(connectionCount),
      '-t',
      '1',
      '-d',
      `${seconds}s`,
      '--timeout',
      '10s',
      '-s',
      bodyPath,
    ],
    `http://127.0.0.1:${port}/v3/kv/${path}`,
  ]);
  if (/Non-2xx|connect [1-9]|read [1-9]|write [1-9]/.test(stdout))
    throw new Error(`wrk: ${stdout}`);
  return countIn(stdout, /(\d+) requests in/);
}

function countIn(report: string, pattern: RegExp): number {
  const count = Number(pattern.exec(report)?.[1]);
  if (Number.isInteger(count)) return count;
  throw new Error(`answers that are not good: ${report}`);
}

/** Writes what is sent: bytes for h2load, a script for wrk. Returns the file. */
function writeBody(directory: string, load: GatewayLoad, valueBytes: number): string {
  const value = Buffer.alloc(valueBytes, 'v');
  const path = join(directory, `${load.tool}-${load.operation}`);
  if (load.tool === 'h2load') {
    writeFileSync(path, etcdRequestBody(load.operation, value));
    return path;
  }
  const key = keyOf(0).toString('base64');
  const fields =
    load.operation === Operation.Put ? { key, value: value.toString('base64') } : { key };
  const script = `wrk.method = "POST"\nwrk.body = '${JSON.stringify(fields)}'\n`;
  writeFileSync(path, script);
  return path;
}

function isThere(tool: GatewayTool): boolean {
  const found = spawnSync(tool, ['--version']).error === undefined;
  if (!found) progress(`${tool} is not installed: what it drives is left out`);
  return found;
}
