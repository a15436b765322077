/**
 * Three nodes of one system as processes of their own, with fresh data directories; more may join.
 *
 * Invariant: every process started here, of a node or a tool, is ended here, by its pid; the
 * directory is removed with it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import type { Command, Layout, System } from './system.ts';

/** Nodes that a cluster is born with. */
const FOUNDER_COUNT = 3;

/** Milliseconds a cluster may take to elect a leader, or a node to catch up or to stop. */
const PATIENCE_MS = 60_000;

/** Milliseconds between two questions while waiting. */
const POLL_MS = 20;

/** Bytes of a dead node's log that are shown. */
const LOG_SHOWN_BYTES = 2_000;

/** A running cluster. */
export class Cluster {
  readonly system: System;
  #layout: Layout;
  readonly #children: (ChildProcess | undefined)[] = [];
  #tool: ChildProcess | undefined;

  private constructor(system: System, layout: Layout) {
    this.system = system;
    this.#layout = layout;
  }

  /** Makes a cluster in a new directory below `parent`; nothing runs yet. */
  static async create(system: System, parent: string): Promise<Cluster> {
    const ports = await freePorts(2 * FOUNDER_COUNT);
    const directory = mkdtempSync(join(parent, `${system.name}-`));
    const peerPorts = ports.slice(0, FOUNDER_COUNT);
    const clientPorts = ports.slice(FOUNDER_COUNT);
    const layout = { directory, peerPorts, clientPorts, founderCount: FOUNDER_COUNT };
    system.prepare(layout);
    return new Cluster(system, layout);
  }

  /** Where its nodes live. */
  get layout(): Layout {
    return this.#layout;
  }

  /** Ports that clients use, by slot. */
  get ports(): readonly number[] {
    return this.layout.clientPorts;
  }

  /** Ports that speak etcd's API, by slot, in a cluster that has them. */
  get etcdPorts(): readonly number[] {
    return this.system.etcdPorts(this.layout);
  }

  /** Pids of the nodes that run. */
  get pids(): number[] {
    return this.#children.flatMap((child) => (child?.pid === undefined ? [] : [child.pid]));
  }

  /** Starts all nodes, without waiting. */
  startAll(): void {
    for (let slot = 0; slot < this.ports.length; slot += 1) this.startNode(slot);
  }

  /** Starts a node that joins the running cluster, without waiting; returns its slot. */
  async addNode(): Promise<number> {
    const [peerPort = 0, clientPort = 0] = await freePorts(2);
    const slot = this.ports.length;
    const peerPorts = [...this.layout.peerPorts, peerPort];
    const clientPorts = [...this.ports, clientPort];
    this.#layout = { ...this.layout, peerPorts, clientPorts };
    const command = this.system.addMember(this.layout, slot);
    if (command !== undefined) await this.#runTool(command);
    this.startNode(slot);
    return slot;
  }

  /** Makes a backup of one node's state, and removes it; returns how long the tool ran. */
  async backUp(slot: number): Promise<number> {
    const path = join(this.layout.directory, 'backup');
    const startedMs = performance.now();
    await this.#runTool(this.system.saveSnapshot(this.layout, slot, path));
    const elapsedMs = performance.now() - startedMs;
    rmSync(path);
    return elapsedMs;
  }

  /** Compacts, until what goes is removed. */
  async compact(slot: number, revision: number): Promise<void> {
    await this.#runTool(this.system.compact(this.layout, slot, revision));
  }

  /** Starts one node, without waiting. */
  startNode(slot: number): void {
    if (this.#children[slot] !== undefined) throw new Error(`node ${slot} runs already`);
    const { file, args, env } = this.system.command(this.layout, slot);
    const log = openSync(this.#logPath(slot), 'a');
    const child = spawn(file, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    child.once('error', (error) => console.error(`${file}: ${error.message}`));
    child.once('exit', () => {
      this.#children[slot] = undefined;
    });
    this.#children[slot] = child;
  }

  /** Ends one node with `signal` and waits until it is gone. */
  async endNode(slot: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children[slot];
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const hammer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await gone;
    clearTimeout(hammer);
  }

  /** Stops all nodes as an operator would. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#children.map((_, slot) => this.endNode(slot, 'SIGTERM')));
  }

  /** The slot of the leader, once all nodes run, know a leader and have applied what it has. */
  async settled(): Promise<number> {
    return await this.#until('settle', async () => {
      const states = await Promise.all(this.ports.map((port) => this.system.state(port)));
      const leaderSlot = states.findIndex((state) => state.isLeader);
      const leader = states[leaderSlot];
      if (leader === undefined || !states.every((state) => state.hasLeader)) return undefined;
      const isEven = states.every((state) => state.appliedIndex >= leader.appliedIndex);
      return isEven ? leaderSlot : undefined;
    });
  }

  /** Ends all nodes at once and removes their data. */
  destroy(): void {
    for (const child of [...this.#children, this.#tool]) child?.kill('SIGKILL');
    rmSync(this.layout.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Runs a tool to its end. */
  async #runTool({ file, args, env }: Command): Promise<void> {
    const tool = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#tool = tool;
    let complaint = '';
    tool.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk).slice(-LOG_SHOWN_BYTES);
    });
    const [code] = await once(tool, 'close');
    this.#tool = undefined;
    if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${complaint}`);
  }

  async #until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    let lastError: unknown;
    while (performance.now() < deadlineMs) {
      this.#checkAlive();
      const found = await probe().catch((error: unknown) => {
        lastError = error;
        return undefined;
      });
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const detail = `${this.system.name} did not ${what} in ${PATIENCE_MS / 1_000} s`;
    throw new Error(`${detail}${this.#lastLogLines(0)}`, { cause: lastError });
  }

  #checkAlive(): void {
    for (let slot = 0; slot < this.ports.length; slot += 1) {
      if (this.#children[slot] !== undefined) continue;
      throw new Error(`${this.system.name} node ${slot} ended${this.#lastLogLines(slot)}`);
    }
  }

  #lastLogLines(slot: number): string {
    return `; its log ends:\n${readFileSync(this.#logPath(slot), 'utf8').slice(-LOG_SHOWN_BYTES)}`;
  }

  #logPath(slot: number): string {
    return join(this.layout.directory, `n${slot}.log`);
  }
}
