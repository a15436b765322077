/**
 * The load generator's process: takes one job at a time from its parent, answers with the result.
 * A process of its own, so that reading tables and logs never steals time from the requests.
 */

import { type LoadJob, type LoadResult, runLoad } from './load.ts';

/** What the process answers. */
export type GeneratorReply = { readonly result: LoadResult } | { readonly error: string };

process.on('message', (job: LoadJob) => {
  runLoad(job).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) }),
  );
});

function reply(message: GeneratorReply): void {
  process.send?.(message);
}
