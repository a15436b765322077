/**
 * The load generator's process: takes one job at a time from its parent, answers with the result.
 * A process of its own, so that reading tables and logs never steals time from the requests.
 */

import { type FanOutJob, type FanOutResult, runFanOut } from './fan-out.ts';
import { type LoadJob, type LoadResult, runLoad } from './load.ts';

/** What the process is asked. */
export type GeneratorJob =
  | { readonly kind: 'load'; readonly job: LoadJob }
  | { readonly kind: 'fan-out'; readonly job: FanOutJob }
  /** Ends the window of the load under way; answered by that one's result. */
  | { readonly kind: 'finish' };

/** What the process answers. */
export type GeneratorReply<T> = { readonly result: T } | { readonly error: string };

let finishing = new AbortController();

process.on('message', (asked: GeneratorJob) => {
  if (asked.kind === 'finish') return finishing.abort();
  finishing = new AbortController();
  const result =
    asked.kind === 'load' ? runLoad(asked.job, finishing.signal) : runFanOut(asked.job);
  result.then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) }),
  );
});

function reply(message: GeneratorReply<LoadResult | FanOutResult>): void {
  process.send?.(message);
}
