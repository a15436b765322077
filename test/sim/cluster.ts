/**
 * The members of a simulated cluster, from those that it is born with to those that join later, and
 * the places where they run. A place whose member is gone may be another member's later.
 */

import { MemberGoal, type MemberRecord, type NodeId } from '../../include/node.ts';
import type { MemberPlace } from '../../src/node/node.ts';
import { parseNodesConf } from '../../src/node/nodes-conf.ts';
import { firstConfiguration } from '../../src/node/roster.ts';
import type { Random } from '../../src/random.ts';
import type { Host } from './host.ts';
import type { HostTime } from './host-clock.ts';
import type { SimNetwork } from './network.ts';
import { Safety } from './safety.ts';
import { type NodeSabotage, SimNode, type SimNodeOptions } from './sim-node.ts';
import type { World } from './world.ts';

/** What all members of a cluster have in common. */
export type MemberOptions = Pick<
  SimNodeOptions,
  'truth' | 'heartbeatMs' | 'electionMs' | 'logKept' | 'segmentBytes' | 'watchProgressMs'
>;

/** What a cluster is made from. */
export type ClusterOptions = {
  readonly world: World;
  readonly network: SimNetwork;
  /** Members that it is born with, and places for more. */
  readonly nodeCount: number;
  readonly spareCount: number;
  /** Milliseconds that a write to a disk takes at least. */
  readonly diskMs: number;
  /** A fault of the members, put in on purpose: it must be seen from outside. */
  readonly sabotage: NodeSabotage | undefined;
  readonly createTime: () => HostTime;
  readonly fork: () => Random;
};

/** Where a member may run. */
type Place = { readonly host: Host; readonly time: HostTime; readonly port: number };

/** The port of the first place; each has one of its own. */
const PORT_MIN = 7_001;

/** The cluster. */
export class SimCluster {
  readonly safety: Safety;
  readonly #options: ClusterOptions;
  readonly #places: readonly Place[];
  readonly #bornWith: ReturnType<typeof parseNodesConf>;
  readonly #all: Map<NodeId, SimNode> = new Map();
  #memberOptions: MemberOptions | undefined;

  constructor(options: ClusterOptions) {
    const { world, nodeCount, spareCount, sabotage, createTime } = options;
    this.#options = options;
    this.#places = Array.from({ length: nodeCount + spareCount }, (_, slot) => ({
      host: world.createHost(`n${slot}`),
      time: createTime(),
      port: PORT_MIN + slot,
    }));
    const lines = this.#places.slice(0, nodeCount).map(({ host, port }, id) => {
      return `${id} ${host.name} ${port}`;
    });
    this.#bornWith = parseNodesConf('nodes.conf', lines.join('\n'));
    for (const place of this.#places) this.#listenAt(place);
    const born = firstConfiguration(this.#bornWith.nodes);
    this.safety = new Safety(born, world.tally, sabotage === undefined);
  }

  /** Starts the members that it is born with. */
  start(options: MemberOptions): void {
    this.#memberOptions = options;
    for (const { id, port } of this.#bornWith.nodes) this.#create(id, port, true).start();
  }

  /** The members that run or may run again, ascending by id. */
  get nodes(): readonly SimNode[] {
    return [...this.#all.values()].filter(({ isGone }) => !isGone);
  }

  /** The clocks of all places. */
  get times(): readonly HostTime[] {
    return this.#places.map(({ time }) => time);
  }

  /** Where clients may find a member. */
  get endpoints(): readonly string[] {
    return this.#places.map(({ host, port }) => `${host.name}:${port}`);
  }

  /** A member; undefined for one that was never started here. */
  find(id: NodeId): SimNode | undefined {
    return this.#all.get(id);
  }

  /**
   * A place that no process comes back to; undefined when all are taken.
   *
   * @param members their places are taken too, whoever runs there
   */
  findPlace(members: readonly MemberPlace[]): MemberPlace | undefined {
    const taken = new Set(members.map(({ port }) => port));
    for (const { options } of this.nodes) taken.add(options.port);
    const free = this.#places.find(({ port }) => !taken.has(port));
    return free === undefined ? undefined : { address: free.host.name, port: free.port };
  }

  /** Starts, each in an empty directory, the members that were added and have not run yet. */
  admit(members: readonly Pick<MemberRecord, 'id' | 'port'>[]): void {
    for (const { id, port } of members) {
      if (!this.#all.has(id)) this.#create(id, port, false).start();
    }
  }

  /** What is not as it should be in peace; undefined when all is. Starts whom nobody started. */
  findLacking(): string | undefined {
    const { roster, learners, outgoing } = this.safety.configuration;
    const members = roster?.members ?? [];
    this.admit(members);
    if (outgoing.length > 0) return 'a change of the members is under way';
    const applied = new Set<number>();
    for (const { id, goal } of members) {
      const member = this.#all.get(id);
      const isOnItsWay = goal === MemberGoal.Voter && learners.includes(id);
      if (isOnItsWay || goal === MemberGoal.Gone) return `member ${id} is not yet what it is to be`;
      if (member?.isGone) continue; // Lost for good, and not replaced any more.
      if (member?.node === undefined) return `member ${id} does not run`;
      applied.add(member.node.member.store.applied().index);
    }
    if (applied.size > 1) return `members have applied up to ${[...applied].join(', ')}`;
    return undefined;
  }

  /** Looks at all that the members have. */
  inspect(): void {
    for (const node of this.nodes) node.inspect();
  }

  /** Whoever is at a place answers there. */
  #listenAt({ host, port }: Place): void {
    const occupant = (): SimNode | undefined =>
      [...this.#all.values()].findLast(({ options }) => options.port === port);
    this.#options.network.listen(port, {
      host,
      process: () => occupant()?.listening,
      accept: (stream, remote) => occupant()?.node?.adopt(stream, remote),
    });
  }

  #create(id: NodeId, port: number, isBornWith: boolean): SimNode {
    const { world, network, diskMs, sabotage = {}, fork } = this.#options;
    const place = this.#places.find((one) => one.port === port);
    if (place === undefined || this.#memberOptions === undefined) {
      throw new Error(`no place for member ${id} at port ${port}`);
    }
    const node = new SimNode({
      ...this.#memberOptions,
      ...place,
      world,
      network,
      safety: this.safety,
      sabotage,
      id,
      cluster: isBornWith ? this.#bornWith : { ...this.#bornWith, nodes: [] },
      random: fork(),
      mood: { latencyMs: diskMs, jitterMs: diskMs, isFull: false },
    });
    this.#all.set(id, node);
    return node;
  }
}
