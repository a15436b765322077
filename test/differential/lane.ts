/**
 * A kvorum node and an etcd, side by side, each a process with a store of its own; asked by the
 * client library and by JSON, or both by one of etcd's protocols.
 */

import type { Test } from 'tap';
import { type ProcessCluster, startCluster } from '../cluster/processes.ts';
import { freePorts } from '../free-ports.ts';
import { temporaryDirectory } from '../kvstore/map-homes.ts';
import { RealEtcd } from './etcd.ts';
import { GrpcSubject } from './grpc-subject.ts';
import { JsonSubject } from './json-subject.ts';
import { KvorumNode } from './kvorum.ts';
import { type Difference, findDifference } from './run.ts';
import { Side } from './side.ts';
import type { Sequence } from './steps.ts';

/** How kvorum is asked: its own client, or what etcd speaks as well. */
export const PROTOCOLS = ['client', 'json', 'grpc'] as const;
/** One of PROTOCOLS. */
export type Protocol = (typeof PROTOCOLS)[number];

/** A kvorum node with a gateway. */
type Gateway = { readonly cluster: ProcessCluster; readonly port: number };

/** A pair of servers on which one sequence runs at a time. */
export class Lane {
  readonly #test: Test;
  readonly #protocol: Protocol;
  readonly #etcd: Side;
  #cluster: ProcessCluster;
  #kvorum: Side;

  private constructor(test: Test, protocol: Protocol, gateway: Gateway, etcd: RealEtcd) {
    this.#test = test;
    this.#protocol = protocol;
    this.#etcd = etcdSide(test, protocol, etcd.port);
    this.#cluster = gateway.cluster;
    this.#kvorum = kvorumSide(test, protocol, gateway);
  }

  /** Starts both; they end with the test. */
  static async open(test: Test, protocol: Protocol): Promise<Lane> {
    const directory = await temporaryDirectory(test);
    const [gateway, etcd] = await Promise.all([startGateway(test), RealEtcd.start(directory)]);
    test.teardown(() => etcd.stop());
    return new Lane(test, protocol, gateway, etcd);
  }

  /** kvorum first. */
  get sides(): readonly Side[] {
    return [this.#kvorum, this.#etcd];
  }

  /** The first difference in a sequence, on stores that look empty. */
  async difference(sequence: Sequence): Promise<Difference | undefined> {
    if (this.#cluster.node(0).hasEnded) {
      const gateway = await startGateway(this.#test);
      this.#cluster = gateway.cluster;
      this.#kvorum = kvorumSide(this.#test, this.#protocol, gateway);
    }
    return findDifference(this.sides, sequence);
  }
}

async function startGateway(test: Test): Promise<Gateway> {
  const [port = 0] = await freePorts(1);
  const cluster = await startCluster(test, { size: 1, attributes: { 0: `client=${port}` } });
  await cluster.node(0).waitFor((line) => line.event === 'gateway started');
  return { cluster, port };
}

function kvorumSide(test: Test, protocol: Protocol, { cluster, port }: Gateway): Side {
  if (protocol !== 'client') return etcdSide(test, protocol, port);
  const restart = async (): Promise<void> => {
    await cluster.kill(0);
    await cluster.start(0);
  };
  return new Side(new KvorumNode(cluster.client([0]), restart));
}

function etcdSide(test: Test, protocol: Protocol, port: number): Side {
  const subject = protocol === 'grpc' ? new GrpcSubject(port) : new JsonSubject(port);
  test.teardown(() => subject.close());
  return new Side(subject);
}
