/** A real node in this process, for commands to ask. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Client } from '../../include/client.ts';
import { createNode } from '../../src/kvorum.ts';
import { freePorts } from '../free-ports.ts';
import { type Outcome, type RunningCommand, runCommand, startCommand } from './fake-terminal.ts';

/** A node, and ways to run commands on it. */
export type OneNode = {
  readonly endpoint: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly client: Client;
  /** Runs a command line, cut at blanks, or given as words. */
  readonly run: (line: string | readonly string[], input?: string) => Promise<Outcome>;
  readonly start: (line: string | readonly string[]) => RunningCommand;
};

/** Starts a cluster of one node on a free port; stopped when the test ends. */
export async function startOneNode(t: Test): Promise<OneNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kvorum-'));
  const [port = 0] = await freePorts(1);
  const cluster = [{ id: 0, address: '127.0.0.1', port }];
  const node = await createNode({ dataDir, cluster, id: 0 });
  const client = node.client();
  t.teardown(async () => {
    await client.close();
    await node.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const endpoint = `127.0.0.1:${port}`;
  const environment = { KVORUM_ENDPOINTS: endpoint };
  const wordsOf = (line: string | readonly string[]): readonly string[] =>
    typeof line === 'string' ? line.split(' ') : line;
  return {
    endpoint,
    environment,
    client,
    run: (line, input) =>
      runCommand(wordsOf(line), { environment, ...(input === undefined ? {} : { input }) }),
    start: (line) => startCommand(wordsOf(line), environment),
  };
}
