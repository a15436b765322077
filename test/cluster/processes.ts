/**
 * Real nodes as processes, on free ports, in a directory of their own: what the process tests
 * drive. Only processes started here are ever signalled, by id.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import type { Client } from '../../include/client.ts';
import { Role } from '../../include/node.ts';
import type { StatusReply } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { freePorts } from '../free-ports.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const OLDER_NODE = resolve(import.meta.dirname, 'older-node.ts');

/** One line of a node's log. */
export type LogLine = { readonly event: string; readonly [field: string]: unknown };

/** How a process ended. */
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A node as a process. */
export class NodeProcess {
  readonly id: number;
  readonly endpoint: string;
  readonly lines: LogLine[] = [];
  errorOutput = '';
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #listeners: (() => void)[] = [];

  constructor(
    id: number,
    endpoint: string,
    args: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>> = {},
    program = MAIN,
  ) {
    this.id = id;
    this.endpoint = endpoint;
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line.startsWith('{') ? JSON.parse(line) : { event: line });
      for (const listener of this.#listeners) listener();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.errorOutput += chunk.toString();
      for (const listener of this.#listeners) listener();
    });
    this.ended = new Promise((done) => {
      child.once('close', (code, signal) => {
        done({ code, signal });
        for (const listener of this.#listeners) listener();
      });
    });
  }

  /** Whether it has not ended. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal to this process. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it has ended, by itself or killed. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Waits for a line that `isMeant` accepts, from line `from` on. Rejects when the process ends.
   */
  waitFor(isMeant: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    return this.#until(() => this.lines.slice(from).find(isMeant));
  }

  /** Waits until its error output matches. Rejects when the process ends. */
  async untilTold(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.exec(this.errorOutput) ?? undefined);
  }

  /** Looks whenever it has written something. */
  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.hasEnded) {
        throw new Error(
          `node ${this.id} ended: ${this.errorOutput}${JSON.stringify(this.lines.at(-1))}`,
        );
      }
      await new Promise<void>((done) => {
        const listener = (): void => {
          this.#listeners = this.#listeners.filter((each) => each !== listener);
          done();
        };
        this.#listeners.push(listener);
      });
    }
  }
}

/** What a cluster of processes is started with. */
export type ClusterOptions = {
  /** How many nodes; 3 when left out. */
  readonly size?: number;
  /** Further flags of `kvorum serve`. */
  readonly flags?: readonly string[];
  /** Attributes behind a node's line of nodes.conf. */
  readonly attributes?: Readonly<Record<number, string>>;
};

/** A cluster of processes. */
export class ProcessCluster {
  readonly directory: string;
  readonly endpoints: string[];
  readonly nodes: (NodeProcess | undefined)[] = [];
  /** How many nodes nodes.conf names; those after them joined. */
  readonly #bornCount: number;
  readonly #flags: readonly string[];
  readonly #started: NodeProcess[] = [];
  readonly #clients: Client[] = [];

  constructor(directory: string, endpoints: readonly string[], flags: readonly string[]) {
    this.directory = directory;
    this.endpoints = [...endpoints];
    this.#bornCount = endpoints.length;
    this.#flags = flags;
  }

  /**
   * Starts a node, again or for the first time, maybe with more flags and in another environment;
   * resolves when it serves.
   */
  async start(
    id: number,
    more: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<NodeProcess> {
    const endpoint = this.endpoints[id] ?? '';
    const isBorn = id < this.#bornCount;
    const running = this.endpoints.filter(
      (_, other) => other !== id && this.nodes[other]?.isRunning,
    );
    const place = isBorn
      ? ['--id', String(id), '--conf', 'nodes.conf']
      : ['--join', running.join() || endpoint, '--listen', endpoint];
    const flags = [...place, '--data-dir', `node-${id}`, ...this.#flags, ...more];
    const args = ['serve', ...flags];
    return this.#add(new NodeProcess(id, endpoint, args, this.directory, environment));
  }

  /** Starts a node that speaks an older version of the protocol; resolves when it serves. */
  startOlder(id: number, version: number): Promise<NodeProcess> {
    const args = [String(id), 'nodes.conf', `node-${id}`, String(version)];
    const endpoint = this.endpoints[id] ?? '';
    return this.#add(new NodeProcess(id, endpoint, args, this.directory, {}, OLDER_NODE));
  }

  async #add(node: NodeProcess): Promise<NodeProcess> {
    this.#started.push(node);
    this.nodes[node.id] = node;
    await node.waitFor((line) => line.event === 'node started');
    return node;
  }

  /** A place for the next node to join, whose id will be the number of nodes so far. */
  async choosePlace(): Promise<{ readonly id: number; readonly port: number }> {
    const [port = 0] = await freePorts(1);
    this.endpoints.push(`127.0.0.1:${port}`);
    return { id: this.endpoints.length - 1, port };
  }

  /** Starts one more node, which joins the running ones. */
  async join(): Promise<NodeProcess> {
    const { id } = await this.choosePlace();
    return this.start(id);
  }

  /** Kills a node as a power cut would end its process, and waits until it is gone. */
  async kill(id: number): Promise<void> {
    const node = this.node(id);
    node.kill('SIGKILL');
    await node.ended;
  }

  /** A node that was started. */
  node(id: number): NodeProcess {
    const node = this.nodes[id];
    if (node === undefined) throw new Error(`node ${id} was not started`);
    return node;
  }

  /** A client of some nodes, or of all; closed with the cluster. */
  client(ids?: readonly number[], requestTimeoutMs = 10_000): Client {
    const endpoints = (ids ?? [...this.endpoints.keys()]).map((id) => this.endpoints[id] ?? '');
    const client = connect({ endpoints, requestTimeoutMs });
    this.#clients.push(client);
    return client;
  }

  /** Asks nodes for their status until one says it leads, and the asked ones agree. */
  async leader(ids?: readonly number[]): Promise<StatusReply> {
    const asked = ids ?? [...this.endpoints.keys()];
    const client = this.client(asked);
    for (;;) {
      const replies = await Promise.all(
        asked.map((id) =>
          client.status({ endpoint: this.endpoints[id] ?? '' }).catch(() => undefined),
        ),
      );
      const leader = replies.find((reply) => reply?.role === Role.Leader);
      const agree = replies.every((reply) => reply?.leader === leader?.nodeId);
      if (leader !== undefined && agree) return leader;
      await nextTick();
    }
  }

  /** Ends every process started here and removes the directory. */
  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    for (const node of this.#started) node.kill('SIGKILL');
    await Promise.all(this.#started.map((node) => node.ended));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Makes a cluster whose nodes are not started yet; closed when the test ends. */
export async function createCluster(
  t: Test,
  { size = 3, flags = [], attributes = {} }: ClusterOptions = {},
): Promise<ProcessCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'kvorum-'));
  const ports = await freePorts(size);
  const lines = ports.map((port, id) => `${id} 127.0.0.1 ${port} ${attributes[id] ?? ''}`);
  await writeFile(join(directory, 'nodes.conf'), `${lines.join('\n')}\n`);
  const endpoints = ports.map((port) => `127.0.0.1:${port}`);
  const cluster = new ProcessCluster(directory, endpoints, flags);
  t.teardown(() => cluster.close());
  return cluster;
}

/** Makes a cluster and starts all its nodes. */
export async function startCluster(t: Test, options: ClusterOptions = {}): Promise<ProcessCluster> {
  const cluster = await createCluster(t, options);
  await Promise.all(cluster.endpoints.map((_, id) => cluster.start(id)));
  return cluster;
}

/** Runs a command of the terminal client to its end. */
export async function runCommand(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): Promise<{
  readonly code: number | null;
  readonly output: string;
  readonly errorOutput: string;
}> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
  });
  let output = '';
  let errorOutput = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errorOutput += chunk.toString();
  });
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, output, errorOutput };
}

/** Lets other events happen between two questions. */
export function nextTick(): Promise<void> {
  return new Promise((done) => setTimeout(done, 5));
}
