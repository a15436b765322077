/**
 * The operator of a cluster, who changes its members in the midst of everything: adds nodes with
 * empty directories, promotes and removes, replaces machines that work and machines that are lost.
 *
 * One machine at a time may be lost for good, and then nothing else is changed until it is
 * replaced: losing more than a majority can bear is nobody's fault but the operator's.
 */

import type { Client, Member, MemberChange } from '../../include/client.ts';
import { MemberGoal, type NodeId, Role } from '../../include/node.ts';
import { KvorumError } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import type { MemberPlace } from '../../src/node/node.ts';
import { createRandom, type Random } from '../../src/random.ts';
import type { SimCluster } from './cluster.ts';
import { EventKind, type Host, type Process } from './host.ts';
import type { HostTime } from './host-clock.ts';
import type { SimNetwork } from './network.ts';
import type { World } from './world.ts';

/** What an operator is made from. */
export type OperatorOptions = {
  readonly world: World;
  readonly network: SimNetwork;
  readonly cluster: SimCluster;
  readonly host: Host;
  readonly time: HostTime;
  readonly random: Random;
  /** Longest pause between two changes, in milliseconds. */
  readonly pauseMs: number;
};

/** A change to ask for. */
type Wish = {
  /** What it is called in the tally. */
  readonly name: string;
  readonly changes: readonly MemberChange[];
  readonly force?: boolean;
};

/** More members than this a cluster is not given. */
const MEMBERS_MAX = 7;

/** Least voters of a cluster that one machine is taken from for good. */
const VOTERS_TO_LOSE_ONE = 3;

/** One in so many removals does not ask whether it is safe. */
const FORCED_ONE_IN = 6;

const REQUEST_TIMEOUT_MS = 6_000;

/** The operator. */
export class Operator {
  /** Nothing new is begun. */
  isStopping = false;
  readonly #options: OperatorOptions;
  readonly #process: Process;
  readonly #client: Client;
  /** The member whose machine is lost. */
  #lost: NodeId | undefined;
  /** The last change was answered: none is under way that could come as a surprise. */
  #isSettled = true;

  constructor(options: OperatorOptions) {
    const { world, network, cluster, host, time, random } = options;
    this.#options = options;
    this.#process = world.spawn(host);
    this.#client = connect(
      { endpoints: cluster.endpoints, requestTimeoutMs: REQUEST_TIMEOUT_MS },
      {
        clock: time.clockOf(this.#process),
        random: createRandom(random.below(2 ** 32)),
        openStream: network.wayOf(this.#process),
      },
    );
  }

  start(): void {
    this.#work().catch((cause: unknown) => this.#options.world.fail(cause));
  }

  /** Gives back what the library holds of the real machine. */
  close(): void {
    void this.#client.close();
  }

  async #work(): Promise<void> {
    const { world, random, pauseMs, host } = this.#options;
    while (!this.isStopping) {
      await world.pause(this.#process, random.below(pauseMs), EventKind.Work);
      try {
        await this.#visit();
      } catch (error) {
        if (!(error instanceof KvorumError)) throw error;
        world.trace.note(host.name, `! ${error}`);
      }
    }
  }

  async #visit(): Promise<void> {
    const { cluster } = this.#options;
    const { members } = await this.#client.members();
    if (this.isStopping) return;
    cluster.admit(members);
    if (!members.some(({ id }) => id === this.#lost)) this.#lost = undefined;
    const wish = this.#replaceLost(members) ?? this.#name(members) ?? this.#draw(members);
    if (wish !== undefined) await this.#ask(wish);
  }

  async #ask({ name, changes, force = false }: Wish): Promise<void> {
    const { world, cluster, host } = this.#options;
    world.trace.note(host.name, `? ${name} ${JSON.stringify(changes)}`);
    this.#isSettled = false;
    const { members } = await this.#client.changeMembers(changes, { force });
    this.#isSettled = true;
    world.trace.note(host.name, `= ${name}`);
    world.tally.count(name);
    if (!this.isStopping) cluster.admit(members);
  }

  /** The lost machine's successor. */
  #replaceLost(members: readonly Member[]): Wish | undefined {
    const place = this.#options.cluster.findPlace(members);
    if (this.#lost === undefined) return undefined;
    const changes: MemberChange[] = [{ remove: this.#lost }];
    if (place !== undefined) changes.push({ add: place });
    return { name: 'lost member replaced', changes };
  }

  /** A member that runs is given its name, as `serve --join` does. */
  #name(members: readonly Member[]): Wish | undefined {
    const unnamed = members.find(({ id, name }) => {
      return name === '' && this.#options.cluster.find(id)?.node !== undefined;
    });
    if (unnamed === undefined) return undefined;
    const changes = [{ update: unnamed.id, name: `node-${unnamed.id}` }];
    return { name: 'member named', changes };
  }

  #draw(members: readonly Member[]): Wish | undefined {
    const { random, cluster } = this.#options;
    const voters = members.filter(({ isLearner }) => !isLearner);
    const place = members.length < MEMBERS_MAX ? cluster.findPlace(members) : undefined;
    const one = voters[random.below(voters.length)]!;
    switch (random.below(5)) {
      case 0:
        return place && { name: 'member added', changes: [{ add: place }] };
      case 1:
        return this.#promote(members) ?? this.#addLearner(place);
      case 2:
        return this.#remove(members);
      case 3:
        return place && { name: 'member replaced', changes: [{ add: place }, { remove: one.id }] };
      default:
        return this.#lose(members, one);
    }
  }

  #addLearner(place: MemberPlace | undefined): Wish | undefined {
    return place && { name: 'learner added', changes: [{ add: { ...place, isLearner: true } }] };
  }

  #promote(members: readonly Member[]): Wish | undefined {
    const learner = members.find(({ isLearner, goal }) => isLearner && goal === MemberGoal.Learner);
    if (learner === undefined) return undefined;
    return { name: 'learner promoted', changes: [{ promote: learner.id }] };
  }

  #remove(members: readonly Member[]): Wish {
    const { random, cluster } = this.#options;
    const leader = cluster.nodes.find(({ node }) => node?.member.raft.role === Role.Leader)?.id;
    const drawn = members[random.below(members.length)]!.id;
    const id = random.below(2) === 0 ? drawn : (leader ?? drawn);
    const name = id === leader ? 'leader removed' : 'member removed';
    return { name, changes: [{ remove: id }], force: random.below(FORCED_ONE_IN) === 0 };
  }

  /** The machine of a voter is lost for good, if the cluster can bear it. */
  #lose(members: readonly Member[], { id }: Member): Wish | undefined {
    const { world, cluster } = this.#options;
    const node = cluster.find(id);
    const voters = members.filter(({ isLearner }) => !isLearner);
    const isBearable = voters.length >= VOTERS_TO_LOSE_ONE && this.#isSettled;
    if (node === undefined || !isBearable) return undefined;
    world.tally.count('machine lost');
    this.#lost = id;
    node.retire('power');
    return this.#replaceLost(members);
  }
}
