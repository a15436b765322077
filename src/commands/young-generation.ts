/**
 * A bound on the part of the heap where new objects are made.
 *
 * V8 lets it grow to 128 MiB under load and keeps it. A node makes little that lives on, so a
 * quarter of that is collected as cheaply and leaves the memory to the page cache. The size can be
 * limited on Node's command line only, which a packaged binary does not have; its growth can be
 * stopped.
 */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import type { Clock } from '../clock.ts';

/** Bytes from which on the young generation grows no more. */
const YOUNG_BYTES_MAX = 32 * 1024 * 1024;

/** Milliseconds between looks: a load doubles it a few times a second at the most. */
const LOOK_MS = 100;

/** Watches the young generation of this thread until it is as large as it may be. */
export function boundYoungGeneration(clock: Clock): void {
  const timer = clock.every(LOOK_MS, () => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young !== undefined && young.space_size < YOUNG_BYTES_MAX) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    timer.cancel();
  });
}
