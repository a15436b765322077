/** Something of everything in a store. */

import type { Store } from '../../include/kvstore.ts';
import type { Random } from '../../src/random.ts';
import { deleteOf, putOf } from '../kvstore/store-requests.ts';

const CONFIGURATION = { voters: [0, 1], outgoing: [], learners: [] };

/** The keys that it may have. */
export const KEYS: readonly string[] = ['k0', 'k1', 'k2', 'k3', 'k4'];

/** Applies so many commands. */
export function applyRandomCommands(store: Store, random: Random, count: number): void {
  const drawKey = (): string => KEYS[random.below(KEYS.length)]!;
  const commands: readonly (() => void)[] = [
    () => store.put(putOf(drawKey(), 'v'.repeat(random.below(30)))),
    () => store.deleteRange(deleteOf(drawKey(), '')),
    () => store.put(putOf(drawKey(), 'v', { lease: BigInt(1 + random.below(3)) })),
    () => store.leaseGrant({ id: BigInt(1 + random.below(3)), ttlSeconds: 60 }),
    () => store.leaseRevoke({ id: BigInt(1 + random.below(3)) }),
    () => store.compact({ revision: random.below(store.revision() + 1), physical: false }),
    () => store.sessionOpen({ ttlSeconds: 60 }),
  ];
  for (let index = 1; index <= count; index += 1) {
    commands[random.below(commands.length)]!();
    store.setApplied({ index, term: 4, configuration: CONFIGURATION });
  }
}
