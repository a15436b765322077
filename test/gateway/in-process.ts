/** A gateway in this process, before a node in this process. */

import type { Duplex } from 'node:stream';
import type { Test } from 'tap';
import type { Client } from '../../include/client.ts';
import type { Log } from '../../include/log.ts';
import { createSystemClock } from '../../src/clock.ts';
import { type GatewayOptions, startGateway } from '../../src/gateway/gateway.ts';
import { createRandom } from '../../src/random.ts';
import { openTcp } from '../../src/rpc/dial.ts';
import { startOneNode } from '../commands/one-node.ts';

const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A gateway and its node. */
export type InProcess = {
  /** Of the gateway. */
  readonly port: number;
  /** A client of the node. */
  readonly client: Client;
  /** Bytes that the node has told the gateway. */
  readonly toldBytes: () => number;
};

/** Starts both, the node until it leads; they end with the test. */
export async function startInProcess(
  t: Test,
  limits: Pick<GatewayOptions, 'connectionsMax'> = {},
): Promise<InProcess> {
  const { endpoint, client } = await startOneNode(t);
  // Its status a node tells before it leads, a linearizable read only when it does.
  await client.get('any');
  const { clusterId } = await client.status();
  let toldBytes = 0;
  const openStream = (address: string, port: number): Duplex => {
    const stream = openTcp(address, port);
    stream.on('data', (chunk: Buffer) => {
      toldBytes += chunk.length;
    });
    return stream;
  };
  const gateway = await startGateway({
    ...{ endpoint, clusterId, nodeId: 0, openStream, log: QUIET },
    ...{ clock: createSystemClock(), random: createRandom(1) },
    listens: [{ host: '127.0.0.1', port: 0 }],
    ...limits,
  });
  t.teardown(() => gateway.stop());
  return { port: gateway.ports[0]!, client, toldBytes: () => toldBytes };
}
