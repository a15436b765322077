/**
 * A data directory made from a snapshot, for a member of a new cluster: all members are made so,
 * each on its machine, of one snapshot and one list of members.
 *
 * It is made beside its place and put there by one rename, so that a crash leaves nothing that a
 * node could start from. Log and store begin behind the snapshot's entry, in its term.
 */

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { SnapshotChanges } from '../../include/kvstore.ts';
import {
  type ClusterConfig,
  type Configuration,
  FaultKind,
  NO_NODE,
  NodeFault,
  type NodeId,
} from '../../include/node.ts';
import { createLmdbHome } from '../kvstore/lmdb-home.ts';
import { type RestoredStore, restoreStore } from '../kvstore/restore.ts';
import { createRandom, drawSeed } from '../random.ts';
import {
  type DataDirectory,
  openDataDirectory,
  readIdentity,
  syncDirectory,
} from './data-directory.ts';
import { createSystemDisk } from './disk.ts';
import { openWal } from './wal/wal.ts';

/** What is restored, and for whom. */
export type RestoreOptions = {
  /** Where to; empty, or not there. */
  readonly dataDir: string;
  readonly nodeId: NodeId;
  /** The list of members it will be started with, and the new cluster. */
  readonly bornId: bigint;
  readonly clusterId: bigint;
  readonly configuration: Configuration;
  /** The stream of the snapshot. */
  readonly chunks: AsyncIterable<Buffer>;
  /** The checksum of its content (SnapshotFacts.hash). */
  readonly hash: number;
} & Pick<SnapshotChanges, 'bumpRevision' | 'marksCompacted'>;

/**
 * The id of a cluster that is made from a snapshot: the same for all who restore it alike, and no
 * other cluster's.
 *
 * @param bornId of its list of members
 * @param sha256 of the snapshot
 * @param token tells two clusters apart that are restored alike
 */
export function restoredClusterId(bornId: bigint, sha256: Buffer, token: string): bigint {
  const hash = createHash('sha1').update(`${bornId} ${token} `).update(sha256);
  return hash.digest().readBigUInt64BE(0);
}

/** The cluster of a directory that was restored: as nodes.conf has it, by the id it got then. */
export function restoredCluster(cluster: ClusterConfig, dataDir: string): ClusterConfig {
  const identity = readIdentity(dataDir);
  if (identity?.bornId !== cluster.clusterId) return cluster;
  return { ...cluster, clusterId: identity.clusterId };
}

/**
 * Makes the directory.
 *
 * @throws NodeFault, StoreError, KvorumError (as rejection): nothing is left behind
 */
export async function restoreDirectory(options: RestoreOptions): Promise<RestoredStore> {
  const path = resolve(options.dataDir);
  refuseUsed(path);
  const draft = `${path}.restoring`;
  fs.rmSync(draft, { recursive: true, force: true });
  try {
    const restored = await fill(draft, options);
    // An empty directory gives way to the rename.
    fs.renameSync(draft, path);
    syncDirectory(dirname(path));
    return restored;
  } catch (cause) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (cause instanceof Error && 'syscall' in cause) throw unwritable(path, cause);
    throw cause;
  }
}

/** Fills a directory that is nobody's yet. */
async function fill(path: string, options: RestoreOptions): Promise<RestoredStore> {
  const { clusterId, nodeId, bornId } = options;
  const directory = await openDataDirectory({ path, clusterId, nodeId, bornId });
  try {
    const restored = await restoreStore(createLmdbHome(path), options.chunks, options);
    if (restored.hash !== options.hash) {
      const what = `the restored store has hash ${restored.hash}, the snapshot ${options.hash}`;
      throw new NodeFault(FaultKind.DiskFailed, what, { path, remedy: 'check the disk' });
    }
    await beginLog(directory, options, restored);
    directory.confirm();
    return restored;
  } finally {
    await directory.close();
  }
}

/** A log that starts behind the snapshot. Its vote in that term was the old cluster's affair. */
async function beginLog(
  { walPath: directory }: DataDirectory,
  { clusterId, nodeId }: RestoreOptions,
  { applied }: RestoredStore,
): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  const { wal } = openWal({
    ...{ clusterId, nodeId, directory, disk: createSystemDisk() },
    mayCreate: true,
    initial: applied,
    randomBelow: createRandom(drawSeed()).below,
    onSynced: () => {},
    onFatal: reject,
  });
  wal.append({ term: applied.term, vote: NO_NODE, commit: applied.index }, [], true);
  wal.close(done);
  await promise;
}

function refuseUsed(path: string): void {
  if (!fs.existsSync(path)) return;
  if (fs.statSync(path).isDirectory() && fs.readdirSync(path).length === 0) return;
  throw new NodeFault(FaultKind.DirectoryUnusable, 'it is not an empty directory', {
    path,
    remedy: 'restore to another --data-dir, or move this one away',
  });
}

function unwritable(path: string, cause: Error): NodeFault {
  return new NodeFault(FaultKind.DirectoryUnusable, `it cannot be restored to: ${cause.message}`, {
    path,
    remedy: 'give --data-dir a directory that this user may make, and no mount point',
    cause,
  });
}
