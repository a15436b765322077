/**
 * How V8 keeps the heap of a thread that serves.
 *
 * It lets the part where new objects are made grow to 128 MiB under load and keeps it. A node makes
 * little that lives on, so a quarter of that is collected as cheaply and leaves the memory to the
 * page cache. The size can be limited on Node's command line only, which a packaged binary does not
 * have; its growth can be stopped.
 *
 * And whenever buffers have taken some more memory, most of it garbage in a moment, it marks the
 * whole heap, in steps of 5 to 10 ms. Buffers may count like other objects instead: a node that
 * removes a million keys then collects its whole heap once, not ten times, and takes no such steps.
 */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import type { Clock } from '../clock.ts';

/** Bytes from which on the young generation grows no more. */
const YOUNG_BYTES_MAX = 32 * 1024 * 1024;

/** Milliseconds between looks: a load doubles it a few times a second at the most. */
const LOOK_MS = 100;

/** Sets what can be set, and watches the young generation until it is as large as it may be. */
export function tuneHeap(clock: Clock): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  const timer = clock.every(LOOK_MS, () => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young !== undefined && young.space_size < YOUNG_BYTES_MAX) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    timer.cancel();
  });
}
