/**
 * The clients of a run: workers in a closed loop, watches and leases, each through a client library
 * of its own. Everything is kept in one history.
 */

import type { Client, Watcher } from '../../include/client.ts';
import { KvorumError } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { createRandom, type Random } from '../../src/random.ts';
import type { History } from '../sim/history.ts';
import type { LeaseOwner, Leases } from '../sim/leases.ts';
import { carryOut } from '../sim/requests.ts';
import type { Truth } from '../sim/truth.ts';
import type { Watches } from '../sim/watches.ts';
import { drawRevision, Worker } from '../sim/worker.ts';
import type { Recorder } from './recorder.ts';

const CLIENT_COUNT = 3;
const WORKERS_PER_CLIENT = 4;
const WATCHERS_PER_CLIENT = 2;
const LEASE_HOLDERS_PER_CLIENT = 1;
const KEY_COUNT = 24;

/** Longest pause of a worker between an answer and its next request, in milliseconds. */
const PAUSE_MS = 20;

/** One request in so many is followed by one that concerns the cluster as a whole. */
const MEDDLING = 400;

/** Revisions of the past that a compaction leaves, at most. */
const REVISIONS_LEFT = 500;

/** A time without answers that is worth a line, in milliseconds. */
const SILENCE_TOLD_MS = 2_000;

/** What the clients of a run share. */
export type LoadOptions = {
  readonly endpoints: readonly string[];
  readonly random: Random;
  readonly history: History;
  readonly truth: Truth;
  readonly recorder: Recorder;
  readonly watches: Watches;
  readonly leases: Leases;
  readonly onFailed: (cause: unknown) => void;
  /** Told when somebody is answered after a long time in which nobody was. */
  readonly onSilence: (lastedMs: number) => void;
};

/** All clients. */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: Client[] = [];
  readonly #working: Promise<void>[] = [];
  #isStopping = false;
  #valueCount = 0;
  #answeredMs = 0;
  /** Longest time in which nobody was answered, in milliseconds. */
  longestSilenceMs = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Begins all work. */
  start(): void {
    const { endpoints, random, watches, leases, onFailed } = this.#options;
    this.#answeredMs = performance.now();
    for (let number = 0; number < CLIENT_COUNT; number += 1) {
      const requestTimeoutMs = [1_000, 5_000, 10_000][random.below(3)]!;
      const client = connect({ endpoints, requestTimeoutMs });
      this.#clients.push(client);
      const owner = this.#ownerOf(`c${number}`, client);
      for (let count = 0; count < WORKERS_PER_CLIENT; count += 1) {
        this.#run(this.#work(owner.name, client, createRandom(random.below(2 ** 32))));
      }
      for (let count = 0; count < WATCHERS_PER_CLIENT; count += 1) {
        watches.follow(owner).catch(onFailed);
      }
      for (let count = 0; count < LEASE_HOLDERS_PER_CLIENT; count += 1) {
        this.#run(leases.hold(owner));
      }
    }
  }

  /** Begins nothing new; resolves when all is answered or given up. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#working);
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#isStopping = true;
    for (const client of this.#clients) await client.close();
  }

  /** Counts the time in which nobody was answered up to now. */
  noteSilence(): void {
    const nowMs = performance.now();
    const silenceMs = nowMs - this.#answeredMs;
    this.#answeredMs = nowMs;
    this.longestSilenceMs = Math.max(this.longestSilenceMs, silenceMs);
    if (silenceMs >= SILENCE_TOLD_MS) this.#options.onSilence(silenceMs);
  }

  #run(work: Promise<void>): void {
    this.#working.push(work.catch(this.#options.onFailed));
  }

  async #work(name: string, client: Client, random: Random): Promise<void> {
    const { history } = this.#options;
    const drawValue = (): string => {
      this.#valueCount += 1;
      return `${name}.${this.#valueCount}`;
    };
    const worker = new Worker({ random, history, keyCount: KEY_COUNT, drawValue });
    while (!this.#isStopping) {
      await pause(random.below(PAUSE_MS) + 1);
      if (random.below(MEDDLING) === 0) await this.#meddle(client, random);
      const operation = history.begin(name, worker.draw());
      try {
        history.end(operation, await carryOut(client, operation.action));
        const { action } = operation;
        if (action.kind !== 'read' || !action.isSerializable) this.noteSilence();
      } catch (error) {
        history.fail(operation, error);
      }
      worker.learn(operation);
    }
  }

  /** Moves the leader, or compacts what all of this process know already. */
  async #meddle(client: Client, random: Random): Promise<void> {
    const { history, truth, endpoints } = this.#options;
    try {
      if (random.below(2) === 0) await client.moveLeader(random.below(endpoints.length));
      else {
        const oldest = truth.last - random.below(REVISIONS_LEFT);
        const revision = Math.max(1, Math.min(oldest, drawRevision(random, history)));
        history.compactedMax = Math.max(history.compactedMax, revision);
        await client.compact(revision);
      }
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
    }
  }

  #ownerOf(name: string, client: Client): LeaseOwner {
    const { recorder } = this.#options;
    return {
      name,
      client: { ...client, watch: (key, how) => patient(client.watch(key, how), recorder) },
      isDone: () => this.#isStopping,
      diedMs: () => Number.POSITIVE_INFINITY,
      pause,
    };
  }
}

/** Holds back what a watch is told until the truth of it is known, to hold it against that. */
function patient(watcher: Watcher, recorder: Recorder): Watcher {
  return {
    created: watcher.created,
    progress: watcher.progress,
    close: watcher.close,
    async *[Symbol.asyncIterator]() {
      for await (const batch of watcher) {
        await recorder.until(batch.revision);
        yield batch;
      }
    },
  };
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
