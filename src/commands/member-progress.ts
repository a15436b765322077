/** Shows how far members are that were added, until they vote: a bar that is drawn in place. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Client, Member } from '../../include/client.ts';
import { MemberGoal } from '../../include/node.ts';
import { KvorumError, type StatusReply } from '../../include/rpc.ts';
import { formatEndpoint } from '../client/endpoint.ts';
import { hexId } from '../client/terminal/printer.ts';
import { ProgressLine, progressBar } from './progress-line.ts';
import type { Terminal } from './terminal.ts';

const LOOK_MS = 200;

/** Waits until those of `ids` that are to vote do, or are gone. */
export async function awaitVoters(
  client: Client,
  terminal: Terminal,
  ids: readonly number[],
): Promise<void> {
  const line = new ProgressLine(terminal);
  await showJoining(client, line, ids);
  line.show(ids.map((id) => `member ${hexId(id)} is in the cluster`).join('; '));
  line.end();
}

/** Shows on a screen how far this member is, until it votes, stops or the cluster is silent. */
export async function showOwnJoining(
  client: Client,
  terminal: Terminal,
  id: number,
  stopped: AbortSignal,
): Promise<void> {
  const line = new ProgressLine(terminal);
  if (!line.isOnScreen) return;
  try {
    await showJoining(client, line, [id], stopped);
  } catch (failure) {
    if (!(failure instanceof KvorumError)) throw failure;
  }
  line.end();
}

async function showJoining(
  client: Client,
  line: ProgressLine,
  ids: readonly number[],
  stopped?: AbortSignal,
): Promise<void> {
  while (stopped?.aborted !== true) {
    const { members } = await client.members();
    const joining = members.filter((member) => {
      return ids.includes(member.id) && member.isLearner && member.goal === MemberGoal.Voter;
    });
    if (joining.length === 0) return;
    const leader = await leaderStatus(client, members);
    line.show(joining.map((member) => describe(member, leader)).join('; '));
    await pause(LOOK_MS);
  }
}

/** How far a member is, as its leader sees it. */
export function describe({ id }: Member, leader: StatusReply | undefined): string {
  const who = `member ${hexId(id)}`;
  const peer = leader?.peers.find((one) => one.id === id);
  if (leader === undefined || peer === undefined) return `${who}: no leader`;
  if (!peer.isOnline) return `${who}: not started`;
  if (peer.snapshotSizeBytes > 0) {
    return `${who}: snapshot ${progressBar(peer.snapshotSentBytes, peer.snapshotSizeBytes)}`;
  }
  return `${who}: ${Math.max(0, leader.lastIndex - peer.matchIndex)} entries behind`;
}

/** The status of the leader; undefined while there is none. */
async function leaderStatus(
  client: Client,
  members: readonly Member[],
): Promise<StatusReply | undefined> {
  try {
    const status = await client.status();
    const leader = members.find(({ id }) => id === status.leader);
    if (leader === undefined) return undefined;
    return await client.status({ endpoint: formatEndpoint(leader.address, leader.port) });
  } catch (failure) {
    if (failure instanceof KvorumError) return undefined;
    throw failure;
  }
}
