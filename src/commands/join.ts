/**
 * Joining a cluster that is there, with `serve --join`: an empty directory gets its member id from
 * the cluster, one that has run is that member again without asking anybody.
 *
 * A member that was added before (`member add`) and never ran is found by its place; else it is
 * added now. Once it runs it names itself, as etcd's members do: a member without a name has not
 * been started yet.
 */

import type { Client, Member, MemberUpdate } from '../../include/client.ts';
import type { Log } from '../../include/log.ts';
import type { ClusterConfig, NodeConfig, NodeId } from '../../include/node.ts';
import { connect } from '../client/connect.ts';
import { formatEndpoint, parseEndpoint } from '../client/endpoint.ts';
import { readIdentity } from '../node/data-directory.ts';
import type { MemberPlace } from '../node/node.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { showOwnJoining } from './member-progress.ts';
import { type FlagReader, readPort, readSwitch } from './server-flags.ts';
import type { Flags } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** The flags of a node that joins. */
export const JOIN_FLAGS = {
  join: {
    type: 'string',
    requiresArg: true,
    describe: 'members of the cluster to join, comma separated: takes the place of --id and --conf',
  },
  listen: {
    type: 'string',
    requiresArg: true,
    describe: 'with --join: host:port where this node is reached, and listens',
  },
  'client-port': {
    type: 'string',
    requiresArg: true,
    describe: 'with --join: the etcd-compatible port',
  },
  name: { type: 'string', requiresArg: true, describe: 'with --join: what the member is called' },
  learner: { type: 'boolean', describe: 'with --join: receive the log, but never vote' },
} as const satisfies Flags;

/** What a node that joins was told by its flags. */
export type JoinSettings = {
  readonly endpoints: readonly string[];
  readonly place: MemberPlace;
  readonly clientPort: number | undefined;
  readonly name: string | undefined;
  readonly isLearner: boolean;
  /** Whether the cluster must know the member already: it is not added then. */
  readonly isAdded?: boolean;
};

/** Who a node is that joined. */
export type Joined = {
  readonly id: NodeId;
  readonly cluster: ClusterConfig;
  /** This node as a line of nodes.conf would have it, for its gateway. */
  readonly self: NodeConfig;
};

/** Milliseconds that the cluster has to answer: a change may wait for another to end. */
const ASK_TIMEOUT_MS = 15_000;

/** Milliseconds until a member that could not be named tries again. */
const PUBLISH_AGAIN_MS = 1_000;

/** Reads the flags; undefined without --join. @throws CommandError, KvorumError BadEndpoint */
export function readJoinSettings(
  argv: Readonly<Record<string, unknown>>,
  flag: FlagReader,
): JoinSettings | undefined {
  const join = flag('join');
  if (join === undefined) return undefined;
  const listen = flag('listen');
  if (listen === undefined) {
    const what = '--join needs --listen: host:port where the others reach this node';
    throw new CommandError(ExitCode.Error, what);
  }
  const { host: address, port } = parseEndpoint(listen);
  const clientPort = readPort('client-port', flag('client-port'));
  const name = flag('name');
  const isLearner = readSwitch(argv, flag, 'learner');
  return { endpoints: join.split(','), place: { address, port }, clientPort, name, isLearner };
}

/** Finds out who this node is, and adds it to the cluster if need be. @throws KvorumError */
export async function joinCluster(settings: JoinSettings, dataDir: string): Promise<Joined> {
  const known = readIdentity(dataDir);
  if (known !== undefined) {
    return joinedAs(known.nodeId, known.clusterId, settings);
  }
  return withClient(settings.endpoints, async (client) => {
    const { members, clusterId } = await client.members();
    const there = members.find((member) => isAt(member, settings.place));
    if (there !== undefined) {
      return joinedAs(checkUnstarted(there, dataDir).id, clusterId, settings);
    }
    const { place, clientPort, isLearner, isAdded = false } = settings;
    if (isAdded) throw notAdded(place);
    const member = { ...place, isLearner, ...(clientPort === undefined ? {} : { clientPort }) };
    const { added } = await client.addMember(member);
    const [id = -1] = added;
    return joinedAs(id, clusterId, settings);
  });
}

function joinedAs(id: NodeId, clusterId: bigint, settings: JoinSettings): Joined {
  const { place, clientPort, endpoints } = settings;
  return {
    id,
    cluster: { path: endpoints.join(), nodes: [], clusterId },
    self: { id, ...place, clientPort, role: 'voter', line: 0 },
  };
}

/** Tells the cluster that this member was started, by its name; tries until it is told. */
export async function nameMember(
  { id }: Joined,
  settings: JoinSettings,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  const { endpoints, name = `node-${id}`, clientPort } = settings;
  const facts = { name, ...(clientPort === undefined ? {} : { clientPort }) };
  const isDue = (own: Member): boolean => own.name === '';
  await publishMember({ endpoints, id, facts, isDue }, log, stopped);
}

/** Shows on a screen how far this member is, until it votes. */
export async function showProgress(
  { id }: Joined,
  { endpoints }: JoinSettings,
  terminal: Terminal,
  stopped: AbortSignal,
): Promise<void> {
  const client = connect({ endpoints, requestTimeoutMs: ASK_TIMEOUT_MS });
  stopped.addEventListener('abort', () => void client.close(), { once: true });
  await showOwnJoining(client, terminal, id, stopped);
  await client.close();
}

/** What a member tells of itself. */
export type Publication = {
  /** Whom it tells. */
  readonly endpoints: readonly string[];
  readonly id: NodeId;
  readonly facts: MemberUpdate;
  /** Whether that is news. */
  readonly isDue: (own: Member) => boolean;
};

/** Tells the cluster about this member, where that is due; tries until it is told. */
export async function publishMember(
  { endpoints, id, facts, isDue }: Publication,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  const client = connect({ endpoints, requestTimeoutMs: ASK_TIMEOUT_MS });
  stopped.addEventListener('abort', () => void client.close(), { once: true });
  while (!stopped.aborted) {
    try {
      const { members } = await client.members();
      const own = members.find((member) => member.id === id);
      if (own !== undefined && isDue(own)) await client.updateMember(id, facts);
      break;
    } catch (cause) {
      if (stopped.aborted) break;
      log.warn('not named', { reason: cause instanceof Error ? cause.message : String(cause) });
      await new Promise<void>((resolve) => void setTimeout(resolve, PUBLISH_AGAIN_MS).unref());
    }
  }
  await client.close();
}

async function withClient<T>(
  endpoints: readonly string[],
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = connect({ endpoints, requestTimeoutMs: ASK_TIMEOUT_MS });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function notAdded({ address, port }: MemberPlace): CommandError {
  const what = `the cluster has no member at http://${formatEndpoint(address, port)}`;
  return new CommandError(ExitCode.Error, `${what}: add it first, with member add`);
}

function isAt(member: Member, { address, port }: MemberPlace): boolean {
  return member.address.toLowerCase() === address.toLowerCase() && member.port === port;
}

/** A member that has run has voted, and must not forget that: its id is not for an empty disk. */
function checkUnstarted(member: Member, dataDir: string): Member {
  if (member.name === '') return member;
  const who = `member ${member.id.toString(16)} at ${member.address}:${member.port}`;
  const what = `${who} has run already, and ${dataDir} is not its data directory`;
  const remedy = `put that back, or remove the member and join anew`;
  throw new CommandError(ExitCode.Error, `${what}: ${remedy}`);
}
