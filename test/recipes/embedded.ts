/** For tests: a node inside the test, and clients of it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Client, createNode } from '../../src/kvorum.ts';

/** Seconds of the shortest lease that the node grants: 1.5 elections, rounded up. */
export const SHORT_TTL_SECONDS = 1;

/** Starts a node; returns how to make clients of it. All are gone when the test ends. */
export async function startNode(t: Test): Promise<() => Client> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kvorum-recipes-'));
  const node = await createNode({ dataDir, heartbeatMs: 20, electionMs: 200 });
  const clients: Client[] = [];
  t.teardown(async () => {
    for (const client of clients) await client.close();
    await node.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return () => {
    const client = node.client();
    clients.push(client);
    return client;
  };
}

/** Resolves when a signal aborts, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

/** Resolves once so many keys are below a name: contenders have entered a queue. */
export async function keysBelow(client: Client, name: string, count: number): Promise<void> {
  const reply = await client.range(`${name}/`, { prefix: true, keysOnly: true });
  let found = reply.kvs.length;
  if (found >= count) return;
  const watcher = client.watch(`${name}/`, {
    prefix: true,
    startRevision: reply.revision + 1,
    noDelete: true,
  });
  for await (const { events } of watcher) {
    found += events.length;
    if (found >= count) break;
  }
  await watcher.close();
}
