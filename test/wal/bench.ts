/**
 * What the log costs: CPU an entry without a disk, latency and entries a second with one, and a
 * start. Run it by hand: node test/wal/bench.ts [directory]. Compare ratios: the machine is noisy.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeFault } from '../../include/node.ts';
import { createSystemDisk, type Disk, type DiskDone } from '../../src/node/disk.ts';
import { openWal, type Wal } from '../../src/node/wal/wal.ts';
import { entries, hardState, INITIAL } from './log-fixture.ts';

const ENTRY_BYTES = 300;

function open(disk: Disk, directory: string, onSynced: (ticket: number) => void): Wal {
  const onFatal = (fault: NodeFault) => {
    throw fault;
  };
  return openWal({
    disk,
    directory,
    clusterId: 1n,
    nodeId: 1,
    mayCreate: true,
    initial: INITIAL,
    randomBelow: () => 1,
    onSynced,
    onFatal,
  }).wal;
}

/** Appends batches to a log whose disk does nothing: the encoding, checksums and bookkeeping. */
function measureCpu(batch: number, sizeBytes: number): number {
  let last: DiskDone | undefined;
  const disk: Disk = {
    ...createSystemDisk(),
    listNow: () => [],
    createNow: () => 0,
    writeNow: () => {},
    renameNow: () => {},
    closeNow: () => {},
    create: (_path, done) => done(null, 0),
    rename: (_from, _to, done) => done(null),
    remove: (_path, done) => done(null),
    write: (_file, _pieces, _offset, done) => {
      last = done;
    },
  };
  const wal = open(disk, '/none', () => {});
  const list = entries(1, batch, 1, sizeBytes);
  const rounds = Math.ceil(300_000 / batch);
  let started = process.cpuUsage();
  for (let round = -rounds; round < rounds; round += 1) {
    if (round === 0) started = process.cpuUsage();
    wal.append(undefined, list, true);
    while (last !== undefined) {
      const done: DiskDone = last;
      last = undefined;
      done(null);
    }
  }
  const { user, system } = process.cpuUsage(started);
  return ((user + system) * 1000) / (rounds * batch);
}

/** Keeps one append of `batch` entries in flight. */
async function measureDisk(directory: string, batch: number, count: number): Promise<string> {
  fs.mkdirSync(directory, { recursive: true });
  let resolve = () => {};
  const wal = open(createSystemDisk(), directory, () => resolve());
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  for (let round = 0; round < count; round += 1) {
    const list = entries(round * batch + 1, batch, 1, ENTRY_BYTES);
    const beganMs = performance.now();
    await new Promise<void>((done) => {
      resolve = done;
      wal.append(round === 0 ? hardState(1) : undefined, list, true);
    });
    latencies.push(performance.now() - beganMs);
  }
  const elapsedMs = performance.now() - startMs;
  const used = process.cpuUsage(cpu);
  await new Promise<void>((done) => wal.close(done));
  latencies.sort((one, two) => one - two);
  const at = (share: number) => Math.round((latencies[Math.floor(count * share)] ?? 0) * 1000);
  const cpuMicros = Math.round((used.user + used.system) / count);
  const rate = Math.round((count * batch * 1000) / elapsedMs);
  return `p50 ${at(0.5)} us, p99 ${at(0.99)} us, cpu ${cpuMicros} us a group, ${rate} entries/s`;
}

const root = fs.mkdtempSync(join(process.argv[2] ?? tmpdir(), 'wal-bench-'));
try {
  for (const [batch, sizeBytes] of [
    [1, 300],
    [10, 300],
    [100, 300],
    [100, 3000],
    [10, 100_000],
  ] as const) {
    const nanos = measureCpu(batch, sizeBytes).toFixed(0);
    console.log(`cpu: ${batch} entries of ${sizeBytes} bytes a batch: ${nanos} ns an entry`);
  }
  for (const batch of [1, 10, 100, 1000]) {
    const line = await measureDisk(join(root, String(batch)), batch, 1500);
    console.log(`disk: ${batch} entries of ${ENTRY_BYTES} bytes a group: ${line}`);
  }
  const startMs = performance.now();
  const wal = open(createSystemDisk(), join(root, '1000'), () => {});
  const elapsedMs = Math.round(performance.now() - startMs);
  console.log(`start: ${wal.lastIndex} entries, ${wal.segmentCount} segments: ${elapsedMs} ms`);
  await new Promise<void>((done) => wal.close(done));
} finally {
  fs.rmSync(root, { recursive: true });
}
