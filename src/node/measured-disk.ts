/** A disk that measures what the log waits for: each write, which is synced when it calls back. */

import type { Clock } from '../clock.ts';
import type { Disk } from './disk.ts';
import type { NodeMetrics } from './node-metrics.ts';

/** Makes a disk that counts into `metrics` what it asks of `disk`. */
export function createMeasuredDisk(
  disk: Disk,
  clock: Pick<Clock, 'nowMs'>,
  metrics: NodeMetrics,
): Disk {
  return {
    ...disk,
    write: (file, chunks, offset, done) => {
      const beganMs = clock.nowMs();
      for (let slot = 0; slot < chunks.length; slot += 1) {
        metrics.logWrittenBytes += chunks[slot]!.length;
      }
      disk.write(file, chunks, offset, (error) => {
        metrics.logWrites.observe((clock.nowMs() - beganMs) / 1_000);
        done(error);
      });
    },
  };
}
