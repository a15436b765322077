/**
 * Many watchers of one key, which is put again and again, each time once all of them have been told
 * of the put before. What counts is how long after a put was sent half of them know, and the last.
 *
 * A watcher that is told of a put twice, or not at all, ends it with an error.
 */

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { createHistogram, percentileMicros, record } from './histogram.ts';
import { cpuMicros } from './proc.ts';
import { Ticker } from './ticker.ts';
import { createWatchWire } from './watch-wires.ts';
import { keyOf, Operation } from './wire.ts';
import { createWire, type SystemName } from './wires.ts';

/** Milliseconds between two looks at how it gets on. */
const TICK_MS = 250;

/** Ticks without a round after which the server counts as stuck: 15 s that this process saw. */
const SILENT_TICKS_MAX = 60;

/** Whom to watch, for how long. Plain data: it travels to the generator's process. */
export type FanOutJob = {
  readonly system: SystemName;
  /** Port of 127.0.0.1 that takes the puts. */
  readonly putPort: number;
  /** Ports at which the connections of watchers are made, in turn. */
  readonly watchPorts: readonly number[];
  readonly connectionCount: number;
  readonly watchersPerConnection: number;
  /** The key watched. */
  readonly keyNumber: number;
  readonly valueBytes: number;
  readonly warmupMs: number;
  readonly windowMs: number;
  readonly serverPids: readonly number[];
};

/** What was measured; times from when a put was sent. */
export type FanOutResult = {
  readonly putCount: number;
  readonly elapsedMs: number;
  /** Until half of the watchers know: the median of all puts. */
  readonly halfP50Micros: number;
  /** Until the last watcher knows: the median of all puts, and what 99 % of them stay below. */
  readonly lastP50Micros: number;
  readonly lastP99Micros: number;
  readonly serverCpuMicros: number;
  readonly generatorCpuMicros: number;
  /** The longest time this process got no processor. */
  readonly stillMs: number;
};

/** A run: it opens, then rounds of one put follow each other until it is told to stop. */
class FanOut {
  readonly #job: FanOutJob;
  readonly #watcherCount: number;
  readonly #sockets: Socket[] = [];
  readonly #watchdog: Ticker;
  #put: () => void = () => undefined;
  #createdCount = 0;
  /** Watchers that know of the put in flight. */
  #toldCount = 0;
  /** That put is acknowledged. */
  #isAnswered = false;
  #sentMs = 0;
  #halfMs = 0;
  #half = createHistogram();
  #last = createHistogram();
  #isStopping = false;
  #silentTicks = 0;
  readonly #opened = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(job: FanOutJob) {
    this.#job = job;
    this.#watcherCount = job.connectionCount * job.watchersPerConnection;
    this.#watchdog = new Ticker(TICK_MS, () => {
      this.#silentTicks += 1;
      if (this.#silentTicks > SILENT_TICKS_MAX) this.#fail(new Error(this.#stuckText()));
    });
  }

  /** Connects all; resolves when every watch is created. */
  async open(): Promise<void> {
    const { system, keyNumber, valueBytes, putPort } = this.#job;
    const { connectionCount, watchersPerConnection, watchPorts } = this.#job;
    for (let slot = 0; slot < connectionCount; slot += 1) {
      const port = watchPorts[slot % watchPorts.length]!;
      const wire = createWatchWire(
        system,
        keyOf(keyNumber),
        watchersPerConnection,
        `127.0.0.1:${port}`,
      );
      this.#connect(port, wire.opening, wire.takeOwed, (bytes) =>
        wire.read(bytes, this.#onCreated, this.#onTold),
      );
    }
    const wire = createWire(
      system,
      Operation.Put,
      Buffer.alloc(valueBytes, 1),
      `127.0.0.1:${putPort}`,
    );
    const socket = this.#connect(putPort, wire.opening, wire.takeOwed, (bytes) =>
      wire.read(bytes, (_slot, isOk) => {
        if (!isOk) throw new Error(`a put failed: ${wire.lastFailure()}`);
        this.#isAnswered = true;
        this.#endRound();
      }),
    );
    this.#put = () => {
      const out = Buffer.allocUnsafe(wire.requestBytesMax);
      const end = wire.request(out, 0, 0, keyNumber, 0);
      socket.write(out.subarray(0, end));
    };
    await this.#opened.promise;
  }

  /** Puts, and goes on putting. */
  start(): void {
    this.#toldCount = 0;
    this.#isAnswered = false;
    this.#sentMs = performance.now();
    this.#put();
  }

  /** Forgets what was measured so far. */
  beginWindow(): void {
    this.#half = createHistogram();
    this.#last = createHistogram();
  }

  /** What was measured since. */
  result(): Omit<FanOutResult, 'elapsedMs' | 'serverCpuMicros' | 'generatorCpuMicros'> {
    return {
      putCount: this.#last.count,
      halfP50Micros: percentileMicros(this.#half, 0.5),
      lastP50Micros: percentileMicros(this.#last, 0.5),
      lastP99Micros: percentileMicros(this.#last, 0.99),
      stillMs: this.#watchdog.stillMs,
    };
  }

  /** Resolves when the put in flight is over. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#stopped.promise;
  }

  /** Rejects when something goes wrong. */
  get failed(): Promise<void> {
    return this.#stopped.promise.then(() => new Promise<never>(() => undefined));
  }

  close(): void {
    this.#watchdog.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  #onCreated = (): void => {
    this.#createdCount += 1;
    this.#silentTicks = 0;
    if (this.#createdCount === this.#watcherCount) this.#opened.resolve();
  };

  #onTold = (): void => {
    if (this.#toldCount === this.#watcherCount) throw new Error('a watcher was told twice');
    this.#toldCount += 1;
    if (this.#toldCount === this.#watcherCount >> 1) this.#halfMs = performance.now();
    if (this.#toldCount < this.#watcherCount) return;
    record(this.#half, (this.#halfMs - this.#sentMs) * 1_000);
    record(this.#last, (performance.now() - this.#sentMs) * 1_000);
    this.#endRound();
  };

  #endRound(): void {
    if (!this.#isAnswered || this.#toldCount < this.#watcherCount) return;
    this.#silentTicks = 0;
    if (this.#isStopping) this.#stopped.resolve();
    else this.start();
  }

  /** @param read reads the whole frames at the start of some bytes, returns how many they are */
  #connect(
    port: number,
    opening: Buffer,
    takeOwed: () => Buffer | undefined,
    read: (bytes: Buffer) => number,
  ): Socket {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let rest: Buffer | undefined;
    socket.write(opening);
    socket.on('data', (chunk) => {
      const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      try {
        const consumed = read(bytes);
        rest = consumed < bytes.length ? bytes.subarray(consumed) : undefined;
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      const owed = takeOwed();
      if (owed !== undefined) socket.write(owed);
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error(`port ${port} closed the connection`)));
    this.#sockets.push(socket);
    return socket;
  }

  #fail(error: Error): void {
    const named = new Error(`${this.#job.system}: ${error.message}`, { cause: error });
    this.#opened.reject(named);
    this.#stopped.reject(named);
  }

  #stuckText(): string {
    const watches = `${this.#createdCount} watches, ${this.#toldCount} of them told`;
    return `nothing for ${(SILENT_TICKS_MAX * TICK_MS) / 1_000} s: ${watches}`;
  }
}

/**
 * Runs a job to its end.
 *
 * @throws Error when a server cannot be reached, breaks its protocol or falls silent
 */
export async function runFanOut(job: FanOutJob): Promise<FanOutResult> {
  const fanOut = new FanOut(job);
  const { failed } = fanOut;
  failed.catch(() => undefined);
  try {
    await fanOut.open();
    fanOut.start();
    await Promise.race([sleep(job.warmupMs), failed]);
    fanOut.beginWindow();
    const startMs = performance.now();
    const serverStart = cpuMicros(job.serverPids);
    const ownStart = process.cpuUsage();
    await Promise.race([sleep(job.windowMs), failed]);
    const own = process.cpuUsage(ownStart);
    const result = {
      ...fanOut.result(),
      elapsedMs: performance.now() - startMs,
      serverCpuMicros: cpuMicros(job.serverPids) - serverStart,
      generatorCpuMicros: own.user + own.system,
    };
    await fanOut.stop();
    return result;
  } finally {
    fanOut.close();
  }
}
