/** Work spread over the processors, by workers that take one job after the other. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Most of what a run allocates is garbage soon: the larger the nursery, the less is moved. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 96 };

/**
 * Has all jobs done.
 *
 * @param file what a worker runs: it answers each job that it is sent with a report
 * @param told called with each report, in the order in which they come
 */
export async function doAll<Report>(
  file: URL,
  jobs: readonly (number | string)[],
  told: (report: Report) => void,
): Promise<void> {
  const left = jobs.values();
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(file, { resourceLimits: RESOURCE_LIMITS });
      const give = (): void => {
        const { value, done } = left.next();
        if (done) void worker.terminate().then(() => resolve());
        else worker.postMessage(value);
      };
      worker.on('error', reject);
      worker.on('message', (report: Report) => {
        told(report);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, run));
}
