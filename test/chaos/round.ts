/**
 * One round: a new cluster and its clients, through misfortune and then in peace, with everything
 * checked against the history that the nodes themselves tell.
 */

import { createRandom, type Random } from '../../src/random.ts';
import { checkHistory } from '../sim/check-history.ts';
import { History } from '../sim/history.ts';
import { Leases } from '../sim/leases.ts';
import { pairOf } from '../sim/requests.ts';
import { isSamePair, Truth } from '../sim/truth.ts';
import { must } from '../sim/violation.ts';
import { Watches } from '../sim/watches.ts';
import { Cluster } from './cluster.ts';
import { drawFault } from './faults.ts';
import type { Leavings } from './leavings.ts';
import { Load } from './load.ts';
import type { Machine } from './machine.ts';
import type { NodeProcess } from './node-process.ts';
import { Recorder } from './recorder.ts';

/** What a round is made from. */
export type RoundOptions = {
  readonly seed: number;
  readonly nodeCount: number;
  /** Milliseconds of misfortune. */
  readonly hardMs: number;
  readonly binary: string;
  /** Made for the round. */
  readonly directory: string;
  readonly machine: Machine;
  readonly leavings: Leavings;
  /** Told what is done, when it is done. */
  readonly say: (line: string) => void;
};

/** What a round came to. */
export type Figures = {
  readonly operations: number;
  readonly answered: number;
  /** Writes of which nobody told the client whether they took effect. */
  readonly unknown: number;
  readonly revisions: number;
  readonly watched: number;
  readonly leases: number;
  readonly leaders: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly longestSilenceMs: number;
  /** Keys whose history took too long to judge. */
  readonly undecided: number;
};

/** Longest pause between two faults, in milliseconds. */
const FAULT_PAUSE_MS = 3_000;

/** Within so many, after misfortune, everything must be as it should. */
const CALM_MS_MAX = 60_000;

/** Peace in which clients go on. */
const CALM_MS = 3_000;

/** Between two looks at whether all is well. */
const LOOK_MS = 100;

/** How late a lease may end, in peace: a leader that is new gives all of them their time again. */
const LEASE_LATE_MS = 10_000;

/** Longest that a node may take to stop in order. */
const STOP_MS_MAX = 10_000;

/** A round. */
export class Round {
  readonly history = new History();
  readonly truth: Truth;
  readonly #options: RoundOptions;
  readonly #random: Random;
  readonly #recorder: Recorder;
  readonly #watches: Watches;
  readonly #leases: Leases;
  readonly #faults: Record<string, number> = {};
  readonly #timers: Set<NodeJS.Timeout> = new Set();
  #isHard = true;
  #fail: (cause: unknown) => void = () => {};

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed);
    const clocksMs = (): readonly number[] => [performance.now()];
    this.truth = new Truth(clocksMs);
    this.#recorder = new Recorder(this.truth);
    this.#watches = new Watches(this.truth, this.history, this.#fork());
    this.#leases = new Leases(this.truth, this.#fork(), clocksMs, () => performance.now());
  }

  /** Runs it. @throws Violation, or whatever else went wrong */
  async run(): Promise<Figures> {
    const { nodeCount, binary, directory, machine, leavings } = this.#options;
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    failed.catch(() => {});
    const cluster = await Cluster.create({
      nodeCount,
      binary,
      directory,
      machine,
      leavings,
      random: this.#fork(),
      onUnasked: (node, how) => this.#nodeEnded(node, how),
    });
    const load = this.#createLoad(cluster);
    try {
      return await Promise.race([this.#live(cluster, load), failed]);
    } finally {
      for (const timer of this.#timers) clearTimeout(timer);
      this.#recorder.stop();
      await load.close();
      await cluster.close();
      await Promise.all(cluster.nodes.map((node) => node.kill()));
    }
  }

  #createLoad(cluster: Cluster): Load {
    return new Load({
      endpoints: cluster.endpoints,
      random: this.#fork(),
      history: this.history,
      truth: this.truth,
      recorder: this.#recorder,
      watches: this.#watches,
      leases: this.#leases,
      onFailed: (cause) => this.#fail(cause),
      onSilence: (lastedMs) => this.#say(`nobody was answered for ${Math.round(lastedMs)} ms`),
    });
  }

  async #live(cluster: Cluster, load: Load): Promise<Figures> {
    for (const node of cluster.nodes) node.start();
    await this.#until(CALM_MS_MAX, async () => {
      return (await cluster.findLeader()) === undefined ? 'no node leads' : undefined;
    });
    cluster.observers.forEach((observer, node) => {
      const following = this.#recorder.follow(node, observer, cluster.endpoints[node]!);
      following.catch((cause: unknown) => this.#fail(cause));
    });
    load.start();
    await this.#break(cluster);
    this.#say('all is well from now on');
    cluster.mend();
    await pause(CALM_MS);
    await load.stop();
    load.noteSilence();
    await this.#until(CALM_MS_MAX, async () => this.#findLacking(cluster));
    this.#leases.check();
    await this.#checkMembers(cluster);
    const undecided = checkHistory(this.history, this.truth);
    this.#recorder.stop();
    await this.#stopAll(cluster);
    return this.#figures(cluster, load, undecided);
  }

  /** Faults, one after the other, until the time is over. */
  async #break(cluster: Cluster): Promise<void> {
    const { hardMs } = this.#options;
    const random = this.#fork();
    const endMs = performance.now() + hardMs;
    while (performance.now() < endMs) {
      await pause(random.below(FAULT_PAUSE_MS));
      const fault = drawFault(cluster, random);
      const someone = cluster.nodes[random.below(cluster.nodes.length)]!;
      const isLeaderMeant = random.below(2) === 0;
      const victim = (isLeaderMeant ? await cluster.findLeader() : undefined) ?? someone;
      const later = (delayMs: number, what: string, act: () => void): void => {
        this.#later(delayMs, what, act);
      };
      const told = fault.strike({
        cluster,
        random: createRandom(random.below(2 ** 32)),
        later,
        victim,
      });
      this.#faults[fault.name] = (this.#faults[fault.name] ?? 0) + 1;
      this.#say(`${fault.name}: ${told}`);
    }
    this.#isHard = false;
  }

  #later(delayMs: number, what: string, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isHard) return;
      if (what !== '') this.#say(what);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  #nodeEnded({ id }: NodeProcess, how: string): void {
    this.#say(`node ${id} ended by itself: ${how}`);
    try {
      must(false, 'a node ends only when it is told to', () => `node ${id}: ${how}`);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** What is not as it should be in the end; undefined when all is. */
  #findLacking(cluster: Cluster): string | undefined {
    const down = cluster.nodes.find(({ isRunning }) => !isRunning);
    if (down !== undefined) return `node ${down.id} does not run`;
    const untold = this.#recorder.findUntold();
    if (untold !== undefined) return `a watch was told of ${untold}, which no node tells of`;
    return (
      this.#recorder.findBehind() ??
      this.#watches.findBehind() ??
      this.#leases.findOverdue(LEASE_LATE_MS)
    );
  }

  /** Every member's own copy of the data is what the history says. */
  async #checkMembers(cluster: Cluster): Promise<void> {
    const keys = new Set(
      this.truth.revisions.flatMap(({ changes }) => changes.map(({ key }) => key)),
    );
    for (const [node, observer] of cluster.observers.entries()) {
      const { revision, kvs } = await observer.range('', { prefix: true, serializable: true });
      const held = new Map(kvs.map((kv) => [kv.key.toString('latin1'), pairOf(kv)]));
      for (const key of new Set([...keys, ...held.keys()])) {
        const isSame = isSamePair(held.get(key), this.truth.pairAt(key, revision));
        must(isSame, 'every member holds what the history says', () => {
          return `node ${node}, revision ${revision}: ${key}=${held.get(key)?.value ?? 'absent'}`;
        });
      }
    }
  }

  async #stopAll(cluster: Cluster): Promise<void> {
    for (const node of cluster.nodes) {
      const hammer = setTimeout(() => void node.kill(), STOP_MS_MAX);
      const code = await node.stop();
      clearTimeout(hammer);
      must(code === 0, 'a node stops in order', () => `node ${node.id}: exit code ${code}`);
    }
  }

  async #until(lastsMs: number, look: () => Promise<string | undefined>): Promise<void> {
    const endMs = performance.now() + lastsMs;
    for (;;) {
      const lacking = await look();
      if (lacking === undefined) return;
      must(performance.now() < endMs, 'a cluster in peace makes progress', () => lacking);
      await pause(LOOK_MS);
    }
  }

  #figures(cluster: Cluster, load: Load, undecided: number): Figures {
    const { operations } = this.history;
    const isUnknown = (one: (typeof operations)[number]): boolean =>
      one.answer === undefined && !one.isVoid && one.action.kind !== 'read';
    return {
      operations: operations.length,
      answered: operations.filter(({ answer }) => answer !== undefined).length,
      unknown: operations.filter(isUnknown).length,
      revisions: this.truth.last,
      watched: this.#watches.toldCount,
      leases: this.#leases.count,
      leaders: cluster.nodes.reduce((sum, node) => sum + node.count('became leader'), 0),
      faults: this.#faults,
      longestSilenceMs: Math.round(load.longestSilenceMs),
      undecided,
    };
  }

  #fork(): Random {
    return createRandom(this.#random.below(2 ** 32));
  }

  #say(what: string): void {
    this.#options.say(what);
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
