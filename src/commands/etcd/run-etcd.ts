/**
 * A node started as etcd is started. What it logs goes to the error output unless it is told
 * otherwise, as with etcd.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../include/log.ts';
import type { ClusterConfig, NodeId } from '../../../include/node.ts';
import { readIdentity } from '../../node/data-directory.ts';
import type { CommandContext } from '../command-context.ts';
import { joinCluster, type Publication, publishMember } from '../join.ts';
import { LogFile } from '../log-file.ts';
import { runServer } from '../run-server.ts';
import { createServerLog } from '../server-log.ts';
import { refusal } from './options.ts';
import { type EtcdPlan, initialCluster, memberPlace, otherPlaces } from './plan.ts';
import { reachable, verifying } from './urls.ts';

/** What etcd keeps its data in, within its data directory. */
const ETCD_MEMBER_DIRECTORY = 'member';

/** Runs a node until a signal stops it. Resolves when it has stopped. */
export async function runEtcd(plan: EtcdPlan, context: CommandContext): Promise<void> {
  const { id, cluster } = await findSelf(plan);
  const { logFile, log } = openLog(id, plan);
  for (const warning of plan.warnings) log.warn(warning);
  const endpoint = reachable(plan.listenPeers);
  const { dataDir, heartbeatMs, electionMs, logKept, watchProgressMs, upkeep } = plan;
  const { slowRequestMs } = plan;
  const times = { heartbeatMs, electionMs, logKept, watchProgressMs, upkeep, slowRequestMs };
  const places = { place: memberPlace(plan.peer), listen: memberPlace(plan.listenPeers) };
  const { clusterId } = cluster;
  const { forcesNewCluster } = plan;
  await runServer(
    {
      id,
      node: { cluster, dataDir, forcesNewCluster, ...times, ...places },
      gateway: { id, clusterId, listens: plan.listenClients, endpoint },
      log,
      logFile,
      onServing: (stopped) => {
        void publishMember(publication(plan, id, endpoint), log, stopped);
      },
    },
    context,
  );
}

/** Who this member is. @throws CommandError, NodeFault, KvorumError */
async function findSelf(plan: EtcdPlan): Promise<{ id: NodeId; cluster: ClusterConfig }> {
  const { dataDir, isExisting, name, peer, client } = plan;
  const known = readIdentity(dataDir);
  if (known !== undefined) {
    const { nodeId: id, clusterId } = known;
    return { id, cluster: { path: dataDir, nodes: [], clusterId } };
  }
  refuseEtcdData(dataDir);
  if (!isExisting) {
    const { cluster, self } = initialCluster(plan);
    return { id: self.id, cluster };
  }
  const endpoints = otherPlaces(plan);
  if (endpoints.length === 0) {
    throw verifying('cannot fetch cluster info: --initial-cluster names no other member');
  }
  const place = memberPlace(peer);
  const clientPort = client.port;
  const joining = { endpoints, place, clientPort, name, isLearner: false, isAdded: true };
  return joinCluster(joining, dataDir);
}

/** A script that started etcd would find its keys gone, and somebody might write over them. */
function refuseEtcdData(dataDir: string): void {
  if (!existsSync(join(dataDir, ETCD_MEMBER_DIRECTORY))) return;
  const what = `${dataDir} holds data of etcd, which kvorum does not read`;
  throw refusal(`${what}: give another --data-dir; make-mirror copies the keys of a running etcd`);
}

/** As etcd's members, it tells its name and its client's port at each start. */
function publication(plan: EtcdPlan, id: NodeId, endpoint: string): Publication {
  const { name, client } = plan;
  return {
    endpoints: [endpoint],
    id,
    facts: { name, clientPort: client.port },
    isDue: (own) => own.name !== name || own.clientPort !== client.port,
  };
}

function openLog(id: NodeId, plan: EtcdPlan): { logFile: LogFile | undefined; log: Log } {
  const { logOutput, logLevel } = plan;
  const isStream = logOutput === 'stderr' || logOutput === 'stdout';
  const logFile = isStream ? undefined : new LogFile(logOutput);
  const descriptor = logOutput === 'stdout' ? 1 : 2;
  return { logFile, log: createServerLog(id, logLevel, logFile, descriptor) };
}
