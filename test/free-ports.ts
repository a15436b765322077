/** TCP ports that nobody listens on. */

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Where they are looked for: below the ports that the system gives to outgoing connections, of
 * which there are many, so that none is taken between this and its use.
 */
const FIRST_PORT = 10_240;
const PORTS_END = 32_768;

/** Finds `count` different free ports of 127.0.0.1: all are held at once, then let go. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const release: (() => Promise<void>)[] = [];
  while (ports.length < count) {
    const port = randomInt(FIRST_PORT, PORTS_END);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    ports.push(port);
    release.push(() => new Promise((resolve) => server.close(() => resolve())));
  }
  for (const run of release) await run();
  return ports;
}
