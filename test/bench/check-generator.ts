/**
 * Is the load generator to be believed? Drives the same puts at etcd's leader with it and with
 * h2load (nghttp2), which is written in C, and prints both: they should agree within the noise.
 * h2load puts one key again and again, so here the generator does too.
 *
 *   node test/bench/check-generator.ts
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Cluster } from './cluster.ts';
import { etcd } from './etcd.ts';
import { etcdRequestBody } from './etcd-messages.ts';
import { Generator } from './generate.ts';
import { Operation } from './wire.ts';

const SHAPES = [
  [1, 1],
  [100, 1],
  [1_000, 1],
  [10, 100],
] as const;

const WARMUP_SECONDS = 1;
const WINDOW_SECONDS = 4;
const VALUE = Buffer.alloc(256, 1);

const directory = mkdtempSync(join(tmpdir(), 'kvorum-bench-'));
const cluster = await Cluster.create(etcd, directory);
const generator = new Generator();
process.once('exit', () => {
  generator.stop();
  cluster.destroy();
  rmSync(directory, { recursive: true, force: true });
});
cluster.startAll();
const bodyPath = join(directory, 'put.bin');
writeFileSync(bodyPath, etcdRequestBody(Operation.Put, VALUE));

for (const [connectionCount, inflightPerConnection] of SHAPES) {
  const port = cluster.ports[await cluster.settled()]!;
  const theirs = await runH2load(port, connectionCount, inflightPerConnection);
  const result = await generator.run({
    system: 'etcd',
    operation: Operation.Put,
    ports: [port],
    connectionCount,
    inflightPerConnection,
    keyCount: 1,
    firstKey: 0,
    valueBytes: VALUE.length,
    warmupMs: WARMUP_SECONDS * 1_000,
    windowMs: WINDOW_SECONDS * 1_000,
    seed: 1,
    serverPids: [],
  });
  const ours = Math.round((result.answeredCount / result.elapsedMs) * 1_000);
  const shape = `${connectionCount} x ${inflightPerConnection}`.padEnd(10);
  console.log(`${shape} h2load ${theirs}; this generator ${ours}/s, p50 ${result.p50Micros} us`);
}
process.exit(0);

/** Puts a second and the mean time of a request, as h2load reports them. */
async function runH2load(port: number, clients: number, streams: number): Promise<string> {
  const { stdout } = await promisify(execFile)('h2load', [
    ...['-c', String(clients), '-m', String(streams), '-d', bodyPath],
    ...['-D', String(WINDOW_SECONDS), `--warm-up-time=${WARMUP_SECONDS}`],
    ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    `http://127.0.0.1:${port}/etcdserverpb.KV/Put`,
  ]);
  // Its own rate divides by the warm-up too: what was done in the window is divided by the window.
  const doneCount = Number(/, (\d+) succeeded/.exec(stdout)?.[1]);
  const mean = /time for request:\s+\S+\s+\S+\s+(\S+)/.exec(stdout)?.[1];
  return `${Math.round(doneCount / WINDOW_SECONDS)}/s, mean ${mean}`;
}
