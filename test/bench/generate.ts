/** The parent's side of the load generator's process. */

import { type ChildProcess, fork } from 'node:child_process';
import type { FanOutJob, FanOutResult } from './fan-out.ts';
import type { GeneratorJob, GeneratorReply } from './generator.ts';
import type { LoadJob, LoadResult } from './load.ts';

/** A running generator process. */
export class Generator {
  readonly #child: ChildProcess;

  /** Starts the process. */
  constructor() {
    this.#child = fork(new URL('./generator.ts', import.meta.url), { stdio: 'inherit' });
  }

  /**
   * Runs one job; only one at a time.
   *
   * @throws Error with what the generator says went wrong
   */
  run(job: LoadJob): Promise<LoadResult> {
    return this.#ask<LoadResult>({ kind: 'load', job });
  }

  /** Ends the window of the load that runs. */
  finish(): void {
    this.#child.send({ kind: 'finish' } satisfies GeneratorJob);
  }

  /** The same, for watchers. */
  fanOut(job: FanOutJob): Promise<FanOutResult> {
    return this.#ask<FanOutResult>({ kind: 'fan-out', job });
  }

  /** Ends the process. */
  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask<T>(asked: GeneratorJob): Promise<T> {
    const reply = await new Promise<GeneratorReply<T>>((resolve) => {
      const onExit = (): void => resolve({ error: 'the generator process died' });
      this.#child.once('exit', onExit);
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit);
        resolve(message as GeneratorReply<T>);
      });
      this.#child.send(asked);
    });
    if ('error' in reply) throw new Error(reply.error);
    return reply.result;
  }
}
