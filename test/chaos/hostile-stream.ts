/**
 * Hostile connections, one behind the other: garbage, frames that are damaged behind a good
 * greeting, greetings cut short, connections that say nothing. No request that would change data:
 * that is no attack but a client.
 */

import { connect, type Socket } from 'node:net';
import { NO_NODE } from '../../include/node.ts';
import { ConnectionRole, PROTOCOL_VERSION } from '../../include/rpc.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { writeHello } from '../../src/rpc/connection-codec.ts';
import { mutate } from '../fuzz/mutate.ts';
import { bytesOf } from '../rpc/frames.ts';
import { SAMPLES } from '../rpc/samples.ts';

/** Longest that one holds its connection, in milliseconds. */
const HOLD_MS = 50;

const GREETING = bytesOf((writer) =>
  writeHello(writer, {
    version: PROTOCOL_VERSION,
    role: ConnectionRole.Client,
    clusterId: 0n,
    nodeId: NO_NODE,
    targetId: NO_NODE,
  }),
);

/** What changes nothing: reads, and what nobody takes from a client. */
const HARMLESS = SAMPLES.filter(({ name }) =>
  /^(RANGE|STATUS|LEASE_LIST|MEMBER_LIST|WATCH_|REPLY|PING|PONG|ERROR|SNAPSHOT_|[A-Z][a-z])/.test(
    name,
  ),
);

/** A stream under way. */
export type HostileStream = {
  /** Connections that were made. */
  readonly count: () => number;
  /** Ends it; resolves when the last connection is closed. */
  readonly stop: () => Promise<void>;
};

/** Starts so many at once; each is followed by another. */
export function startHostileStream(
  endpoint: { readonly host: string; readonly port: number },
  seed: number,
  atOnce: number,
): HostileStream {
  let count = 0;
  let isStopping = false;
  const run = async (random: Random): Promise<void> => {
    while (!isStopping) {
      await attack(connect(endpoint), drawAttack(random));
      count += 1;
    }
  };
  const running = Array.from({ length: atOnce }, (_, number) => run(createRandom(seed + number)));
  return {
    count: () => count,
    stop: async () => {
      isStopping = true;
      await Promise.all(running);
    },
  };
}

function drawAttack(random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(5) }, () => {
    const { draw, write } = HARMLESS[random.below(HARMLESS.length)]!;
    const value = draw(random);
    return bytesOf((writer) => write(writer, 1, value));
  });
  const valid = Buffer.concat(frames);
  switch (random.below(4)) {
    case 0:
      return mutate(random, valid, valid);
    case 1:
      return GREETING.subarray(0, random.below(GREETING.length + 1));
    default:
      return Buffer.concat([GREETING, mutate(random, valid, valid)]);
  }
}

/** Says it, and waits until the node hangs up, or not for long. */
function attack(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), HOLD_MS);
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    socket.write(bytes);
  });
}
