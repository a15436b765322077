/**
 * One run: a cluster and its clients, drawn from a seed, through misfortune and then in peace, with
 * everything checked. The same seed gives the same run, to the byte.
 */

import { createRandom, type Random } from '../../src/random.ts';
import { checkHistory } from './check-history.ts';
import { SimCluster } from './cluster.ts';
import type { Victims } from './fault-kinds.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import { EventKind } from './host.ts';
import { HostTime } from './host-clock.ts';
import { Leases } from './leases.ts';
import { type Climate, SimNetwork } from './network.ts';
import { Operator } from './operator.ts';
import { type Load, SimClient } from './sim-client.ts';
import type { NodeSabotage } from './sim-node.ts';
import type { Counts } from './tally.ts';
import { LINES_MAX } from './trace.ts';
import { Truth } from './truth.ts';
import { must, Violation } from './violation.ts';
import { Watches } from './watches.ts';
import { World } from './world.ts';

/** What a run came to. */
export type Outcome = {
  readonly seed: number;
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly nodes: number;
  /** What happened, how often. */
  readonly counts: Counts;
  readonly operations: number;
  readonly answered: number;
  readonly revisions: number;
  readonly terms: number;
  readonly watched: number;
  readonly leases: number;
  /** Keys whose history took too long to judge. */
  readonly undecided: number;
};

/** A run that failed: what was wrong, and what happened before. */
export class SimFailure extends Error {
  override readonly name = 'SimFailure';
  readonly seed: number;
  /** What does not hold: the same text for all runs that break it. */
  readonly property: string;
  readonly #trace: string;

  constructor(seed: number, trace: string, cause: unknown) {
    super(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.seed = seed;
    this.property = cause instanceof Violation ? cause.property : 'nothing breaks';
    this.#trace = trace;
  }

  /** All of it, for people. */
  get told(): string {
    const where = this.cause instanceof Error ? this.cause.stack : '';
    return `${this.#trace}\n${where}\n${this.message}`;
  }
}

/** Virtual milliseconds of misfortune. */
const HARD_MS = 20_000;

/** Within so many, after it, everything must be as it should. */
const CALM_MS_MAX = 30_000;

/** Between two looks at whether it is. */
const CALM_STEP_MS = 250;

/** How late a lease may end, in peace: a leader that is new gives all of them their time again. */
const LEASE_LATE_MS = 8_000;

/** What is drawn for a run before it begins. */
type Plan = {
  readonly nodeCount: number;
  /** Places for members that join. */
  readonly spareCount: number;
  /** Longest pause between two changes of the members, in milliseconds; undefined for none. */
  readonly changePauseMs: number | undefined;
  readonly clientCount: number;
  readonly climate: Climate;
  readonly load: Load;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly logEntriesKept: number;
  readonly segmentBytes: number;
  readonly watchProgressMs: number;
  readonly diskMs: number;
  /** Milliseconds between two faults, about. */
  readonly faultPauseMs: number;
};

/** What a run is about, where chance is to decide less. */
export type Scenario = {
  /** What is not drawn. */
  readonly plan: Partial<Omit<Plan, 'load'>>;
  readonly load?: Partial<Load>;
  /** The only faults; any when left out. */
  readonly faults?: readonly string[];
};

/** How a seed is run. */
export type RunOptions = {
  readonly scenario?: Scenario;
  /** A fault of the members, put in on purpose. */
  readonly sabotage?: NodeSabotage;
  /** Lines of each host that a failure shows. */
  readonly linesMax?: number;
};

/**
 * Runs a seed.
 *
 * @throws SimFailure
 */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const run = new Run(seed, options);
  try {
    return await run.run();
  } catch (cause) {
    throw new SimFailure(seed, run.world.trace.tell(), cause);
  } finally {
    run.cleanUp();
  }
}

function drawPlan(random: Random): Plan {
  const { below } = random;
  const isFast = below(2) === 0;
  const isFrameWise = below(2) === 0;
  const hasChanges = below(2) === 0;
  return {
    nodeCount: [1, 3, 3, 3, 3, 5, 5, 7][below(8)]!,
    spareCount: hasChanges ? 1 + below(4) : 0,
    changePauseMs: hasChanges ? [1_000, 3_000, 8_000][below(3)]! : undefined,
    clientCount: 1 + below(3),
    climate: {
      latencyMs: [0.1, 0.5, 2, 10][below(4)]!,
      jitterMs: [0.1, 1, 5, 20][below(4)]!,
      isFrameWise,
      lostPermille: isFrameWise ? [0, 5, 50][below(3)]! : 0,
      doubledPermille: isFrameWise ? [0, 5, 50][below(3)]! : 0,
      sendBufferBytes: [2_000, 64_000, 1_000_000][below(3)]!,
    },
    load: {
      keyCount: 2 + below(4),
      workers: 1 + below(3),
      pauseMs: [50, 200, 500][below(3)]!,
      watchers: 1 + below(3),
      leaseHolders: below(3),
      requestTimeoutMs: [1_000, 5_000, 10_000][below(3)]!,
      meddleOneIn: 40,
      paddingBytes: [0, 0, 600, 3_000][below(4)]!,
    },
    heartbeatMs: isFast ? 50 : 100,
    electionMs: isFast ? 400 : 1_000,
    logEntriesKept: [10, 100, 10_000][below(3)]!,
    segmentBytes: [256, 2_048, 16_384][below(3)]! * 1_024,
    watchProgressMs: 500 + below(3_000),
    diskMs: [0.05, 1, 5][below(3)]!,
    faultPauseMs: [300, 1_000, 3_000][below(3)]!,
  };
}

class Run {
  readonly world: World;
  readonly #seed: number;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #network: SimNetwork;
  readonly #history = new History();
  readonly #cluster: SimCluster;
  readonly #truth: Truth;
  readonly #watches: Watches;
  readonly #leases: Leases;
  readonly #clients: SimClient[] = [];
  readonly #operator: Operator | undefined;
  readonly #faults: Faults;

  constructor(seed: number, { sabotage, scenario, linesMax = LINES_MAX }: RunOptions) {
    this.world = new World(linesMax);
    this.#seed = seed;
    this.#random = createRandom(seed);
    const drawn = drawPlan(this.#random);
    const load = { ...drawn.load, ...scenario?.load };
    this.#plan = { ...drawn, ...scenario?.plan, load };
    const { world } = this;
    const { nodeCount, spareCount, diskMs } = this.#plan;
    this.#network = new SimNetwork(world, this.#plan.climate, this.#fork());
    const createTime = (): HostTime => this.#createTime();
    const fork = (): Random => this.#fork();
    this.#cluster = new SimCluster({
      world,
      network: this.#network,
      nodeCount,
      spareCount,
      diskMs,
      sabotage,
      createTime,
      fork,
    });
    const clocksMs = (): readonly number[] => this.#cluster.times.map((time) => time.nowMs);
    this.#truth = new Truth(clocksMs);
    this.#watches = new Watches(this.#truth, this.#history, this.#fork());
    this.#leases = new Leases(this.#truth, this.#fork(), clocksMs, () => world.nowMs);
    for (let count = 0; count < this.#plan.clientCount; count += 1) this.#addClient();
    this.#operator = this.#createOperator();
    const victims: Victims = {
      world,
      network: this.#network,
      cluster: this.#cluster,
      clients: () => this.#clients.filter(({ process }) => !process.isDead),
      replace: () => this.#addClient().start(),
    };
    const { faultPauseMs } = this.#plan;
    this.#faults = new Faults(victims, this.#fork(), faultPauseMs, scenario?.faults);
  }

  async run(): Promise<Outcome> {
    const { world } = this;
    const { heartbeatMs, electionMs, logEntriesKept, segmentBytes, watchProgressMs } = this.#plan;
    this.#cluster.start({
      truth: this.#truth,
      heartbeatMs,
      electionMs,
      logKept: { entriesMax: logEntriesKept, bytesMax: 1024 * 1024 },
      segmentBytes,
      watchProgressMs,
    });
    for (const client of this.#clients) client.start();
    this.#operator?.start();
    this.#faults.start();
    world.after(undefined, HARD_MS, EventKind.Fault, () => this.#calmDown());
    await world.run();
    return this.#outcome(checkHistory(this.#history, this.#truth));
  }

  /** Gives back what the libraries of the clients hold of the real machine. */
  cleanUp(): void {
    for (const { client } of this.#clients) void client.close();
    this.#operator?.close();
  }

  #fork(): Random {
    return createRandom(this.#random.below(2 ** 32));
  }

  #createTime(): HostTime {
    const startMs = this.#random.below(1_000_000);
    return new HostTime(this.world, startMs, 0.98 + this.#random.below(40) / 1_000);
  }

  #addClient(): SimClient {
    const client = new SimClient({
      world: this.world,
      network: this.#network,
      history: this.#history,
      watches: this.#watches,
      leases: this.#leases,
      host: this.world.createHost(`c${this.#clients.length}`),
      time: this.#createTime(),
      endpoints: this.#cluster.endpoints,
      random: this.#fork(),
      load: this.#plan.load,
    });
    this.#clients.push(client);
    return client;
  }

  #createOperator(): Operator | undefined {
    const { changePauseMs: pauseMs } = this.#plan;
    if (pauseMs === undefined) return undefined;
    return new Operator({
      world: this.world,
      network: this.#network,
      cluster: this.#cluster,
      host: this.world.createHost('operator'),
      time: this.#createTime(),
      random: this.#fork(),
      pauseMs,
    });
  }

  /** From here on nothing goes wrong; the work goes on for a while, then ends. */
  #calmDown(): void {
    const { world } = this;
    this.#faults.end();
    if (this.#operator !== undefined) this.#operator.isStopping = true;
    const untilMs = world.nowMs + CALM_MS_MAX;
    const look = (): void => {
      for (const client of this.#clients) client.isStopping = true;
      const lacking = this.#findLacking();
      if (lacking === undefined) {
        this.#leases.check();
        world.end();
        return;
      }
      must(world.nowMs < untilMs, 'a cluster in peace makes progress', () => lacking);
      world.after(undefined, CALM_STEP_MS, EventKind.Fault, look);
    };
    world.after(undefined, 3_000, EventKind.Fault, look);
  }

  /** What is not as it should be in the end; undefined when all is. */
  #findLacking(): string | undefined {
    for (const { options, isIdle } of this.#clients) {
      if (!isIdle) return `${options.host.name} waits for answers`;
    }
    const lacking =
      this.#cluster.findLacking() ??
      this.#watches.findBehind() ??
      this.#leases.findOverdue(LEASE_LATE_MS);
    if (lacking === undefined) this.#cluster.inspect();
    return lacking;
  }

  #outcome(undecided: number): Outcome {
    const { operations } = this.#history;
    const { world } = this;
    return {
      seed: this.#seed,
      hash: world.trace.hash,
      virtualMs: Math.round(world.nowMs),
      events: world.eventCount,
      nodes: this.#plan.nodeCount,
      counts: world.tally.counts,
      operations: operations.length,
      answered: operations.filter(({ answer }) => answer !== undefined).length,
      revisions: this.#truth.last,
      terms: this.#cluster.safety.leaderCount,
      watched: this.#watches.toldCount,
      leases: this.#leases.count,
      undecided,
    };
  }
}
