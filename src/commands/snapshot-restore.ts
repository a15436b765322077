/** `kvorum snapshot restore FILE`: the data directory of a member of a new cluster. */

import type { ClusterConfig, NodeConfig } from '../../include/node.ts';
import { nodeOf, parseNodesConf } from '../node/nodes-conf.ts';
import { restoreDirectory, restoredClusterId } from '../node/restore.ts';
import { firstConfiguration } from '../node/roster.ts';
import type { CommandContext } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { ProgressLine, progressBar } from './progress-line.ts';
import { type FlagReader, flagReader, readConf, readDataDir, readNodeId } from './server-flags.ts';
import { openSnapshot } from './snapshot-source.ts';

/** The flags as yargs reads them. */
export type RestoreArguments = {
  readonly bumpRevision: number;
  readonly marksCompacted: boolean;
  /** All of them. */
  readonly argv: Readonly<Record<string, unknown>>;
};

/**
 * Restores a snapshot. Nothing is written before the file is known to be whole.
 *
 * @throws CommandError, NodeFault, StoreError (as rejection)
 */
export async function restoreSnapshot(
  { terminal }: CommandContext,
  path: string,
  { bumpRevision, marksCompacted, argv }: RestoreArguments,
): Promise<void> {
  checkBump(bumpRevision, marksCompacted);
  const flag = flagReader(argv, terminal.environment);
  const { cluster: born, self } = await readMembers(argv, flag);
  const { nodes, clusterId: bornId } = born;
  const nodeId = self.id;
  const dataDir = readDataDir(flag);

  const line = new ProgressLine(terminal);
  const show = (what: string, doneBytes: number, sizeBytes: number): void => {
    if (line.isOnScreen) line.show(`${what} ${progressBar(doneBytes, sizeBytes)}`);
  };
  const source = await openSnapshot(path, (done, size) => show('checking', done, size));
  const { sizeBytes, sha256, facts } = source;
  const clusterId = restoredClusterId(bornId, sha256, flag('initial-cluster-token') ?? '');
  const chunks = counted(source.chunks(), (done) => show('restoring', done, sizeBytes));
  const { revision } = await restoreDirectory({
    ...{ dataDir, nodeId, bornId, clusterId, chunks, bumpRevision, marksCompacted },
    configuration: firstConfiguration(nodes),
    hash: facts.hash,
  });
  const cluster = clusterId.toString(16).padStart(16, '0');
  line.show(`Restored ${dataDir}: node ${nodeId} of cluster ${cluster}, revision ${revision}`);
  line.end();
}

/** The members of the new cluster, and who of them is restored: by nodes.conf or etcd flags. */
async function readMembers(
  argv: Readonly<Record<string, unknown>>,
  flag: FlagReader,
): Promise<{ readonly cluster: ClusterConfig; readonly self: NodeConfig }> {
  if (flag('initial-cluster') === undefined) {
    const confPath = flag('conf') ?? 'nodes.conf';
    const cluster = parseNodesConf(confPath, readConf(confPath));
    return { cluster, self: nodeOf(cluster, readNodeId(flag('id'))) };
  }
  if (argv.id !== undefined || argv.conf !== undefined) {
    refuseArguments('--id and --conf name a member of nodes.conf: leave out --initial-cluster');
  }
  const { initialCluster, readInitialPlan } = await import('./etcd/plan.ts');
  const { optionOf } = await import('./etcd/options.ts');
  return initialCluster(readInitialPlan((name) => optionOf({ get: flag }, name)));
}

/** Watches of the old cluster's revisions must not go on as if the new one had never lost any. */
function checkBump(bumpRevision: number, marksCompacted: boolean): void {
  if (bumpRevision < 0) refuseArguments('--bump-revision is how many revisions to add, 0 or more');
  if (bumpRevision > 0 && !marksCompacted) {
    refuseArguments('--mark-compacted is required with --bump-revision');
  }
  if (bumpRevision === 0 && marksCompacted) {
    refuseArguments('--mark-compacted is allowed with --bump-revision only');
  }
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  tell: (doneBytes: number) => void,
): AsyncIterable<Buffer> {
  let doneBytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    doneBytes += chunk.length;
    tell(doneBytes);
  }
}
