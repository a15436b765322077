/**
 * Brings log and store together when a node starts.
 *
 * The store may be ahead: it applies what a majority has, maybe before the own log has it, and a
 * snapshot is in the store before the log says so. Then the log starts anew behind what is applied,
 * all of which is committed. It may not be behind what the log has dropped.
 */

import { FaultKind, NodeFault } from '../../include/node.ts';
import type { Store } from '../kvstore/store.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Recovered } from './wal/recover.ts';
import type { Wal } from './wal/wal.ts';

/**
 * Returns what was recovered, as the store has it.
 *
 * @throws NodeFault StoreBehind
 */
export function reconcile(
  wal: Wal,
  recovered: Recovered,
  store: Store,
  directory: DataDirectory,
): Recovered {
  const applied = store.applied();
  if (applied.index < recovered.snapshot.index) {
    const start = recovered.snapshot.index;
    const what = `the store ends at entry ${applied.index}, the log starts behind ${start}`;
    const remedy = 'put back the store that belongs to this log';
    throw new NodeFault(FaultKind.StoreBehind, what, { path: directory.storePath, remedy });
  }
  if (applied.index <= wal.lastIndex) return recovered;
  wal.saveSnapshot(applied);
  return { ...recovered, snapshot: applied, entries: [] };
}
