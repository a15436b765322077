/**
 * One member: the node that production starts, on a simulated host. It starts, dies in several ways
 * and starts again on what its disk then holds.
 */

import type { StoreHome } from '../../include/kvstore.ts';
import type { Log, LogFields } from '../../include/log.ts';
import { type ClusterConfig, FaultKind, NodeFault, type NodeId } from '../../include/node.ts';
import { openStore, type Store } from '../../src/kvstore/store.ts';
import type { DataDirectory } from '../../src/node/data-directory.ts';
import type { Disk } from '../../src/node/disk.ts';
import type { LogKept } from '../../src/node/log-trim.ts';
import { type Node, type NodeMachine, startNode } from '../../src/node/node.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { createFaultDisk, type FaultDisk } from '../fault-disk.ts';
import { createMemoryHome, type MemoryHome } from '../kvstore/memory-base.ts';
import { formatMessage } from '../raft/format.ts';
import { EventKind, type Host, type Process } from './host.ts';
import type { HostTime } from './host-clock.ts';
import type { SimNetwork } from './network.ts';
import type { Safety, Watched } from './safety.ts';
import { createTimedDisk, type DiskMood, noSpace } from './timed-disk.ts';
import type { Truth } from './truth.ts';
import { watchFromWithin } from './truth-watch.ts';
import type { World } from './world.ts';

/** What a deliberate fault may replace or touch. */
export type NodeSabotage = {
  readonly disk?: (disk: Disk, random: Random) => Disk;
  readonly home?: (home: StoreHome) => StoreHome;
  readonly store?: (store: Store, random: Random) => Store;
  /** When it has started. */
  readonly started?: (node: Node) => void;
  /** Behind each event of the node. */
  readonly settled?: (node: Node, random: Random) => void;
};

/** What a member is made from. */
export type SimNodeOptions = {
  readonly world: World;
  readonly network: SimNetwork;
  readonly safety: Safety;
  readonly truth: Truth;
  readonly id: NodeId;
  readonly host: Host;
  readonly time: HostTime;
  readonly port: number;
  /** Without nodes it joins a cluster that is there. */
  readonly cluster: ClusterConfig;
  readonly random: Random;
  readonly mood: DiskMood;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly logKept: LogKept;
  readonly segmentBytes: number;
  readonly watchProgressMs: number;
  readonly sabotage: NodeSabotage;
};

/** How a process ends. */
export type Death =
  /** It is killed: its kernel lives on, and tells the others. */
  | 'kill'
  /** The power fails: the disk loses what was not synced, the others are told nothing. */
  | 'power';

/** Milliseconds that starting a process takes, and each step of what concerns directories. */
const START_MS = 20;
const STEP_MS = 2;

/** Milliseconds until a node that its own disk ended is started again. */
const RECOVER_MS = 500;

/** What members log and the tally counts. */
const EVENTS_COUNTED: readonly string[] = [
  'snapshot installed',
  'snapshot stream failed',
  'unfinished write cut off the log',
  'leader transfer aborted',
];

/** One member. */
export class SimNode {
  readonly options: SimNodeOptions;
  /** Running; undefined while it is down or starts. */
  node: Node | undefined;
  process: Process | undefined;
  /** Called with each event that it logs. */
  onEvent: (node: SimNode, event: string) => void = () => {};
  /** A flush of the store fails next. */
  failsFlush = false;
  /** It will not run again: the cluster has removed it, or its machine is lost. */
  isGone = false;
  readonly disk: FaultDisk;
  readonly #home: MemoryHome;
  #watched: Watched | undefined;
  #hasIdentity = false;
  #restarts = 0;

  constructor(options: SimNodeOptions) {
    const { random } = options;
    this.options = options;
    this.disk = createFaultDisk(createRandom(random.below(2 ** 32)));
    this.#home = createMemoryHome({ flushDelay: () => this.#flushDelay() });
  }

  /** The process that takes connections; undefined when none does. */
  get listening(): Process | undefined {
    return this.node === undefined ? undefined : this.process;
  }

  get id(): NodeId {
    return this.options.id;
  }

  /** Starts a process on the host, unless one runs. */
  start(): void {
    const { world, network, host } = this.options;
    if (this.process !== undefined || this.isGone) return;
    if (!host.isOn) network.greet(host);
    host.isOn = true;
    const process = world.spawn(host, () => this.#settled());
    this.process = process;
    this.#restarts += 1;
    world.trace.note(host.name, `starts, for the ${this.#restarts}. time`);
    world.after(process, START_MS, EventKind.Work, () => void this.#boot(process));
  }

  /** Ends the process, if one runs. */
  die(death: Death): void {
    const { world, network, host } = this.options;
    const { process } = this;
    world.trace.note(host.name, death === 'kill' ? 'is killed' : 'loses its power');
    if (death === 'power') host.isOn = false;
    if (process === undefined) return;
    world.kill(process);
    network.forget(process, death === 'kill');
    if (death === 'kill') this.disk.crashProcess();
    else this.disk.crashPower();
    this.#home.crash();
    this.node = undefined;
    this.process = undefined;
    this.#watched = undefined;
  }

  /** It is never started again. */
  retire(death: Death): void {
    this.die(death);
    this.isGone = true;
  }

  /** Looks at all that it has: costs more. */
  inspect(): void {
    const { safety } = this.options;
    if (this.node === undefined || this.#watched === undefined) return;
    safety.lookAtLog(this.#watched);
    safety.compareState(this.id, this.node.member.store);
  }

  /** Behind each event of its process. */
  #settled(): void {
    const { node } = this;
    if (node === undefined || this.#watched === undefined) return;
    const { sabotage, safety, random } = this.options;
    sabotage.settled?.(node, random);
    safety.look(this.#watched);
  }

  async #boot(process: Process): Promise<void> {
    const { world, host, time, port, cluster, id, safety } = this.options;
    const { heartbeatMs, electionMs, logKept, watchProgressMs } = this.options;
    try {
      const node = await startNode(
        {
          id,
          cluster,
          place: { address: host.name, port },
          dataDir: `/data/${id}`,
          version: 'sim',
          clock: time.clockOf(process),
          log: this.#log(process),
          onFatal: (cause) => this.#onFatal(process, cause),
          heartbeatMs,
          electionMs,
          logKept,
          watchProgressMs,
          listens: false,
        },
        this.#machine(process),
      );
      if (process.isDead) return;
      this.node = node;
      this.#watched = safety.watch(node.member.raft);
      this.#traceMessages(node);
      this.options.sabotage.started?.(node);
    } catch (cause) {
      this.#onFatal(process, cause);
    }
    world.trace.note(this.options.host.name, 'is up');
  }

  /** A disk that was told to do wrong, and a removal, end a process; anything else is a bug. */
  #onFatal(process: Process, cause: unknown): void {
    const { world, host, id, safety } = this.options;
    if (process.isDead) return;
    world.trace.note(host.name, `ends itself: ${String(cause)}`);
    if (cause instanceof NodeFault && cause.kind === FaultKind.MemberRemoved) {
      world.tally.count('removed node ends itself');
      this.retire('kill');
      safety.endedAsRemoved(id);
    } else if (isInjected(cause)) {
      world.tally.count('disk fault ends a node');
      this.die('kill');
      world.after(undefined, RECOVER_MS, EventKind.Fault, () => this.start());
    } else {
      world.fail(cause);
    }
  }

  #machine(process: Process): Partial<NodeMachine> {
    const { world, network, random, mood, segmentBytes, sabotage } = this.options;
    const own = createRandom(random.below(2 ** 32));
    const timed = createTimedDisk(this.disk, { world, process, below: own.below, mood });
    const home = this.#slowHome(process);
    return {
      random: own,
      disk: sabotage.disk?.(timed, own) ?? timed,
      segmentBytes,
      openStream: network.wayOf(process),
      measureRuntime: () => ({ families: () => [], stop: () => {} }),
      openDirectory: async () => this.#openDirectory(),
      openStore: async () => {
        const store = this.#observe(await openStore(sabotage.home?.(home) ?? home));
        return sabotage.store?.(store, own) ?? store;
      },
    };
  }

  #openDirectory(): DataDirectory {
    const path = `/data/${this.id}`;
    return {
      path,
      walPath: `${path}/wal`,
      storePath: `${path}/store`,
      isNew: !this.#hasIdentity,
      confirm: () => {
        this.#hasIdentity = true;
      },
      close: async () => {},
    };
  }

  /** Between any two steps of what concerns directories the process may die. */
  #slowHome(process: Process): StoreHome {
    const { world } = this.options;
    const home = this.#home;
    const slowly = async <T>(run: () => Promise<T>): Promise<T> => {
      await world.pause(process, STEP_MS, EventKind.Store);
      const result = await run();
      await world.pause(process, STEP_MS, EventKind.Store);
      return result;
    };
    return {
      path: home.path,
      open: () => slowly(home.open),
      createIncoming: () => slowly(home.createIncoming),
      discardIncoming: () => slowly(home.discardIncoming),
      installIncoming: () => slowly(home.installIncoming),
    };
  }

  async #flushDelay(): Promise<void> {
    const { world, mood, random } = this.options;
    const delayMs = mood.latencyMs + random.below(20);
    await world.pause(this.process, delayMs, EventKind.Store);
    if (mood.isFull) throw noSpace();
    if (!this.failsFlush) return;
    this.failsFlush = false;
    throw new Error('injected fault');
  }

  #observe(store: Store): Store {
    const { id, safety, truth } = this.options;
    const observed: Store = {
      ...store,
      setApplied: (position) => {
        store.setApplied(position);
        safety.applied(id, store);
      },
    };
    watchFromWithin(id, observed, truth);
    return observed;
  }

  #traceMessages({ member }: Node): void {
    const { world, host } = this.options;
    const receive = member.receive.bind(member);
    member.receive = (message) => {
      world.trace.line(host.name, () => formatMessage(message));
      receive(message);
    };
  }

  #log(process: Process): Log {
    const { world, host } = this.options;
    const note = (event: string, fields: LogFields = {}): void => {
      if (process.isDead) return;
      const told = Object.entries(fields).map(([name, value]) => ` ${name}=${String(value)}`);
      const line = `${event}${told.join('')}`;
      world.trace.note(host.name, line);
      if (EVENTS_COUNTED.includes(event)) world.tally.count(event);
      this.onEvent(this, line);
    };
    return { debug: note, info: note, warn: note, error: note };
  }
}

/** Whether the simulator itself is behind a fault. */
function isInjected(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error.message.startsWith('injected fault')) return true;
    if (error.name === 'DiskStopped' || error.message.startsWith('ENOSPC')) return true;
  }
  return false;
}
