/** One node of a run: the packaged binary as a process, killed, frozen and started again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Leavings } from './leavings.ts';

/** What a node is made from. */
export type NodeOptions = {
  readonly id: number;
  readonly endpoint: string;
  /** What is run to serve; its first word is the program. */
  readonly command: readonly string[];
  /** The directory it runs in. */
  readonly directory: string;
  /** Where its output goes. */
  readonly logPath: string;
  readonly leavings: Leavings;
  /** Told when it ends and nobody asked it to. */
  readonly onUnasked: (node: NodeProcess, how: string) => void;
};

/** A node. */
export class NodeProcess {
  readonly id: number;
  readonly endpoint: string;
  readonly #options: NodeOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(0);
  #isAsked = false;
  #isFrozen = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.id = options.id;
    this.endpoint = options.endpoint;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Starts it, unless it runs; one that is about to end is started behind that. */
  start(): void {
    if (this.#child !== undefined) {
      if (this.#isAsked) void this.#ended.then(() => this.start());
      return;
    }
    const { command, directory, logPath, leavings, onUnasked } = this.#options;
    const [file = '', ...args] = command;
    const log = openSync(logPath, 'a');
    const child = spawn(file, args, { cwd: directory, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#isAsked = false;
    this.#isFrozen = false;
    const forget = leavings.add(() => child.kill('SIGKILL'));
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => onUnasked(this, error.message));
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        forget();
        resolve(code);
        if (!this.#isAsked) onUnasked(this, `exit code ${code ?? signal}`);
      });
    });
  }

  /** Ends it as `kill -9` does. */
  async kill(): Promise<void> {
    this.#isAsked = true;
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks it to stop. @returns its exit code */
  async stop(): Promise<number | null> {
    this.thaw();
    this.#isAsked = true;
    this.#child?.kill('SIGTERM');
    return await this.#ended;
  }

  /** It stands still. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
    this.#isFrozen = this.#child !== undefined;
  }

  /** It goes on. */
  thaw(): void {
    if (this.#isFrozen) this.#child?.kill('SIGCONT');
    this.#isFrozen = false;
  }

  /** How often its log tells of an event. */
  count(event: string): number {
    return readFileSync(this.#options.logPath, 'utf8').split(`"event":"${event}"`).length - 1;
  }
}
