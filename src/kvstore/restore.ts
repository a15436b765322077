/**
 * A store made from a snapshot, for a new cluster: what the snapshot holds, with other members, and
 * at a later revision if that is wanted.
 *
 * Alarms go: who raised them is no member of the new cluster, where a node that has the same number
 * would be taken for it.
 *
 * Index and term stay: sessions are named by the index of their entry, and a new one must never be
 * given the name of an old one.
 */

import type { AppliedPosition, SnapshotChanges, StoreHome } from '../../include/kvstore.ts';
import { saveAlarms } from './alarm-record.ts';
import { compact } from './compaction.ts';
import { SnapshotImport } from './snapshot-import.ts';
import { hashMap } from './snapshot-summary.ts';
import { loadState, saveState } from './store-state.ts';

/** What a restored store is. */
export type RestoredStore = {
  readonly applied: AppliedPosition;
  readonly revision: number;
  /** As SnapshotFacts.hash, read back from the new store. */
  readonly hash: number;
};

/**
 * Fills the store of a home, which must be empty.
 *
 * @param chunks the stream of a snapshot, cut anywhere
 * @throws KvorumError, StoreError (as rejection): the snapshot is damaged, or the disk failed
 */
export async function restoreStore(
  home: StoreHome,
  chunks: AsyncIterable<Buffer>,
  changes: SnapshotChanges,
): Promise<RestoredStore> {
  const map = await home.open();
  try {
    const stream = new SnapshotImport(map);
    for await (const chunk of chunks) await stream.write(chunk);
    const { index, term } = await stream.finish();
    const state = loadState(map, home.path);
    state.applied = { index, term, configuration: changes.configuration };
    state.revision += changes.bumpRevision;
    saveAlarms(map, []);
    if (changes.marksCompacted) compact(state, { revision: state.revision, physical: false });
    saveState(state);
    await map.flush();
    return { applied: state.applied, revision: state.revision, hash: hashMap(map) };
  } finally {
    await map.close();
  }
}
