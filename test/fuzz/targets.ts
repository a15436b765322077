/** Every decoder that takes bytes from outside. */

import { DISK_TARGETS } from './disk-targets.ts';
import { GATEWAY_TARGETS } from './gateway-targets.ts';
import { SNAPSHOT_TARGETS } from './snapshot-targets.ts';
import type { Target } from './target.ts';
import { TEXT_TARGETS } from './text-targets.ts';
import { WIRE_TARGETS } from './wire-targets.ts';

/** All of them, in an order that stays: a case names its decoder by its number. */
export const TARGETS: readonly Target[] = [
  ...WIRE_TARGETS,
  ...DISK_TARGETS,
  ...SNAPSHOT_TARGETS,
  ...TEXT_TARGETS,
  ...GATEWAY_TARGETS,
];
