/** The parent's side of the load generator's process. */

import { type ChildProcess, fork } from 'node:child_process';
import type { GeneratorReply } from './generator.ts';
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
  async run(job: LoadJob): Promise<LoadResult> {
    const reply = await new Promise<GeneratorReply>((resolve) => {
      const onExit = (): void => resolve({ error: 'the generator process died' });
      this.#child.once('exit', onExit);
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit);
        resolve(message as GeneratorReply);
      });
      this.#child.send(job);
    });
    if ('error' in reply) throw new Error(reply.error);
    return reply.result;
  }

  /** Ends the process. */
  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
