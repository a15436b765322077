/**
 * A client: the real library in a process of its own, which asks, watches and holds leases without
 * a pause, and may itself be killed or frozen.
 */

import type { Client } from '../../include/client.ts';
import { KvorumError } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { createRandom, type Random } from '../../src/random.ts';
import type { Action, History, Operation } from './history.ts';
import { tellAction } from './history.ts';
import { EventKind, type Host, type Process } from './host.ts';
import type { HostTime } from './host-clock.ts';
import type { LeaseOwner, Leases } from './leases.ts';
import type { SimNetwork } from './network.ts';
import { carryOut } from './requests.ts';
import type { Watches } from './watches.ts';
import { drawRevision, Worker } from './worker.ts';
import type { World } from './world.ts';

/** What a client is made from. */
export type SimClientOptions = {
  readonly world: World;
  readonly network: SimNetwork;
  readonly history: History;
  readonly watches: Watches;
  readonly leases: Leases;
  readonly host: Host;
  readonly time: HostTime;
  readonly endpoints: readonly string[];
  readonly random: Random;
  readonly load: Load;
};

/** What the clients of a run do. */
export type Load = {
  readonly keyCount: number;
  readonly workers: number;
  /** Longest pause of a worker between two requests, in milliseconds. */
  readonly pauseMs: number;
  readonly watchers: number;
  readonly leaseHolders: number;
  readonly requestTimeoutMs: number;
  /** One in so many requests is followed by a compaction, or a leader transfer. */
  readonly meddleOneIn: number;
  /** Bytes of a value besides what makes it unique. */
  readonly paddingBytes: number;
};

/** A client. */
export class SimClient {
  readonly options: SimClientOptions;
  readonly process: Process;
  readonly client: Client;
  /** Nothing new is begun. */
  isStopping = false;
  #diedMs = Number.POSITIVE_INFINITY;
  #underWay = 0;
  #valueCount = 0;

  constructor(options: SimClientOptions) {
    const { world, network, host, time, endpoints, random, load } = options;
    this.options = options;
    this.process = world.spawn(host);
    this.client = connect(
      { endpoints, requestTimeoutMs: load.requestTimeoutMs },
      {
        clock: time.clockOf(this.process),
        random: createRandom(random.below(2 ** 32)),
        openStream: network.wayOf(this.process),
      },
    );
  }

  /** Begins all its work. */
  start(): void {
    const { load, watches, leases } = this.options;
    for (let count = 0; count < load.workers; count += 1) this.#run(() => this.#work());
    for (let count = 0; count < load.watchers; count += 1) {
      watches.follow(this.#asOwner()).catch((cause: unknown) => this.#fail(cause));
    }
    for (let count = 0; count < load.leaseHolders; count += 1) {
      this.#run(() => leases.hold(this.#asOwner()));
    }
  }

  /** The process dies. What it asked may take effect or not. */
  kill(): void {
    const { world, network, host } = this.options;
    world.trace.note(host.name, 'is killed');
    this.#diedMs = world.nowMs;
    world.kill(this.process);
    network.forget(this.process, true);
    // Timers of the real machine that the library holds are given back.
    void this.client.close();
  }

  /** Whether nothing of its work is under way. */
  get isIdle(): boolean {
    return this.#underWay === 0 || this.process.isDead;
  }

  /** Asks, and keeps what came of it. */
  async ask(action: Action): Promise<Operation> {
    const { world, history, host } = this.options;
    const operation = history.begin(host.name, action);
    world.trace.note(host.name, `? ${tellAction(action)}`);
    try {
      const answer = await carryOut(this.client, action);
      if (this.process.isDead) return operation;
      world.trace.note(host.name, `= ${tellAction(action)} @${answer.revision}`);
      history.end(operation, answer);
    } catch (error) {
      if (this.process.isDead) return operation;
      world.trace.note(host.name, `! ${tellAction(action)}: ${String(error)}`);
      history.fail(operation, error);
    }
    return operation;
  }

  /** A pause on virtual time. */
  pause(delayMs: number): Promise<void> {
    return this.options.world.pause(this.process, delayMs, EventKind.Work);
  }

  #run(work: () => Promise<void>): void {
    this.#underWay += 1;
    work().then(
      () => {
        this.#underWay -= 1;
      },
      (cause: unknown) => this.#fail(cause),
    );
  }

  #fail(cause: unknown): void {
    if (!this.process.isDead) this.options.world.fail(cause);
  }

  #asOwner(): LeaseOwner {
    return {
      name: this.options.host.name,
      client: this.client,
      isDone: () => this.isStopping,
      diedMs: () => this.#diedMs,
      pause: (delayMs) => this.pause(delayMs),
    };
  }

  async #work(): Promise<void> {
    const { random, load, history } = this.options;
    const worker = new Worker({
      random,
      history,
      keyCount: load.keyCount,
      drawValue: () => this.#drawValue(),
    });
    while (!this.isStopping) {
      await this.pause(random.below(load.pauseMs) + 1);
      if (random.below(load.meddleOneIn) === 0) await this.#meddle();
      worker.learn(await this.ask(worker.draw()));
    }
  }

  #drawValue(): string {
    this.#valueCount += 1;
    const { host, load } = this.options;
    return `${host.name}.${this.#valueCount}`.padEnd(load.paddingBytes, '.');
  }

  /** Does what concerns the cluster as a whole, whatever comes of it. */
  async #meddle(): Promise<void> {
    const { world, random, endpoints, history } = this.options;
    try {
      if (random.below(2) === 0) {
        await this.client.moveLeader(random.below(endpoints.length));
        world.tally.count('leader transfer');
      } else {
        const revision = drawRevision(random, history);
        history.compactedMax = Math.max(history.compactedMax, revision);
        await this.client.compact(revision, { physical: random.below(2) === 0 });
        world.tally.count('compaction');
      }
    } catch (error) {
      if (!(error instanceof KvorumError)) throw error;
    }
  }
}
