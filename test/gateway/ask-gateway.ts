/** A gateway that is asked over HTTP, in front of any node: of one that is hung too. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Test } from 'tap';
import { LIVE_TIMEOUT_MS } from '../../include/gateway.ts';
import { NO_LOG } from '../../include/log.ts';
import { ConnectionRole, PROTOCOL_VERSION } from '../../include/rpc.ts';
import { type Clock, createSystemClock } from '../../src/clock.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import { createRandom } from '../../src/random.ts';
import { writeHello } from '../../src/rpc/connection-codec.ts';
import { nextTick } from '../cluster/processes.ts';
import { bytesOf } from '../rpc/frames.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

/** Waits for something while time passes, if the test makes it pass. */
export async function during<T>(promise: Promise<T>, clock: Clock): Promise<T> {
  let isSettled = !(clock instanceof ManualClock);
  const settled = promise.finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    if (clock instanceof ManualClock) clock.advance(LIVE_TIMEOUT_MS / 4);
    await nextTick();
  }
  return await settled;
}

/** Starts a gateway in front of a node; returns how to ask for a page. */
export async function openGateway(
  t: Test,
  endpoint: string,
  clusterId: bigint,
  clock: Clock = createSystemClock(),
) {
  const gateway = await startGateway({
    listens: [{ host: '127.0.0.1', port: 0 }],
    endpoint,
    clusterId,
    nodeId: 0,
    clock,
    random: createRandom(1),
    log: NO_LOG,
  });
  t.teardown(() => during(gateway.stop(), clock));
  const base = `http://127.0.0.1:${gateway.ports[0]}`;
  return async (path: string, init?: RequestInit) => {
    const response = await fetch(`${base}${path}`, init);
    return { status: response.status, text: await response.text() };
  };
}

/** A process that holds its port and does nothing but say HELLO: a node whose event loop hangs. */
export async function startHung(t: Test): Promise<string> {
  const hello = {
    version: PROTOCOL_VERSION,
    role: ConnectionRole.Client,
    clusterId: 7n,
    nodeId: 0,
    targetId: -1,
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(bytesOf((writer) => writeHello(writer, hello)));
    t.teardown(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
