/**
 * A closed loop of requests over plain sockets: each connection keeps a fixed number in flight and
 * asks anew for each answer. One thread, one buffer a connection, one write a chunk received.
 *
 * Phases: connect, warm up, measure, drain. What is answered inside the measured window counts.
 * Limits: connecting, and any silence while requests are in flight, ends with an error after
 * SILENT_TICKS_MAX. A machine that stands still for a while is not the server's fault: time is
 * counted in ticks of this process, and how long it got none is part of the result.
 */

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../src/random.ts';
import { createHistogram, type Histogram, percentileMicros, record } from './histogram.ts';
import { cpuMicros } from './proc.ts';
import { Ticker } from './ticker.ts';
import { Operation, type Wire } from './wire.ts';
import { createWire, type SystemName } from './wires.ts';

/** Milliseconds between two looks at how the load gets on. */
const TICK_MS = 250;

/**
 * Ticks without any answer after which the server counts as stuck: 15 s that this process has seen.
 */
const SILENT_TICKS_MAX = 60;

/** Connections opened at once, below any listen backlog. */
const CONNECTING_MAX = 100;

/** Bytes one chunk read from a socket can have. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Steps through all keys in an order that is not theirs: a prime that divides no key count used.
 */
const KEY_STRIDE = 611_953;

/** What to ask, of whom, for how long. Plain data: it travels to the generator's process. */
export type LoadJob = {
  readonly system: SystemName;
  readonly operation: Operation;
  /** Ports of 127.0.0.1; connections are spread over them in turn. */
  readonly ports: readonly number[];
  readonly connectionCount: number;
  readonly inflightPerConnection: number;
  /** Keys are drawn from keyCount ones, from the number firstKey on. */
  readonly keyCount: number;
  /** Of a compare-and-swap: nobody has put one of these keys yet. */
  readonly firstKey: number;
  readonly valueBytes: number;
  readonly warmupMs: number;
  /** Length of the measured window; 0: ask for every key exactly once, in scattered order. */
  readonly windowMs: number;
  readonly seed: number;
  /** Processes whose CPU time is charged to the requests. */
  readonly serverPids: readonly number[];
};

/** What was measured. */
export type LoadResult = {
  readonly answeredCount: number;
  readonly failedCount: number;
  /** The last failure, for a message. */
  readonly lastFailure: string;
  readonly elapsedMs: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly serverCpuMicros: number;
  readonly generatorCpuMicros: number;
  /** The longest time this process, idle or not, got no processor. */
  readonly stillMs: number;
};

type Connection = {
  readonly socket: Socket;
  readonly wire: Wire;
  /** Requests of one turn, gathered; replaced while a write of it is in flight. */
  out: Buffer;
  /** Its place among the connections. */
  readonly number: number;
  /** When each slot's request was written, in ms; -1 while the slot is free. */
  readonly startedMs: Float64Array;
  /** Which key each slot's request is about. */
  readonly keys: Uint32Array;
  /** Bytes of a frame that has not arrived whole. */
  rest: Buffer | undefined;
};

type Load = {
  readonly job: LoadJob;
  readonly random: Random;
  readonly connections: Connection[];
  /** Of each key, how often it was swapped: its version. Zeros for other operations. */
  readonly versions: Uint32Array;
  histogram: Histogram;
  isMeasuring: boolean;
  isStopping: boolean;
  answeredCount: number;
  failedCount: number;
  inflightCount: number;
  askedCount: number;
  silentTicks: number;
  lastFailure: string;
  /** Called when nothing is in flight any more, or with what went wrong. */
  settle: (error?: Error) => void;
};

/**
 * Runs a job to its end.
 *
 * @param signal ends the measured window early
 * @throws Error when a server cannot be reached, breaks its protocol or falls silent
 */
export async function runLoad(job: LoadJob, signal: AbortSignal): Promise<LoadResult> {
  const load = createLoad(job);
  const drained = new Promise<void>((resolve, reject) => {
    load.settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  drained.catch(() => undefined);
  const watchdog = new Ticker(TICK_MS, () => {
    load.silentTicks += 1;
    if (load.silentTicks > SILENT_TICKS_MAX) load.settle(new Error(stuckText(load)));
  });
  try {
    await Promise.race([openAll(load), drained]);
    return await orFailure(measure(load, drained, watchdog, signal), drained);
  } finally {
    watchdog.stop();
    for (const connection of load.connections) connection.socket.destroy();
  }
}

/** Where the requests are that nobody answers. */
function stuckText({ job, connections, inflightCount }: Load): string {
  const stuck = connections.filter(({ startedMs }) => startedMs.some((ms) => ms >= 0));
  const where = `${inflightCount} requests in flight on ${stuck.length} connections`;
  return `${job.system}: no answer for ${(SILENT_TICKS_MAX * TICK_MS) / 1_000} s, ${where}`;
}

/** The result, or at once the failure that `drained` reports; its success alone is no result. */
function orFailure(result: Promise<LoadResult>, drained: Promise<void>): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    drained.catch(reject);
    result.then(resolve, reject);
  });
}

async function measure(
  load: Load,
  drained: Promise<void>,
  watchdog: Ticker,
  signal: AbortSignal,
): Promise<LoadResult> {
  const { job } = load;
  if (job.windowMs === 0) beginWindow(load);
  for (const connection of load.connections) startConnection(load, connection);
  if (job.windowMs > 0) {
    await sleep(job.warmupMs);
    beginWindow(load);
  }
  const startMs = performance.now();
  const serverStart = cpuMicros(job.serverPids);
  const ownStart = process.cpuUsage();

  if (job.windowMs === 0) await drained;
  else await sleep(job.windowMs, undefined, { signal }).catch(ignoreAbort);

  const own = process.cpuUsage(ownStart);
  const serverCpuMicros = cpuMicros(job.serverPids) - serverStart;
  const elapsedMs = performance.now() - startMs;
  load.isMeasuring = false;
  load.isStopping = true;
  const result = {
    answeredCount: load.answeredCount,
    failedCount: load.failedCount,
    lastFailure: load.lastFailure,
    elapsedMs,
    p50Micros: percentileMicros(load.histogram, 0.5),
    p99Micros: percentileMicros(load.histogram, 0.99),
    serverCpuMicros,
    generatorCpuMicros: own.user + own.system,
    stillMs: watchdog.stillMs,
  };
  await drained;
  return result;
}

function createLoad(job: LoadJob): Load {
  return {
    job,
    random: createRandom(job.seed),
    connections: [],
    versions: new Uint32Array(job.keyCount),
    histogram: createHistogram(),
    isMeasuring: false,
    isStopping: false,
    answeredCount: 0,
    failedCount: 0,
    inflightCount: 0,
    askedCount: 0,
    silentTicks: 0,
    lastFailure: 'none',
    settle: () => undefined,
  };
}

function beginWindow(load: Load): void {
  load.histogram = createHistogram();
  load.answeredCount = 0;
  load.failedCount = 0;
  load.isMeasuring = true;
}

async function openAll(load: Load): Promise<void> {
  const { job } = load;
  const value = Buffer.alloc(job.valueBytes);
  for (let at = 0; at < value.length; at += 1) value[at] = load.random.below(256);
  while (load.connections.length < job.connectionCount) {
    const count = Math.min(CONNECTING_MAX, job.connectionCount - load.connections.length);
    const opening = Array.from({ length: count }, (_, slot) => {
      const port = job.ports[(load.connections.length + slot) % job.ports.length]!;
      return openConnection(load, port, load.connections.length + slot, value);
    });
    load.connections.push(...(await Promise.all(opening)));
    load.silentTicks = 0;
  }
}

function openConnection(
  load: Load,
  port: number,
  number: number,
  value: Buffer,
): Promise<Connection> {
  const { job } = load;
  const wire = createWire(job.system, job.operation, value, `127.0.0.1:${port}`);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      // The socket reads into this one buffer, past the stream machinery.
      onread: {
        buffer: Buffer.allocUnsafe(CHUNK_BYTES),
        callback: (sizeBytes, buffer) => {
          onChunk(load, connection, Buffer.from(buffer.buffer, buffer.byteOffset, sizeBytes));
          return true;
        },
      },
    });
    const connection: Connection = {
      socket,
      wire,
      out: allocateOut(job, wire),
      number,
      startedMs: new Float64Array(job.inflightPerConnection).fill(-1),
      keys: new Uint32Array(job.inflightPerConnection),
      rest: undefined,
    };
    socket.once('connect', () => {
      socket.write(wire.opening);
      resolve(connection);
    });
    socket.on('error', (error) => {
      reject(error);
      load.settle(error);
    });
    socket.on('close', () =>
      load.settle(new Error(`${job.system}: port ${port} closed the connection`)),
    );
  });
}

function allocateOut(job: LoadJob, wire: Wire): Buffer {
  return Buffer.allocUnsafe(wire.requestBytesMax * job.inflightPerConnection);
}

/** The first requests of a connection, one for every slot. */
function startConnection(load: Load, connection: Connection): void {
  const nowMs = performance.now();
  let end = 0;
  for (let slot = 0; slot < load.job.inflightPerConnection; slot += 1) {
    end = ask(load, connection, end, slot, nowMs);
  }
  if (end > 0) flush(load, connection, end);
}

/** Writes the next request into the connection's buffer, unless the job is at its end. */
function ask(load: Load, connection: Connection, end: number, slot: number, nowMs: number): number {
  if (load.isStopping) return end;
  const key = nextKey(load, connection, slot);
  if (key < 0) return end;
  load.inflightCount += 1;
  connection.startedMs[slot] = nowMs;
  connection.keys[slot] = key;
  const version = load.versions[key]!;
  return connection.wire.request(connection.out, end, slot, load.job.firstKey + key, version);
}

function nextKey(load: Load, connection: Connection, slot: number): number {
  const { keyCount, windowMs } = load.job;
  if (load.job.operation === Operation.CompareAndSwap) return ownKey(load, connection, slot);
  if (windowMs > 0) return load.random.below(keyCount);
  if (load.askedCount === keyCount) return -1;
  load.askedCount += 1;
  return (load.askedCount * KEY_STRIDE) % keyCount;
}

/**
 * Swaps in flight are about different keys, so that each expects the right version: each slot has
 * keys of its own.
 */
function ownKey(load: Load, connection: Connection, slot: number): number {
  const { connectionCount, inflightPerConnection, keyCount } = load.job;
  const slotCount = connectionCount * inflightPerConnection;
  const ownCount = Math.floor(keyCount / slotCount);
  const place = connection.number * inflightPerConnection + slot;
  return place + slotCount * load.random.below(ownCount);
}

function onChunk(load: Load, connection: Connection, chunk: Buffer): void {
  const nowMs = performance.now();
  const bytes = connection.rest === undefined ? chunk : Buffer.concat([connection.rest, chunk]);
  let end = 0;
  try {
    const consumed = connection.wire.read(bytes, (slot, isOk) => {
      const startedMs = connection.startedMs[slot]!;
      if (startedMs < 0) throw new Error('an answer to a request that is not in flight');
      connection.startedMs[slot] = -1;
      load.inflightCount -= 1;
      if (isOk && load.job.operation === Operation.CompareAndSwap) {
        load.versions[connection.keys[slot]!]! += 1;
      }
      if (load.isMeasuring) count(load, connection, isOk, (nowMs - startedMs) * 1_000);
      end = ask(load, connection, end, slot, nowMs);
    });
    connection.rest = consumed < bytes.length ? Buffer.from(bytes.subarray(consumed)) : undefined;
  } catch (error) {
    load.settle(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  load.silentTicks = 0;
  const owed = connection.wire.takeOwed();
  if (owed !== undefined) connection.socket.write(owed);
  if (end > 0) flush(load, connection, end);
  if (load.inflightCount === 0 && isAtEnd(load)) load.settle();
}

function count(load: Load, connection: Connection, isOk: boolean, micros: number): void {
  if (isOk) {
    load.answeredCount += 1;
    record(load.histogram, micros);
    return;
  }
  load.failedCount += 1;
  load.lastFailure = connection.wire.lastFailure();
}

function isAtEnd(load: Load): boolean {
  return load.isStopping || (load.job.windowMs === 0 && load.askedCount === load.job.keyCount);
}

function flush(load: Load, connection: Connection, end: number): void {
  connection.socket.write(connection.out.subarray(0, end));
  // What the kernel did not take at once still needs the buffer.
  if (connection.socket.writableLength > 0) connection.out = allocateOut(load.job, connection.wire);
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
