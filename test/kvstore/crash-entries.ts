/**
 * Entries made from a seed and their index, so that any state can be made again from its applied
 * index.
 */

import type { Store } from '../../include/kvstore.ts';
import { createRandom } from '../../src/random.ts';
import { deleteOf, putOf } from './store-requests.ts';

/** Applies the next entry. */
export function applyEntry(store: Store, seed: number): void {
  const index = store.applied().index + 1;
  const random = createRandom(seed * 1_000_003 + index);
  const choice = random.below(100);
  if (choice < 85) {
    store.put(putOf(`key-${random.below(300)}`, `${index}`.repeat(1 + random.below(50))));
  } else if (choice < 99) {
    store.deleteRange(deleteOf(`key-${random.below(300)}`));
  } else {
    store.compact({ revision: Math.max(0, store.revision() - random.below(500)), physical: false });
  }
  const configuration = { voters: [index], outgoing: [], learners: [] };
  store.setApplied({ index, term: 1 + Math.floor(index / 1000), configuration });
}
