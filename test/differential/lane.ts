/** A kvorum node and an etcd, side by side, each a process with a store of its own. */

import type { Test } from 'tap';
import { type ProcessCluster, startCluster } from '../cluster/processes.ts';
import { temporaryDirectory } from '../kvstore/map-homes.ts';
import { RealEtcd } from './etcd.ts';
import { KvorumNode } from './kvorum.ts';
import { type Difference, findDifference } from './run.ts';
import { Side } from './side.ts';
import type { Sequence } from './steps.ts';

/** A pair of servers on which one sequence runs at a time. */
export class Lane {
  readonly #test: Test;
  readonly #etcd: Side;
  #cluster: ProcessCluster;
  #kvorum: Side;

  private constructor(test: Test, cluster: ProcessCluster, etcd: RealEtcd) {
    this.#test = test;
    this.#etcd = new Side(etcd);
    this.#cluster = cluster;
    this.#kvorum = sideOf(cluster);
  }

  /** Starts both; they end with the test. */
  static async open(test: Test): Promise<Lane> {
    const directory = await temporaryDirectory(test);
    const [cluster, etcd] = await Promise.all([
      startCluster(test, { size: 1 }),
      RealEtcd.start(directory),
    ]);
    test.teardown(() => etcd.stop());
    return new Lane(test, cluster, etcd);
  }

  /** kvorum first. */
  get sides(): readonly Side[] {
    return [this.#kvorum, this.#etcd];
  }

  /** The first difference in a sequence, on stores that look empty. */
  async difference(sequence: Sequence): Promise<Difference | undefined> {
    if (this.#cluster.node(0).hasEnded) {
      this.#cluster = await startCluster(this.#test, { size: 1 });
      this.#kvorum = sideOf(this.#cluster);
    }
    return findDifference(this.sides, sequence);
  }
}

function sideOf(cluster: ProcessCluster): Side {
  const restart = async (): Promise<void> => {
    await cluster.kill(0);
    await cluster.start(0);
  };
  return new Side(new KvorumNode(cluster.client([0]), restart));
}
